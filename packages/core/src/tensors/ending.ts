/**
 * After the end: a domain with an `end` gives every variable after it the value `end`, with probability 1.
 *
 *   p(x_i | x_<i) = [x_i = end]   where x_{i−1} = end and x_i begins nothing
 *
 * Axes: B batch, N variables, C = 1 component, V values.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { Previous } from './factorization.js'
import type { Draw } from './head.js'

/** Which variables stand after an end, by what comes before each: values [B, N, 1] → bool [B, N], or [B, 1] → [B] for one step. */
export function isAfterEnd({ values, isStart }: Previous, end: number): tf.Tensor {
  return tf.logicalAnd(tf.equal(tf.squeeze(values, [values.rank - 1]), tf.scalar(end, 'int32')), tf.logicalNot(isStart))
}

/** log p of variables as the head says, and 0 after an end: both [B, N]. */
export const zeroWhere = (logProbability: tf.Tensor, isAfter: tf.Tensor): tf.Tensor => tf.where(isAfter, tf.zerosLike(logProbability), logProbability)

/** A draw, and the certain `end` in the rows where `isAfter` [B]. */
export function afterEnd(draw: Draw, isAfter: tf.Tensor, end: number): Draw {
  const column = tf.expandDims(isAfter, 1)
  const ended = (values: tf.Tensor) => tf.where(column, tf.mul(tf.onesLike(values), tf.scalar(end, 'int32')), values)
  return {
    values: ended(draw.values),
    drawn: ended(draw.drawn),
    distance: zeroWhere(draw.distance, isAfter),
    logProbability: zeroWhere(draw.logProbability, isAfter),
    ...(draw.logProbabilities && { logProbabilities: tf.where(column, certain(end, draw.logProbabilities.shape[1]!), draw.logProbabilities) }),
  }
}

/** log p of each value where `end` is certain: [1, V]. */
const certain = (end: number, count: number) => tf.tensor2d(Float32Array.from({ length: count }, (_, value) => (value === end ? 0 : -Infinity)), [1, count])
