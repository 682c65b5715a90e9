/**
 * Sampling by inverse CDF, for any discrete distribution given as its probabilities.
 * Value v is drawn iff c(v−1) ≤ u c(V−1) < c(v), c the running sum of the probabilities. Its last entry is 1 but for rounding;
 * measured by it, no uniform lies beyond the last value that has a probability above 0.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { DrawRequest } from '../head.js'

/**
 * @param probabilities [B, V], the distribution that is sampled (temperature applied)
 * @returns values, drawn: int32 [B, 1]; distance: [B]
 */
export function drawByInverseCdf(probabilities: tf.Tensor, { uniforms, given, isGiven }: DrawRequest) {
  const [batch, count] = probabilities.shape as [number, number]
  const cumulative = tf.cumsum(probabilities, 1)
  const u = tf.mul(tf.reshape(uniforms, [batch, 1]), tf.slice(cumulative, [0, count - 1], [batch, 1]))
  const below = tf.sum(tf.cast(tf.lessEqual(cumulative, u), 'int32'), 1, true)
  const drawn = tf.minimum(below, tf.scalar(count - 1, 'int32'))
  const values = tf.where(tf.expandDims(isGiven, 1), given, drawn)
  const classes = tf.tensor2d(Int32Array.from({ length: count }, (_, v) => v), [1, count], 'int32')
  // The bounds are entries of the running sum itself, so that a value drawn here has distance exactly 0.
  const lower = tf.max(tf.mul(cumulative, tf.cast(tf.less(classes, values), 'float32')), 1, true)
  const upper = tf.max(tf.mul(cumulative, tf.cast(tf.lessEqual(classes, values), 'float32')), 1, true)
  const upperOrEnd = tf.add(upper, tf.cast(tf.equal(values, tf.scalar(count - 1, 'int32')), 'float32'))
  const distance = tf.maximum(tf.maximum(tf.sub(lower, u), tf.sub(u, upperOrEnd)), tf.scalar(0))
  return { values, drawn, distance: tf.squeeze(distance, [1]) }
}
