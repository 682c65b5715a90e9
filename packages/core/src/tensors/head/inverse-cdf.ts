/**
 * Sampling by inverse CDF, for any discrete distribution given as its probabilities.
 * Value v is drawn iff c(v−1) ≤ u c(V−1) < c(v), c the running sum of the probabilities. Its last entry is 1 but for rounding;
 * measured by it, no uniform lies beyond the last value that has a probability above 0. A value of probability 0 has no interval
 * and cannot be drawn: where it is given, its distance is 1.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { DrawRequest } from '../head.js'
import { entryAt } from '../primitives/entry.js'

/** A distribution by its running sum. */
export interface Cumulative {
  /** c(0) … c(V−1): [B, V], never falling. */
  readonly cumulative: tf.Tensor
  /** [B, V], above 0 for values that can be drawn. */
  readonly isPossible: tf.Tensor
}

/**
 * @param probabilities [B, V], the distribution that is sampled (temperature and filters applied)
 * @returns values, drawn: int32 [B, 1]; distance: [B]
 */
export const drawByInverseCdf = (probabilities: tf.Tensor, request: DrawRequest) => drawByCumulative({ cumulative: tf.cumsum(probabilities, 1), isPossible: probabilities }, request)

/** The same, where the running sum is known already. */
export function drawByCumulative({ cumulative, isPossible }: Cumulative, { uniforms, given, isGiven }: DrawRequest) {
  const [batch, count] = cumulative.shape as [number, number]
  const u = tf.mul(tf.reshape(uniforms, [batch, 1]), tf.slice(cumulative, [0, count - 1], [batch, 1]))
  const below = tf.sum(tf.cast(tf.lessEqual(cumulative, u), 'int32'), 1, true)
  const drawn = tf.minimum(below, tf.scalar(count - 1, 'int32'))
  const values = tf.where(tf.expandDims(isGiven, 1), given, drawn)
  // The bounds are entries of the running sum itself, so that a value drawn here has distance exactly 0.
  const bounds = tf.pad(cumulative, [[0, 0], [1, 0]])
  const [lower, upper] = [entryAt(bounds, values), entryAt(bounds, tf.add(values, tf.scalar(1, 'int32')))]
  const outside = tf.maximum(tf.maximum(tf.sub(lower, u), tf.sub(u, upper)), 0)
  const distance = tf.where(tf.greater(entryAt(isPossible, values), 0), outside, tf.scalar(1))
  return { values, drawn, distance: tf.squeeze(distance, [1]) }
}
