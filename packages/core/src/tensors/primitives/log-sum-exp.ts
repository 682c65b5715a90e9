/** log Σ exp over the last axis. Gradient: softmax(x) dy. */
import * as tf from '@tensorflow/tfjs-core'

/** x [..., K], finite → [...]. */
export function logSumExp(x: tf.Tensor): tf.Tensor {
  return tf.customGrad((x, save) => {
    const highest = tf.max(x as tf.Tensor, -1, true)
    const value = tf.squeeze(tf.add(tf.log(tf.sum(tf.exp(tf.sub(x as tf.Tensor, highest)), -1, true)), highest), [-1])
    ;(save as tf.GradSaveFunc)([x as tf.Tensor, value])
    return { value, gradFunc: (dy: tf.Tensor, [x, value]: tf.Tensor[]) => tf.mul(tf.exp(tf.sub(x, tf.expandDims(value, -1))), tf.expandDims(dy, -1)) }
  })(x)
}
