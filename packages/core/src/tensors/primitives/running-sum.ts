/** Running sums along the first axis: y₀ = x₀, y₁ = x₀ + x₁, … The gradient runs back; tfjs's own is wrong for the first of three axes. */
import * as tf from '@tensorflow/tfjs-core'

/** x [C, …] → [C, …]. */
export function runningSum(x: tf.Tensor): tf.Tensor {
  return tf.customGrad((x) => ({ value: tf.cumsum(x as tf.Tensor, 0), gradFunc: (dy: tf.Tensor) => tf.cumsum(dy, 0, false, true) }))(x)
}
