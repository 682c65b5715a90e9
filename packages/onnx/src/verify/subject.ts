/**
 * What the laws of an opened model are tried on: sequences of its variables, and the order in which it makes them.
 * Axes: N sequences, n variables, C components, V values.
 */
import { conditionSpecification, type ConditionValues, type Domain, manifestCondition, type ModelManifest, sizeOf, throwIfInterrupted, uniform, uniformIndex, type Values } from '@chainrule/core'
import type { OpenModel } from '@chainrule/runtime'

/** Variables of a sequence where the length is variable: beyond the context, where memory begins to be cut, but no more than a minute's work. */
const lengthFor = (context: unknown) => Math.min(256, Math.max(24, typeof context === 'number' ? context + 8 : 0))

export interface Subject {
  /** Of a model with a condition, all sequences are told the same one. */
  readonly opened: Pick<OpenModel, 'manifest' | 'sample' | 'replay'>
  readonly domain: Domain
  /** n: the length that the laws are tried at. */
  readonly length: number
  readonly seed: number
  /** The position of the variable that is made at this rank. */
  position(rank: number): number
  /** N sequences of values drawn evenly, none of which ends; real ones from (−1, 1): [N, n, C]. */
  random(count: number): Values
  /** nats of sequences [N, size, C] of one size, n by default: [N, size], by position. Condition 0 is that of everything else, 1 another one. */
  score(x: Values, size?: number, condition?: 0 | 1): Promise<Float32Array>
}

/** How many values a component may take anywhere: all but the end. Of real ones there is no end. */
export const innerValues = ({ values, end }: Domain): number => (values === 'real' ? Infinity : end === undefined ? values : values - 1)

/** A random condition of n variables, that of fewer its beginning; `which`: 0 or another one. */
function randomCondition(manifest: ModelManifest, seed: number, n: number, which: 0 | 1): { condition?: ConditionValues } {
  const condition = manifestCondition(manifest)
  if (!condition) return {}
  const { values } = condition
  const length = sizeOf(conditionSpecification(condition, 1, n).shape)
  if (values === undefined) return { condition: Float32Array.from({ length }, (_, i) => 2 * uniform(seed, 'batches', 1, which, i) - 1) }
  return { condition: Int32Array.from({ length }, (_, i) => (uniformIndex(values, seed, 'batches', 1, i) + which) % values) }
}

export function subjectOf(opened: OpenModel, { seed, signal }: { seed: number; signal?: AbortSignal }): Subject {
  const { manifest, order } = opened
  const { domain, longest = Infinity } = manifest
  const isVariable = domain.length === 'variable'
  const length = isVariable ? Math.min(lengthFor(manifest.network.options.context), longest) : (domain.length as number)
  const inner = innerValues(domain)
  const told = (n: number, which: 0 | 1 = 0) => randomCondition(manifest, seed, n, which)
  const variablesOf = (options: { prompt?: Values; length?: number }) => (options.prompt?.length ?? 0) / domain.components + (options.length ?? length)
  return {
    opened: {
      manifest,
      sample: (options) => opened.sample({ ...options, ...told(variablesOf(options)) }),
      replay: (options) => opened.replay({ ...options, ...told(variablesOf(options)) }),
    },
    domain,
    length,
    seed,
    position: (rank) => (isVariable ? rank : order.permutation[rank]),
    random: (count) => {
      const size = { length: count * length * domain.components }
      return inner === Infinity ? Float32Array.from(size, (_, at) => 2 * uniform(seed, 'batches', at) - 1) : Int32Array.from(size, (_, at) => uniformIndex(inner, seed, 'batches', at))
    },
    async score(x, size = length, condition = 0) {
      throwIfInterrupted(signal, 'verifyModel')
      return opened.score({ x, ...(isVariable && { length: size }), ...told(size, condition), signal })
    },
  }
}
