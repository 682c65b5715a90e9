/**
 * Uniform dequantisation: levels as real numbers, each anywhere in its interval, so that a density can learn them and a bound on their
 * probability be measured. With w the width of an interval and D numbers in an image,
 *
 *   P(levels) = ∫ p(x) dx over the box of the levels = w^D E_u[p(x(u))],   so   −log P ≤ −D log w − E_u[log p(x(u))]      (Jensen)
 *
 * with u uniform: what is measured is an upper bound on the bits of the levels, by one drawn u or the mean of several. Uria, Murray,
 * Larochelle 2013 (arXiv 1306.0186); Theis, van den Oord, Bethge 2016 (arXiv 1511.01844).
 */
import { checkSeed, uniform, type Values, wholeNumber } from '@chainrule/core'
import type { ImageTokenizer } from './tokenizers/index.js'

/** Which numbers were drawn to measure by; a type, so that an evaluation is JSON. */
export type Dequantization = {
  readonly seed: number
  /** How many for each image. */
  readonly draws: number
}

/** Checks it and fills in its defaults: one draw, of seed 0. @throws {InvalidOptionError} */
export const checkDequantization = (owner: string, { seed = 0, draws = 1 }: Partial<Dequantization> = {}): Dequantization => ({
  seed: checkSeed(owner, seed),
  draws: wholeNumber(owner, 'draws', draws),
})

/** Draws for training that none is likely to meet twice. */
export const trainingDraws = 2 ** 20

/**
 * length × draws examples: number i is example i mod length with draw ⌊i / length⌋, each number moved within its interval. As it is, for
 * a tokenizer of whole numbers.
 */
export function dequantized<E extends { readonly x: Values }, D extends { readonly length: number; at(index: number): E }>({ levelWidth }: ImageTokenizer, data: D, { seed, draws }: Dequantization): { readonly length: number; at(index: number): E } {
  if (levelWidth === undefined) return data
  return {
    length: data.length * draws,
    at(index) {
      const [which, draw] = [index % data.length, Math.floor(index / data.length)]
      const example = data.at(which)
      return { ...example, x: Float32Array.from(example.x, (middle, i) => middle + (uniform(seed, 'dequantization', which, i, draw) - 0.5) * levelWidth) }
    },
  }
}

/** What −log p of a density of this many numbers lacks to bound −log P of their levels. */
export const levelNats = ({ levelWidth }: ImageTokenizer, numbers: number): number => (levelWidth === undefined ? 0 : -numbers * Math.log(levelWidth))
