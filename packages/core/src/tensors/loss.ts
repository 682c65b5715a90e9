/** Maximum likelihood: the loss is −log p(x) in nats, summed over variables and averaged over examples. */
import * as tf from '@tensorflow/tfjs-core'
import type { Before } from './factorization.js'
import type { Model } from './model.js'
import type { Tensors } from './network.js'

/**
 * What the optimizer sees: nats per variable (the loss divided by the number of variables), so that learning rate and
 * clipping mean the same at every size. x [B, N, C] → scalar.
 */
export function negativeLogLikelihood(model: Model, parameters: Tensors, x: tf.Tensor, before?: Before, masks?: Tensors, condition?: tf.Tensor): tf.Tensor {
  return tf.neg(tf.mean(model.logProbability(parameters, x, before, masks, condition)))
}
