/**
 * One matrix times each of a sequence of matrices, y_t = W x_t, whose columns are the examples of a batch.
 * Gradient: dx_t = Wᵀ dy_t; dW = Σ_t dy_t x_tᵀ as one product of matrices that hold all steps side by side.
 *
 * Axes: T time, R rows, K columns of W, B batch.
 */
import * as tf from '@tensorflow/tfjs-core'
import { definePrimitive } from '../primitive.js'

/** [w [R, K], x [T, K, B] or [K, B]] → [w x_t], or [wᵀ x_t] for w [K, R]. */
const product = definePrimitive<{ transposed: boolean }>('ChainruleMultiplyEach', ([w, x], { transposed }) => {
  const [K, B] = x.shape.slice(-2)
  const R = w.shape[transposed ? 1 : 0]!
  if (x.rank === 2) return [tf.matMul(w as tf.Tensor2D, x as tf.Tensor2D, transposed, false)]
  const T = x.shape[0]
  const columns = tf.reshape(tf.transpose(x, [1, 0, 2]), [K, T * B]) as tf.Tensor2D
  return [tf.transpose(tf.reshape(tf.matMul(w as tf.Tensor2D, columns, transposed, false), [R, T, B]), [1, 0, 2])]
})

/** [a [T, R, B], b [T, K, B]] → [Σ_t a_t b_tᵀ [R, K]]. */
const outerProducts = definePrimitive('ChainruleSumOfOuterProducts', ([a, b]) => {
  const [T, R, B] = a.shape as [number, number, number]
  const rows = tf.reshape(tf.transpose(a, [1, 0, 2]), [R, T * B]) as tf.Tensor2D
  return [tf.matMul(rows, tf.reshape(tf.transpose(b, [0, 2, 1]), [T * B, b.shape[1]!]) as tf.Tensor2D)]
})

/** W x_t, or Wᵀ x_t where `transposed`; x [T, K, B] or one of them [K, B]. Not differentiated. */
export const multiplyPlain = (weight: tf.Tensor, x: tf.Tensor, transposed = false): tf.Tensor => product([weight, x], { transposed })[0]

/** Σ_t a_t b_tᵀ: a [T, R, B], b [T, K, B] → [R, K]. Not differentiated. */
export const sumOfOuterProducts = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => outerProducts([a, b], {})[0]

/** weight [R, K], x [T, K, B] → [T, R, B]. */
export function multiplyEach(weight: tf.Tensor, x: tf.Tensor): tf.Tensor {
  return tf.customGrad((weight, x, save) => {
    ;(save as tf.GradSaveFunc)([weight as tf.Tensor, x as tf.Tensor])
    return {
      value: multiplyPlain(weight as tf.Tensor, x as tf.Tensor),
      gradFunc: (dy: tf.Tensor, [weight, x]: tf.Tensor[]) => [sumOfOuterProducts(dy, x), multiplyPlain(weight, dy, true)],
    }
  })(weight, x)
}
