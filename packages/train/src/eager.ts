/** The reference engine: programs run eagerly on any registered tfjs backend. */
import { UnavailableError } from '@chainrule/core'
import { eagerEngine, type Engine } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'

/**
 * @param backend the name of a tfjs backend that the caller has imported; 'cpu' for @tensorflow/tfjs-backend-cpu
 * @throws {UnavailableError} at the first run, where no such backend is registered
 */
export function eager(backend = 'cpu'): Engine {
  return eagerEngine(`eager ${backend}`, async () => {
    if (!(backend in tf.engine().registryFactory)) throw new UnavailableError(`No tfjs backend is called "${backend}". Import its package first, for example @tensorflow/tfjs-backend-cpu.`)
    await tf.setBackend(backend)
  })
}
