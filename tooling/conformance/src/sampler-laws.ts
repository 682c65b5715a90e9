/**
 * The laws of samplers. Two samplers of one model may compute in different ways (eagerly, in one graph, on another device), so
 * that one value in 10⁵ lies on a CDF boundary and flips; everything after it then differs legitimately. Hence replay:
 *
 *   feed the sequence of sampler A to sampler B as given values: the distance B reports is at most 10⁻⁵ everywhere
 *   free-running sequences are equal up to the first variable with a distance above 0
 *
 * Real values are never quite the same: their distance is at most 10⁻⁴, and free-running ones are equal within rounding.
 */
import type { Domain, Order, Values } from '@chainrule/core'
import type { SampleRequest, Sampled, Sampler } from './eager-sampler.js'
import { randomRows } from './enumeration.js'
import { demand, demandClose } from './violation.js'

/** Distances of a replay: at most this. */
const replayToleranceOf = (values: Values) => (values instanceof Float32Array ? 1e-4 : 1e-5)
/** What rounding makes of real values in a few variables, relative above 1. */
const roundingOfReals = 1e-3

/**
 * Checks what sampler B reports about a sequence it was given: values as they were given, every distance in tolerance, and
 * where the uniforms pick something else than the value kept, a distance that admits it.
 * @param replayed of sampler B, all variables given
 * @param original of sampler A, free-running with the same seed
 */
export function replayLaw(replayed: Sampled, original: Pick<Sampled, 'values'>, tolerance = replayToleranceOf(original.values)): void {
  const law = 'replay'
  demand(law, replayed.values.length === original.values.length, () => `${replayed.values.length} values, expected ${original.values.length}.`)
  original.values.forEach((value, i) => demand(law, replayed.values[i] === value, () => `value ${i} is ${replayed.values[i]}, given was ${value}.`))
  replayed.distance.forEach((distance, i) => demand(law, distance >= 0 && distance <= tolerance, () => `variable ${i} has a distance of ${distance}, at most ${tolerance} is allowed: the samplers draw from different distributions.`))
}

/**
 * Free-running sequences are equal up to the first variable, in the order of generation, whose replay has a distance above 0.
 * @param a values [B, N, C] of one sampler
 * @param b values of the other
 * @param distance [B, N], of the replay of a by b
 * @param order rank → position
 */
export function freeRunningLaw(a: Values, b: Values, distance: Float32Array, order: ArrayLike<number>): void {
  const N = order.length
  const C = a.length / distance.length
  const isSame = (one: number, other: number) => (a instanceof Float32Array ? Math.abs(one - other) <= roundingOfReals * Math.max(1, Math.abs(one)) : one === other)
  for (let sample = 0; sample < distance.length / N; sample++) {
    for (let rank = 0; rank < N; rank++) {
      const at = sample * N + order[rank]
      if (distance[at] > (a instanceof Float32Array ? replayToleranceOf(a) : 0)) break
      for (let c = 0; c < C; c++) demand('free running', isSame(a[at * C + c], b[at * C + c]), () => `sample ${sample}, position ${order[rank]}: ${a[at * C + c]} against ${b[at * C + c]}, though no uniform before lay on a boundary.`)
    }
  }
}

export interface SamplerLawOptions {
  readonly domain: Domain
  readonly order: Order
  /** N, for a domain of variable length (6). */
  readonly length?: number
  /** B (16). */
  readonly count?: number
  readonly seed?: number
  /** Of log-probabilities, relative above 1 (1e-4). */
  readonly tolerance?: number
}

/** All laws of one sampler: repeatable, addressed by sample, given values stay and change only what is free and later. @throws {LawViolation} */
export async function samplerLaws(sampler: Sampler, options: SamplerLawOptions): Promise<void> {
  const { domain, order, count = 16, seed = 1, tolerance = 1e-4 } = options
  const law = `sampler, order ${order.name}`
  const { components: C, values: V } = domain
  const N = domain.length === 'variable' ? (options.length ?? 6) : domain.length
  const resolved = order.resolve(domain)
  const positionOf = (rank: number) => (resolved.isLeftToRight ? rank : resolved.permutation[rank])
  const request: SampleRequest = { count, length: N, seed }
  const equal = (a: ArrayLike<number>, b: ArrayLike<number>, length = a.length) => Array.from({ length }, (_, i) => a[i] === b[i]).every(Boolean)

  const free = await sampler(request)
  demand(law, free.values.length === count * N * C && free.distance.length === count * N && free.logProbability.length === count * N, () => `it gives ${free.values.length} values, expected ${count} × ${N} × ${C}.`)
  demand(law, free.values.every((value) => (V === 'real' ? Number.isFinite(value) : value >= 0 && value < V)), () => `a value is outside of the domain's (V = ${V}).`)
  demand(law, free.distance.every((distance) => distance === 0), () => 'its own draws have a distance above 0.')
  demand(law, equal((await sampler(request)).values, free.values), () => 'the same seed gives other values.')
  demand(law, !equal((await sampler({ ...request, seed: seed + 1 })).values, free.values), () => 'another seed gives the same values.')
  const fewer = Math.max(1, Math.floor(count / 2))
  demand(law, equal((await sampler({ ...request, count: fewer })).values, free.values, fewer * N * C), () => 'a sample changes with the number of samples: its noise is not addressed by its index.')

  const all = new Uint8Array(count * N).fill(1)
  const replayed = await sampler({ ...request, given: free.values, isGiven: all })
  replayLaw(replayed, free)
  demand(law, equal(replayed.drawn, free.drawn), () => 'what the uniforms pick changes when the same values are given.')
  demandClose(law, replayed.logProbability, free.logProbability, tolerance, 'log-probabilities of a replay')

  // One variable given, in the middle of the order: it stays, earlier ones do not change, and some later one does.
  const middle = Math.floor(N / 2)
  const isGiven = new Uint8Array(count * N)
  const given = randomRows(seed + 2, domain, count, N)
  for (let b = 0; b < count; b++) isGiven[b * N + positionOf(middle)] = 1
  const conditioned = await sampler({ ...request, given, isGiven })
  for (let b = 0; b < count; b++) {
    for (let rank = 0; rank <= middle; rank++) {
      for (let c = 0; c < C; c++) {
        const i = (b * N + positionOf(rank)) * C + c
        // What ended before stays ended, whatever is given.
        const isOver = domain.end !== undefined && rank > 0 && free.values[i - 1] === domain.end
        const expected = rank === middle && !isOver ? given[i] : free.values[i]
        demand(law, conditioned.values[i] === expected, () => `with rank ${middle} given, rank ${rank} is ${conditioned.values[i]}, expected ${expected}.`)
      }
    }
  }
}
