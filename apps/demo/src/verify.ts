/** `chainrule verify`: does a model keep what its format promises? One line for each check; exit code 1 where one fails. */
import type { JsonObject } from '@chainrule/core'
import { type OpenOptions, trainedOf } from '@chainrule/modality'
import { type Check, verifyModel } from '@chainrule/onnx'
import type { Context } from './context.js'
import { modalities, modalityNameAt } from './modality.js'
import { kindAt } from './subject.js'
import { counted } from './wording.js'

export interface VerifyCommandOptions extends Pick<OpenOptions, 'provider' | 'threads'> {
  seed: number
}

const marks: Record<Check['outcome'], string> = { passed: '✓', failed: '✗', 'not run': '–' }

export async function verify(path: string, options: VerifyCommandOptions, { output, signal }: Context): Promise<JsonObject> {
  const kind = await kindAt(path)
  const { readRun, recordTrained } = await modalities[await modalityNameAt(path)].load()
  const source = kind === 'model' ? path : await recordTrained(trainedOf(await readRun(path)))
  const onCheck = ({ name, outcome, reason }: Check) => output.print(`${marks[outcome]} ${name.padEnd(13)} ${reason}`)
  const { passed, checks, provider } = await verifyModel(source, { ...options, signal, onCheck })
  const failed = checks.filter(({ outcome }) => outcome === 'failed').length
  output.print()
  output.print(passed ? `${path}: every law that could be tried holds` : `${path}: ${counted(failed, 'check')} of ${checks.length} failed`)
  return { command: 'verify', model: path, kind, seed: options.seed, provider: provider ?? null, passed, checks: checks.map((check) => ({ ...check })) }
}
