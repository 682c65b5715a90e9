/**
 * Truncation of a distribution to its likeliest values, in the order p₍₁₎ ≥ p₍₂₎ ≥ …, of equal ones the lower value first: value
 * number n stays iff
 *
 *   n ≤ k  (k > 0),   p₍₁₎ + … + p₍n₋₁₎ < P (p₍₁₎ + … + p₍k₎)  (P < 1)   and   p₍n₎ ≥ m p₍₁₎
 *
 * and what stays is divided by its sum. Top-k: Fan et al. 2018 (arXiv 1805.04833); top-p: Holtzman et al. 2020 (arXiv 1904.09751);
 * min-p: Nguyen et al. 2024 (arXiv 2407.01082). Not differentiated. Axes: B batch, V values.
 */
import * as tf from '@tensorflow/tfjs-core'
import { definePrimitive } from '../primitive.js'

/** [p [B, V], k int32 [1] (0: all), P [1] > 0, m [1]] → [B, V]. All values are sorted; a kernel may do with fewer. */
const truncate = definePrimitive('ChainruleTruncation', ([p, k, P, m]) => {
  const [batch, count] = p.shape as [number, number]
  const { values, indices } = tf.topk(p, count, true)
  const ranks = tf.tensor2d(Int32Array.from({ length: count }, (_, n) => n), [1, count], 'int32')
  const isCounted = tf.logicalOr(tf.less(ranks, k), tf.equal(k, tf.scalar(0, 'int32')))
  const total = tf.sum(tf.mul(values, tf.cast(isCounted, 'float32')), 1, true)
  const isInMass = tf.logicalOr(tf.less(tf.cumsum(values, 1, true), tf.mul(P, total)), tf.greaterEqual(P, 1))
  const isLikely = tf.greaterEqual(values, tf.mul(m, tf.slice(values, [0, 0], [batch, 1])))
  const kept = tf.mul(values, tf.cast(tf.logicalAnd(isCounted, tf.logicalAnd(isInMass, isLikely)), 'float32'))
  const places = tf.add(indices, tf.tensor2d(Int32Array.from({ length: batch }, (_, b) => b * count), [batch, 1], 'int32'))
  const scattered = tf.scatterND(tf.reshape(places, [batch * count, 1]), tf.reshape(tf.div(kept, tf.sum(kept, 1, true)), [batch * count]), [batch * count])
  return [tf.reshape(scattered, [batch, count])]
})

/** Probabilities [B, V], k int32 [1] (0: all), P and m float32 [1] (1 and 0: all) → those of what stays, [B, V]. */
export const truncated = (probabilities: tf.Tensor, k: tf.Tensor, P: tf.Tensor, m: tf.Tensor): tf.Tensor => truncate([probabilities, k, P, m], {})[0]
