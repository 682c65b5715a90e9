/** The engine on @tensorflow/tfjs-node: eager execution by TensorFlow's C library, in Node only. */
import { InvalidOptionError, refuseUnknownOptions, UnavailableError } from '@chainrule/core'
import { eagerEngine, type Engine } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { backendName, bindingVariable, loadBackend } from './load-backend.js'

export interface TensorflowOptions {
  /** Path of a compiled tfjs_binding.node, in place of the one that the install script of @tensorflow/tfjs-node brings. Else the environment’s CHAINRULE_TENSORFLOW_BINDING. */
  readonly binding?: string
}

/**
 * Loads @tensorflow/tfjs-node and gives the engine that runs programs on it. The backend `tensorflow` is active during runs only.
 * @throws {UnavailableError} where the package is not installed, its native binding does not load, or it comes with another tfjs-core
 * @throws {InvalidOptionError} for a binding that is no path of a .node file
 */
export async function tensorflow(options: TensorflowOptions = {}): Promise<Engine> {
  refuseUnknownOptions('tensorflow', options, ['binding'])
  const binding = options.binding ?? (process.env[bindingVariable] || undefined)
  if (binding !== undefined && (typeof binding !== 'string' || !binding.endsWith('.node'))) {
    throw new InvalidOptionError(`tensorflow: binding must be the path of a compiled .node file, got ${JSON.stringify(binding)}.`)
  }
  await loadBackend({ from: import.meta.url, binding })
  return eagerEngine('tensorflow', async () => {
    if (!(await tf.setBackend(backendName))) throw new UnavailableError('tensorflow: the backend of @tensorflow/tfjs-node does not start; its warning above says why.')
  })
}
