/**
 * log softmax(logits)[x], the softmax cross-entropy with its sign turned. Gradient: (onehot(x) − softmax(logits)) dy.
 */
import * as tf from '@tensorflow/tfjs-core'
import { definePrimitive } from '../primitive.js'

/** [logits [..., V], x [...] int32] → [log p(x) [...], log softmax(logits) [..., V]]. */
const forward = definePrimitive('ChainruleCategoricalLogProbability', ([logits, x]) => {
  const all = tf.logSoftmax(logits)
  return [tf.sum(tf.mul(all, tf.oneHot(x as tf.Tensor1D, logits.shape[logits.rank - 1], 1, 0, 'float32')), -1), all]
})

/** [dy [...], log softmax [..., V], x [...]] → [dlogits [..., V]]. */
const backward = definePrimitive('ChainruleCategoricalLogProbabilityGradient', ([dy, all, x]) => {
  const indicator = tf.oneHot(x as tf.Tensor1D, all.shape[all.rank - 1], 1, 0, 'float32')
  return [tf.mul(tf.sub(indicator, tf.exp(all)), tf.expandDims(dy, -1))]
})

/** logits [..., V], x [...] int32 → log p(x) [...]. */
export function categoricalLogProbability(logits: tf.Tensor, x: tf.Tensor): tf.Tensor {
  return tf.customGrad((logits, save) => {
    const [value, all] = forward([logits as tf.Tensor, x], {})
    ;(save as tf.GradSaveFunc)([all, x])
    return { value, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => backward([dy, ...saved], {})[0] }
  })(logits)
}
