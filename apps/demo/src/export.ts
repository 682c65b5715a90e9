/** `chainrule export`: a run as ONNX graphs with weights and a description, in the layout asked for. */
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import type { JsonObject } from '@chainrule/core'
import { exportModel, type Layout, readRun, trainedOf } from '@chainrule/text'
import type { Context } from './context.js'
import { bytes, commandLine, counted } from './wording.js'

export interface ExportCommandOptions {
  out: string
  overwrite?: boolean
  layout: Layout
  dataLicence?: string
}

/** Name and size of every file of a folder, and of the folders inside it; or of one file. */
export async function sizesIn(path: string): Promise<Record<string, number>> {
  const stats = await stat(path)
  if (stats.isFile()) return { [basename(path)]: stats.size }
  const files = (await readdir(path, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const sizes = await Promise.all(files.map(async (file) => [relative(path, file), (await stat(file)).size] as const))
  return Object.fromEntries(sizes.sort(([a], [b]) => a.localeCompare(b)))
}

/** What can be done with a model of each layout. */
const nextSteps: Record<Layout, (out: string) => string[]> = {
  chainrule: (out) => [commandLine('sample', out, '--length', '400'), commandLine('verify', out)],
  'single-file': (out) => [commandLine('sample', out, '--length', '400'), commandLine('verify', out)],
  'transformers.js': (out) => [`In a program, with @huggingface/transformers (${join(out, 'README.md')} has all of it):`, `  env.localModelPath = ${JSON.stringify(dirname(out))}`, `  await pipeline('text-generation', ${JSON.stringify(basename(out))})`],
}

export async function exportRun(path: string, { out, overwrite = false, layout, dataLicence }: ExportCommandOptions, { output }: Context): Promise<JsonObject> {
  const run = await readRun(path)
  const { description, state } = run
  await exportModel(trainedOf(run), out, { overwrite, layout, ...(dataLicence !== undefined && { dataLicence }), data: description.data, command: description.command, results: description.results })
  const files = await sizesIn(out)
  if (state.step < description.settings.steps) output.say(`The run has made ${state.step} of its ${counted(description.settings.steps, 'step')}; this is how far it got.`)
  output.print(`exported   ${out}`)
  for (const [name, size] of Object.entries(files)) output.print(`           ${name.padEnd(20)} ${bytes(size)}`)
  output.print()
  output.print('What to do next:')
  for (const line of nextSteps[layout](out)) output.print(`  ${line}`)
  return { command: 'export', run: path, model: out, layout, steps: state.step, files }
}
