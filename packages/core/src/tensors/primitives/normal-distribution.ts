/**
 * The standard normal distribution, made of elementary operations, the same in every engine, with all digits of float32 in the lower tail.
 *
 *   Φ(−a) = exp(−a²/2) t P(t),  t = 1/(1 + 0.28 a)      a ≥ 0;    Φ(a) = 1 − Φ(−a)
 *
 * t P(t) is Mills' ratio over √2π, which falls like 1/a and so is smooth in t. P is the polynomial of degree 8 through the Chebyshev series
 * on 0 … 1; relative error 2 × 10⁻⁷ before rounding. erf would do in the middle only: tfjs's own is off by 10⁻⁷, which is more than a tail holds.
 */
import * as tf from '@tensorflow/tfjs-core'

const slope = 0.28
/** Of P, from t⁸ down to 1. */
const coefficients = [
  0.02524426554620504, -0.0955061422595611, 0.09523378297713678, -0.008565072952768815, 0.07364585954079962, 0.08343963860355214, 0.10310482039823253,
  0.1116990148623324, 0.11170386243378833,
]

/** Φ(z), any shape. Not meant to be differentiated. */
export function normalCumulative(z: tf.Tensor): tf.Tensor {
  const a = tf.abs(z)
  const t = tf.reciprocal(tf.add(tf.mul(a, slope), 1))
  const [highest, ...rest] = coefficients
  const P = rest.reduce<tf.Tensor>((sum, coefficient) => tf.add(tf.mul(sum, t), coefficient), tf.scalar(highest))
  const tail = tf.mul(tf.mul(P, t), tf.exp(tf.mul(tf.square(a), -0.5)))
  return tf.where(tf.less(z, 0), tail, tf.sub(1, tail))
}

/** ½ log 2π. */
const halfLogCircle = 0.5 * Math.log(2 * Math.PI)

/** log N(x; μ, σ), shapes broadcast: −½ z² − log σ − ½ log 2π, z = (x − μ)/σ. */
export function normalLogDensity(x: tf.Tensor, mean: tf.Tensor, logScale: tf.Tensor): tf.Tensor {
  const z = tf.mul(tf.sub(x, mean), tf.exp(tf.neg(logScale)))
  return tf.sub(tf.mul(tf.square(z), -0.5), tf.add(logScale, halfLogCircle))
}
