/** The engines that train and evaluate, by name. Only the chosen one is loaded. */
import { InvalidOptionError } from '@chainrule/core'
import type { Engine } from '@chainrule/core/tensors'
import { eager, onnx } from '@chainrule/text'

export const engineNames = ['onnx', 'tensorflow', 'cpu'] as const
export type EngineName = (typeof engineNames)[number]

/** @throws {UnavailableError} where it is not installed. @throws {InvalidOptionError} for threads that the engine would not obey */
export async function engineNamed(name: EngineName = 'onnx', threads?: number): Promise<Engine> {
  if (name === 'onnx') return onnx({ threads })
  if (threads !== undefined) throw new InvalidOptionError(`--threads belongs to the engine onnx; the engine ${name} decides by itself. Leave one of the two out.`)
  if (name === 'tensorflow') return (await import('@chainrule/tensorflow')).tensorflow()
  await import('@tensorflow/tfjs-backend-cpu')
  // Else the backend advertises another package on stderr.
  ;(await import('@tensorflow/tfjs-core')).enableProdMode()
  return eager('cpu')
}
