/**
 * The Gaussian error linear unit y = x Φ(x), exact (by erf). Hendrycks, Gimpel 2016 (arXiv 1606.08415).
 * Gradient: Φ(x) + x φ(x).
 */
import * as tf from '@tensorflow/tfjs-core'
import { definePrimitive } from '../primitive.js'

/** [x] → [y, Φ(x)]. */
const forward = definePrimitive('ChainruleGelu', ([x]) => {
  const distribution = tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5)
  return [tf.mul(x, distribution), distribution]
})

/** [dy, x, Φ(x)] → [dx]. */
const backward = definePrimitive('ChainruleGeluGradient', ([dy, x, distribution]) => {
  const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI))
  return [tf.mul(dy, tf.add(distribution, tf.mul(x, density)))]
})

/** Element-wise, any shape. */
export function gelu(x: tf.Tensor): tf.Tensor {
  return tf.customGrad((x, save) => {
    const [value, distribution] = forward([x as tf.Tensor], {})
    ;(save as tf.GradSaveFunc)([x as tf.Tensor, distribution])
    return { value, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => backward([dy, ...saved], {})[0] }
  })(x)
}
