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
  if (!seen || !repetitionPenalty) return logits
  return tf.where(seen, tf.where(tf.greater(logits, 0), tf.div(logits, repetitionPenalty), tf.mul(logits, repetitionPenalty)), logits)
}

const truncates = ({ topK, topP, minP }: DrawFilters) => tf.logicalOr(tf.greater(topK, tf.scalar(0, 'int32')), tf.logicalOr(tf.less(topP, 1), tf.greater(minP, 0)))

/** bool [1]: the model's own distribution is sampled. For heads that know only `truncations`. */
export function isUnchanged({ temperature, filters }: Pick<DrawRequest, 'temperature' | 'filters'>): tf.Tensor {
  const isPlain = tf.equal(temperature, 1)
  return filters ? tf.logicalAnd(isPlain, tf.logicalNot(truncates(filters))) : isPlain
}

/** logits [B, V] → probabilities [B, V]; zero where a value cannot be drawn. */
export function sampledDistribution(logits: tf.Tensor, { temperature, filters }: Pick<DrawRequest, 'temperature' | 'filters'>): tf.Tensor {
  const plain = (logits: tf.Tensor) => tf.softmax(tf.div(logits, temperature))
  if (!filters) return plain(logits)
  const { topK, topP, minP, repetitionPenalty } = filters
  const isTruncated = truncates(filters)
  const filtered = () => {
    const probabilities = plain(penalized(logits, filters))
    return conditional(isTruncated, () => truncated(probabilities, topK, topP, minP), () => probabilities)
  }
  return conditional(repetitionPenalty ? tf.logicalOr(isTruncated, tf.notEqual(repetitionPenalty, 1)) : isTruncated, filtered, () => plain(logits))
}
