/**
 * The distribution that is sampled, from the logits of a discrete head: temperature and filters (sampling-filters.ts has their
 * definitions and order). The penalty is that of Keskar et al. 2019 (arXiv 1909.05858). With everything off, nothing of the
 * filters runs. Axes: B batch, V values.
 */
import * as tf from '@tensorflow/tfjs-core'
import { conditional } from '../conditional.js'
import type { DrawFilters, DrawRequest } from '../head.js'
import { truncated } from '../primitives/truncation.js'

function penalized(logits: tf.Tensor, { seen, repetitionPenalty }: DrawFilters): tf.Tensor {
  return tf.where(seen, tf.where(tf.greater(logits, 0), tf.div(logits, repetitionPenalty), tf.mul(logits, repetitionPenalty)), logits)
}

/** logits [B, V] → probabilities [B, V]; zero where a value cannot be drawn. */
export function sampledDistribution(logits: tf.Tensor, { temperature, filters }: Pick<DrawRequest, 'temperature' | 'filters'>): tf.Tensor {
  const plain = (logits: tf.Tensor) => tf.softmax(tf.div(logits, temperature))
  if (!filters) return plain(logits)
  const { topK, topP, minP, repetitionPenalty } = filters
  const truncates = tf.logicalOr(tf.greater(topK, tf.scalar(0, 'int32')), tf.logicalOr(tf.less(topP, 1), tf.greater(minP, 0)))
  const filtered = () => {
    const probabilities = plain(penalized(logits, filters))
    return conditional(truncates, () => truncated(probabilities, topK, topP, minP), () => probabilities)
  }
  return conditional(tf.logicalOr(truncates, tf.notEqual(repetitionPenalty, 1)), filtered, () => plain(logits))
}
