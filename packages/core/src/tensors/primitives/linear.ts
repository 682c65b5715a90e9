/**
 * The linear map y = x W over the last axis, for x of any rank. Axes: N rows, D inputs, E outputs.
 * tfjs's own gradient of a broadcast product is wrong, so the product is always one of two matrices.
 */
import * as tf from '@tensorflow/tfjs-core'
import { definePrimitive } from '../primitive.js'

const rows = (x: tf.Tensor) => tf.reshape(x, [-1, x.shape[x.rank - 1]]) as tf.Tensor2D
const withLast = (x: tf.Tensor, last: number) => [...x.shape.slice(0, -1), last]

/** [x [..., D], w] → x w, or x wᵀ. */
const product = definePrimitive<{ transposed: boolean }>('ChainruleLinear', ([x, w], { transposed }) => [
  tf.reshape(tf.matMul(rows(x), w as tf.Tensor2D, false, transposed), withLast(x, w.shape[transposed ? 0 : 1]!)),
])

/** [a [..., D], b [..., E]] → aᵀ b, summed over all rows: [D, E]. */
const outerProduct = definePrimitive('ChainruleLinearWeightGradient', ([a, b]) => [tf.matMul(rows(a), rows(b), true, false)])

/** x [..., D], weight [D, E] → [..., E]; with `transposed`, weight [E, D]. */
export function linear(x: tf.Tensor, weight: tf.Tensor, transposed = false): tf.Tensor {
  return tf.customGrad((x, weight, save) => {
    ;(save as tf.GradSaveFunc)([x as tf.Tensor, weight as tf.Tensor])
    return {
      value: product([x as tf.Tensor, weight as tf.Tensor], { transposed })[0],
      gradFunc: (dy: tf.Tensor, [x, weight]: tf.Tensor[]) => [
        product([dy, weight], { transposed: !transposed })[0],
        transposed ? outerProduct([dy, x], {})[0] : outerProduct([x, dy], {})[0],
      ],
    }
  })(x, weight)
}
