/**
 * Root-mean-square normalization over the last axis, without a gain: y = x / √(mean(x²) + 10⁻⁵). Zhang, Sennrich 2019 (arXiv 1910.07467).
 * Gradient: dx = (dy − y mean(dy y)) / √(mean(x²) + 10⁻⁵).
 */
import * as tf from '@tensorflow/tfjs-core'
import { definePrimitive } from '../primitive.js'

/** [x [..., F]] → [y, 1/√(mean(x²) + 10⁻⁵) [..., 1]]. */
const forward = definePrimitive('ChainruleRootMeanSquareNormalization', ([x]) => {
  const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), 1e-5))
  return [tf.mul(x, inverse), inverse]
})

/** [dy, y, 1/√(…)] → [dx]. */
const backward = definePrimitive('ChainruleRootMeanSquareNormalizationGradient', ([dy, y, inverse]) => [
  tf.mul(tf.sub(dy, tf.mul(y, tf.mean(tf.mul(dy, y), -1, true))), inverse),
])

/** x [..., F] → [..., F]. */
export function rootMeanSquareNormalization(x: tf.Tensor): tf.Tensor {
  return tf.customGrad((x, save) => {
    const [value, inverse] = forward([x as tf.Tensor], {})
    ;(save as tf.GradSaveFunc)([value, inverse])
    return { value, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => backward([dy, ...saved], {})[0] }
  })(x)
}
