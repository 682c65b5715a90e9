/** `chainrule export` of a run of images. */
import { InvalidOptionError, type JsonObject } from '@chainrule/core'
import { exportModel, type Layout, layouts, readRun, trainedOf } from '@chainrule/image'
import type { Context } from '../context.js'
import { type ExportCommandOptions, sizesIn } from '../export.js'
import { bytes, commandLine, counted } from '../wording.js'

export async function exportImageRun(path: string, { out, overwrite = false, layout, dataLicence }: ExportCommandOptions, { output }: Context): Promise<JsonObject> {
  if (!(layouts as readonly string[]).includes(layout)) throw new InvalidOptionError(`--layout ${layout} is for language models; this is a run of images. Choose ${layouts.join(' or ')}.`)
  const run = await readRun(path)
  const { description, state } = run
  await exportModel(trainedOf(run), out, { overwrite, layout: layout as Layout, ...(dataLicence !== undefined && { dataLicence }), data: description.data, command: description.command, results: description.results })
  const files = await sizesIn(out)
  if (state.step < description.settings.steps) output.say(`The run has made ${state.step} of its ${counted(description.settings.steps, 'step')}; this is how far it got.`)
  output.print(`exported   ${out}`)
  for (const [name, size] of Object.entries(files)) output.print(`           ${name.padEnd(20)} ${bytes(size)}`)
  output.print()
  output.print('What to do next:')
  output.print(`  ${commandLine('sample', out, '--out', 'samples.png')}`)
  output.print(`  ${commandLine('verify', out)}`)
  return { command: 'export', run: path, model: out, layout, steps: state.step, files }
}
