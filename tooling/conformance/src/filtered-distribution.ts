/** The distribution that is sampled, in plain JavaScript from the definitions of core's sampling-filters.ts: what every sampler is compared with. */
import { noSamplingFilters, type SamplingFilters } from '@chainrule/core'

export interface FilterSettings extends SamplingFilters {
  /** 1 where absent. */
  readonly temperature?: number
  /** [V], 1: the value occurred before. */
  readonly seen?: ArrayLike<number>
}

/** logits [V] → probabilities [V], 0 where a value cannot be drawn. */
export function filteredDistribution(logits: ArrayLike<number>, settings: FilterSettings = {}): Float64Array {
  const { temperature = 1, topK, topP, minP, repetitionPenalty, seen } = { ...noSamplingFilters, seen: [], ...settings }
  const scaled = Array.from(logits, (l, v) => (seen[v] ? (l > 0 ? l / repetitionPenalty : l * repetitionPenalty) : l) / temperature)
  const highest = Math.max(...scaled)
  const weights = scaled.map((l) => Math.exp(l - highest))
  const sum = (list: readonly number[]) => list.reduce((total, weight) => total + weight, 0)
  let left = weights.map((_, v) => v).sort((a, b) => weights[b] - weights[a] || a - b)
  if (topK > 0) left = left.slice(0, topK)
  if (topP < 1) {
    const mass = topP * sum(left.map((v) => weights[v]))
    let n = 0
    for (let reached = 0; n < left.length && reached < mass; n++) reached += weights[left[n]]
    left = left.slice(0, n)
  }
  left = left.filter((v) => weights[v] >= minP)
  const total = sum(left.map((v) => weights[v]))
  const result = new Float64Array(weights.length)
  for (const v of left) result[v] = weights[v] / total
  return result
}
