/**
 * Ancestral sampling, stretch by stretch: x_π(0), x_π(1), …, each from p(x_π(i) | x_π(<i)). The noise of a variable is
 * addressed by its sample and position, so that batches, stretches and samplers make no difference.
 * Axes: B batch, S steps, C components, K uniforms per component.
 */
import { emptyValues, type ModelManifest, type ResolvedOrder, type SamplingFilters, throwIfInterrupted, uniform, type Values } from '@chainrule/core'
import type { ConditionFeeds } from './condition.js'
import type { Cursor } from './cursor.js'
import type { Graphs } from './graphs.js'
import { type Drawn, type SamplerName, samplers } from './samplers.js'

/** Values that are to stay, in the order of generation. */
export interface Given {
  /** [B, n, C] */
  readonly values: Values
  /** [B, n] */
  readonly isGiven: Uint8Array
}

export interface Generation {
  readonly graphs: Graphs
  readonly manifest: ModelManifest
  readonly order: ResolvedOrder
  /** Where it begins. */
  readonly cursor: Cursor
  /** How many variables; Infinity: until the consumer stops. */
  readonly length: number
  /** The position of the first variable, where the length is variable: that of the prompt's end. */
  readonly firstPosition: number
  readonly seed: number
  /** The address of the batch's first sample in the noise. */
  readonly firstSample: number
  readonly temperature: number
  readonly filters: Required<SamplingFilters>
  readonly given?: Given
  /** Of its batch, counted from the first variable of the prompt. */
  readonly condition: ConditionFeeds
  readonly sampler: SamplerName
  /** Steps in stretch number `which`; between two stretches the signal is looked at. */
  stretchLength(which: number): number
  readonly signal?: AbortSignal
  /** How messages call the verb. */
  readonly owner: string
}

/** The uniforms of a stretch, [B, S, C, K]. */
function uniformsOf({ manifest, order, firstPosition, cursor, seed, firstSample }: Generation, start: number, steps: number): Float32Array {
  const { components: C } = manifest.domain
  const K = manifest.uniformsPerComponent
  const result = new Float32Array(cursor.batch * steps * C * K)
  let at = 0
  for (let b = 0; b < cursor.batch; b++) {
    for (let rank = start; rank < start + steps; rank++) {
      const position = order.isLeftToRight ? firstPosition + rank : order.permutation[rank]
      for (let component = 0; component < C; component++) for (let k = 0; k < K; k++) result[at++] = uniform(seed, 'sampling', firstSample + b, position, component, k)
    }
  }
  return result
}

/** Columns start … start + steps − 1 of rows [B, n, width]. */
export function columns<A extends Int32Array | Float32Array | Uint8Array>(rows: A, batch: number, width: number, start: number, steps: number): A {
  const rowLength = rows.length / batch
  const result = new (rows.constructor as new (size: number) => A)(batch * steps * width)
  for (let b = 0; b < batch; b++) result.set(rows.subarray(b * rowLength + start * width, b * rowLength + (start + steps) * width), b * steps * width)
  return result
}

/** Yields stretches in the order of generation, until all samples have ended: `start` is the rank of the first of `steps` variables. @throws {InterruptedError} */
export async function* generate(generation: Generation): AsyncGenerator<Drawn & { start: number; steps: number }> {
  const { graphs, manifest, length, given, condition, firstPosition, temperature, filters, signal, owner } = generation
  const { components: C } = manifest.domain
  let { cursor } = generation
  const B = cursor.batch
  for (let start = 0, which = 0; start < length; which++) {
    throwIfInterrupted(signal, owner)
    const steps = Math.min(generation.stretchLength(which), length - start)
    const result = await samplers[generation.sampler](graphs, manifest, cursor, {
      steps,
      uniforms: uniformsOf(generation, start, steps),
      given: given ? columns(given.values, B, C, start, steps) : emptyValues(manifest.domain, B * steps * C),
      isGiven: given ? columns(given.isGiven, B, 1, start, steps) : new Uint8Array(B * steps),
      condition: condition(firstPosition + start, steps),
      temperature,
      filters,
    })
    cursor = result.cursor
    yield { values: result.values, drawn: result.drawn, distance: result.distance, nats: result.nats, start, steps }
    start += steps
    if (manifest.domain.end !== undefined && cursor.previous.every((value) => value === manifest.domain.end)) return
  }
}
