/**
 * What the laws of an opened model are tried on: sequences of its variables, and the order in which it makes them.
 * Axes: N sequences, n variables, C components, V values.
 */
import { type Domain, throwIfInterrupted, uniformIndex } from '@chainrule/core'
import type { OpenModel } from '@chainrule/runtime'

/** Variables of a sequence where the length is variable: beyond the context, where memory begins to be cut, but no more than a minute's work. */
const lengthFor = (context: unknown) => Math.min(256, Math.max(24, typeof context === 'number' ? context + 8 : 0))

export interface Subject {
  readonly opened: OpenModel
  readonly domain: Domain
  /** n: the length that the laws are tried at. */
  readonly length: number
  readonly seed: number
  /** The position of the variable that is made at this rank. */
  position(rank: number): number
  /** N sequences of values drawn evenly, none of which ends: [N, n, C]. */
  random(count: number): Int32Array
  /** nats of sequences [N, size, C] of one size, n by default: [N, size], by position. */
  score(x: Int32Array, size?: number): Promise<Float32Array>
}

/** How many values a component may take anywhere: all but the end. */
export const innerValues = ({ values, end }: Domain): number => (end === undefined ? values : values - 1)

export function subjectOf(opened: OpenModel, { seed, signal }: { seed: number; signal?: AbortSignal }): Subject {
  const { manifest, order } = opened
  const { domain, longest = Infinity } = manifest
  const isVariable = domain.length === 'variable'
  const length = isVariable ? Math.min(lengthFor(manifest.network.options.context), longest) : (domain.length as number)
  const inner = innerValues(domain)
  return {
    opened,
    domain,
    length,
    seed,
    position: (rank) => (isVariable ? rank : order.permutation[rank]),
    random: (count) => Int32Array.from({ length: count * length * domain.components }, (_, at) => uniformIndex(inner, seed, 'batches', at)),
    async score(x, size = length) {
      throwIfInterrupted(signal, 'verifyModel')
      return opened.score({ x, ...(isVariable && { length: size }), signal })
    },
  }
}
