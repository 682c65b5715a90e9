/** The squared rectifier y = max(x, 0)². So et al. 2021 (arXiv 2109.08668). Gradient: 2 max(x, 0). */
import * as tf from '@tensorflow/tfjs-core'
import { definePrimitive } from '../primitive.js'

/** [x] → [y, max(x, 0)]. */
const forward = definePrimitive('ChainruleReluSquared', ([x]) => {
  const rectified = tf.relu(x)
  return [tf.square(rectified), rectified]
})

/** [dy, max(x, 0)] → [dx]. */
const backward = definePrimitive('ChainruleReluSquaredGradient', ([dy, rectified]) => [tf.mul(tf.mul(dy, 2), rectified)])

/** Element-wise, any shape. */
export function reluSquared(x: tf.Tensor): tf.Tensor {
  return tf.customGrad((x, save) => {
    const [value, rectified] = forward([x as tf.Tensor], {})
    ;(save as tf.GradSaveFunc)([rectified])
    return { value, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => backward([dy, ...saved], {})[0] }
  })(x)
}
