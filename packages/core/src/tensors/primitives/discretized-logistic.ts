/**
 * The logistic distribution with mean μ and scale 1/t, rounded to the whole numbers 0 … V−1; the two end values take the tails.
 *
 *   a = (x − ½ − μ) t,  b = (x + ½ − μ) t        (b − a = t)
 *   log p(x) = log(σ(b) − σ(a)) = −softplus(−b) − softplus(a) + log(1 − e⁻ᵗ)
 *   log p(0) = −softplus(−b),   log p(V−1) = −softplus(a)
 *
 * No difference of two sigmoids is taken, so it is as exact 1000 scales away as in the middle, and Σ p(x) = 1. In whole numbers x ± ½ is
 * exact in float32, so that the upper end of x is the lower end of x + 1, bit for bit. Gradients, with r = log t:
 *
 *   ∂/∂μ = −t (σ(−b) − σ(a)),   ∂/∂r = b σ(−b) − a σ(a) + t/(eᵗ − 1)        (the end values: without the terms they lack)
 *
 * Salimans et al. 2017 (arXiv 1701.05517), eq. 2. Axes: K logistics.
 */
import * as tf from '@tensorflow/tfjs-core'

/** (x + ½ − μ) t and the rest of what x, μ and r are in the formulas; `has…`: 0 at the end value that lacks it. */
function ends(x: tf.Tensor, mean: tf.Tensor, logRate: tf.Tensor, values: number) {
  const rate = tf.exp(logRate)
  const number = tf.cast(x, 'float32')
  return {
    rate,
    lower: tf.mul(tf.sub(tf.sub(number, 0.5), mean), rate),
    upper: tf.mul(tf.sub(tf.add(number, 0.5), mean), rate),
    hasLower: tf.cast(tf.greater(x, tf.scalar(0, 'int32')), 'float32'),
    hasUpper: tf.cast(tf.less(x, tf.scalar(values - 1, 'int32')), 'float32'),
  }
}

/** x [..., 1] int32, mean and logRate = log t (≤ 80) [..., K] → log p(x) of each logistic, [..., K]. Gradients go to mean and logRate. */
export function discretizedLogistic(x: tf.Tensor, mean: tf.Tensor, logRate: tf.Tensor, values: number): tf.Tensor {
  return tf.customGrad((mean, logRate, save) => {
    const { rate, lower, upper, hasLower, hasUpper } = ends(x, mean as tf.Tensor, logRate as tf.Tensor, values)
    const tails = tf.add(tf.mul(tf.softplus(tf.neg(upper)), hasUpper), tf.mul(tf.softplus(lower), hasLower))
    const width = tf.mul(tf.log(tf.neg(tf.expm1(tf.neg(rate)))), tf.mul(hasLower, hasUpper))
    ;(save as tf.GradSaveFunc)([mean as tf.Tensor, logRate as tf.Tensor])
    return {
      value: tf.sub(width, tails),
      gradFunc: (dy: tf.Tensor, [mean, logRate]: tf.Tensor[]) => {
        const { rate, lower, upper, hasLower, hasUpper } = ends(x, mean, logRate, values)
        const above = tf.mul(tf.sigmoid(tf.neg(upper)), hasUpper)
        const below = tf.mul(tf.sigmoid(lower), hasLower)
        const ofWidth = tf.mul(tf.div(rate, tf.expm1(rate)), tf.mul(hasLower, hasUpper))
        const ofRate = tf.add(tf.sub(tf.mul(upper, above), tf.mul(lower, below)), ofWidth)
        return [tf.mul(dy, tf.mul(tf.sub(below, above), rate)), tf.mul(dy, ofRate)]
      },
    }
  })(mean, logRate)
}
