/** What the runtime must return, computed from the fixtures' closed-form probabilities and the addresses of the noise. */
import { uniform } from '@chainrule/core'
import { chainProbabilities, gridPermutation, gridProbabilities } from './fixture.js'

/** p at a temperature: proportional to p^(1/T). */
export function tempered(probabilities: readonly number[], temperature: number): number[] {
  const weights = probabilities.map((p) => p ** (1 / temperature))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => weight / total)
}

/** Inverse CDF. */
export function pick(probabilities: readonly number[], u: number): number {
  let cumulative = 0
  for (let value = 0; value < probabilities.length - 1; value++) if (u < (cumulative += probabilities[value])) return value
  return probabilities.length - 1
}

/** How far u lies outside the CDF interval of a value. */
export function outside(probabilities: readonly number[], value: number, u: number): number {
  const lower = probabilities.slice(0, value).reduce((sum, p) => sum + p, 0)
  const upper = value === probabilities.length - 1 ? 1 : lower + probabilities[value]
  return Math.max(lower - u, u - upper, 0)
}

/** A sample of the chain; `prompt` comes first and is not returned. */
export function chainSample({ seed, sample, length, temperature = 1, prompt = [] }: { seed: number; sample: number; length: number; temperature?: number; prompt?: readonly number[] }) {
  const all = [...prompt]
  const nats: number[] = []
  for (let i = 0; i < length; i++) {
    const probabilities = chainProbabilities(all)
    const value = pick(tempered(probabilities, temperature), uniform(seed, 'sampling', sample, all.length))
    nats.push(-Math.log(probabilities[value]))
    all.push(value)
  }
  return { values: all.slice(prompt.length), nats }
}

export function chainNats(x: ArrayLike<number>): number[] {
  const all = Array.from(x)
  return all.map((value, i) => -Math.log(chainProbabilities(all.slice(0, i))[value]))
}

/** A sample of the grid, by position. */
export function gridSample({ seed, sample }: { seed: number; sample: number }) {
  const values = new Array<number>(8)
  const nats = new Array<number>(4)
  let before: number[] | undefined
  gridPermutation.forEach((position, rank) => {
    const variable = [0, 1].map((component) => pick(gridProbabilities(rank, component, before), uniform(seed, 'sampling', sample, position, component)))
    nats[position] = -variable.reduce((sum, value, component) => sum + Math.log(gridProbabilities(rank, component, before)[value]), 0)
    values.splice(position * 2, 2, ...variable)
    before = variable
  })
  return { values, nats }
}
