/** `chainrule export`: a run as a directory of ONNX graphs, weights and a description. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonObject } from '@chainrule/core'
import { exportModel, readRun, trainedOf } from '@chainrule/text'
import type { Context } from './context.js'
import { bytes, commandLine, counted } from './wording.js'

export interface ExportCommandOptions {
  out: string
  overwrite?: boolean
}

/** Name and size of every file of a folder. */
export async function sizesIn(directory: string): Promise<Record<string, number>> {
  const names = (await readdir(directory)).sort()
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, (await stat(join(directory, name))).size] as const)))
}

export async function exportRun(path: string, { out, overwrite = false }: ExportCommandOptions, { output }: Context): Promise<JsonObject> {
  const run = await readRun(path)
  const { description, state } = run
  await exportModel(trainedOf(run), out, { overwrite, data: description.data, results: description.results })
  const files = await sizesIn(out)
  if (state.step < description.settings.steps) output.say(`The run has made ${state.step} of its ${counted(description.settings.steps, 'step')}; this is how far it got.`)
  output.print(`exported   ${out}`)
  for (const [name, size] of Object.entries(files)) output.print(`           ${name.padEnd(20)} ${bytes(size)}`)
  output.print()
  output.print('What to do next:')
  output.print(`  ${commandLine('sample', out, '--length', '400')}`)
  output.print(`  ${commandLine('inspect', out)}`)
  return { command: 'export', run: path, model: out, steps: state.step, files }
}
