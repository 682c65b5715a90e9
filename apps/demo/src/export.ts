/** `chainrule export`: a run as ONNX graphs with weights and a description, in the layout asked for. */
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { InvalidOptionError, type JsonObject } from '@chainrule/core'
import { trainedOf } from '@chainrule/modality'
import type { Context } from './context.js'
import { modalities, modalityNameAt } from './modality.js'
import { bytes, commandLine, counted } from './wording.js'

export interface ExportCommandOptions {
  out: string
  overwrite?: boolean
  layout: string
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

const inTransformers = (out: string) => [`In a program, with @huggingface/transformers (${join(out, 'README.md')} has all of it):`, `  env.localModelPath = ${JSON.stringify(dirname(out))}`, `  await pipeline('text-generation', ${JSON.stringify(basename(out))})`]

export async function exportRun(path: string, { out, overwrite = false, layout, dataLicence }: ExportCommandOptions, { output }: Context): Promise<JsonObject> {
  const { models, next, load } = modalities[await modalityNameAt(path)]
  const { readRun, exportModel, layouts } = await load()
  if (!layouts.includes(layout)) throw new InvalidOptionError(`--layout ${layout} is for language models; ${path} is one of the ${models}. Choose ${layouts.join(' or ')}.`)
  const run = await readRun(path)
  const { description, state } = run
  await exportModel(trainedOf(run), out, { overwrite, layout: layout as never, ...(dataLicence !== undefined && { dataLicence }), data: description.data, command: description.command, results: description.results })
  const files = await sizesIn(out)
  if (state.step < description.settings.steps) output.say(`The run has made ${state.step} of its ${counted(description.settings.steps, 'step')}; this is how far it got.`)
  output.print(`exported   ${out}`)
  for (const [name, size] of Object.entries(files)) output.print(`           ${name.padEnd(20)} ${bytes(size)}`)
  output.print()
  output.print('What to do next:')
  for (const line of layout === 'transformers.js' ? inTransformers(out) : [...next(out), commandLine('verify', out)]) output.print(`  ${line}`)
  return { command: 'export', run: path, model: out, layout, steps: state.step, files }
}
