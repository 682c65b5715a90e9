/**
 * The Gaussian error linear unit y = x Φ(x), exact (by erf). Hendrycks, Gimpel 2016 (arXiv 1606.08415).
 * Gradient: Φ(x) + x φ(x).
 */
import * as tf from '@tensorflow/tfjs-core'
import { definePrimitive } from '../primitive.js'

/** [x] → [y, 2Φ(x)]. */
const forward = definePrimitive('ChainruleGelu', ([x]) => {
  const twice = tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)
  return [tf.mul(x, tf.mul(twice, 0.5)), twice]
})

/** [dy, x, 2Φ(x)] → [dx]. */
const backward = definePrimitive('ChainruleGeluGradient', ([dy, x, twice]) => {
  const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI))
  return [tf.mul(dy, tf.add(tf.mul(twice, 0.5), tf.mul(x, density)))]
})

/** Element-wise, any shape. */
export function gelu(x: tf.Tensor): tf.Tensor {
  return tf.customGrad((x, save) => {
    const [value, twice] = forward([x as tf.Tensor], {})
    ;(save as tf.GradSaveFunc)([x as tf.Tensor, twice])
    return { value, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => backward([dy, ...saved], {})[0] }
  })(x)
}
