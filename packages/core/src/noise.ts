/**
 * Addressable noise: the uniform at an address is a pure function of the address, so that every sampler
 * (one at a time, all in one graph, in waves, in any language) draws the same numbers for the same seed.
 *
 *   uniform(seed, purpose; sample, variable, component, k) = (w ≫ 9 + ½) / 2²³      w = first word of Philox4×32-10
 *
 * counter = (sample, variable, component, k), key = (seed, purpose). The 23 bits keep u exact in float32 and inside (0, 1).
 * Philox: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3". 32-bit integer arithmetic only.
 */
import { wholeNumber } from './errors.js'

/** What the noise is for: streams with different purposes never share a number. */
export const purposes = { sampling: 0, batches: 1, initialization: 2, order: 3, dropout: 4, evaluation: 5, binarization: 6, palette: 7, completion: 8, dequantization: 9 } as const
export type Purpose = keyof typeof purposes

export type Words = readonly [number, number, number, number]

/** The high 32 bits of the product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const lowHigh = aLow * bHigh
  const highLow = aHigh * bLow
  const middle = ((aLow * bLow) >>> 16) + (lowHigh & 0xffff) + (highLow & 0xffff)
  return (aHigh * bHigh + (lowHigh >>> 16) + (highLow >>> 16) + (middle >>> 16)) >>> 0
}

/** Philox4×32 with 10 rounds: four words from a counter of four words and a key of two. All are unsigned 32-bit integers. */
export function philox(counter: Words, key: readonly [number, number]): Words {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0)
    const low0 = Math.imul(0xd2511f53, c0) >>> 0
    const high1 = multiplyHigh(0xcd9e8d57, c2)
    const low1 = Math.imul(0xcd9e8d57, c2) >>> 0
    c0 = (high1 ^ c1 ^ k0) >>> 0
    c1 = low1
    c2 = (high0 ^ c3 ^ k1) >>> 0
    c3 = low0
    k0 = (k0 + 0x9e3779b9) >>> 0
    k1 = (k1 + 0xbb67ae85) >>> 0
  }
  return [c0, c1, c2, c3]
}

/** Checks a seed: a whole number from 0 to 2³² − 1. */
export function checkSeed(owner: string, seed: unknown): number {
  return wholeNumber(owner, 'seed', seed, 0, 0xffffffff)
}

/** The uniform in (0, 1) at one address; indices are whole numbers below 2³². */
export function uniform(seed: number, purpose: Purpose, sample = 0, variable = 0, component = 0, k = 0): number {
  return ((philox([sample, variable, component, k], [seed, purposes[purpose]])[0] >>> 9) + 0.5) / 0x800000
}

/** A whole number in 0 … length−1 at one address, from 53 bits: uniform for any length that an array can have. */
export function uniformIndex(length: number, seed: number, purpose: Purpose, sample = 0, variable = 0): number {
  const [high, low] = philox([sample, variable, 0, 0], [seed, purposes[purpose]])
  return Math.floor(((high * 0x200000 + (low >>> 11)) / 2 ** 53) * length)
}

/** The standard normal at one address (Box–Muller on two of the address's uniforms). */
export function normal(seed: number, purpose: Purpose, sample = 0, variable = 0, component = 0): number {
  const words = philox([sample, variable, component, 0], [seed, purposes[purpose]])
  const radius = Math.sqrt(-2 * Math.log(((words[0] >>> 9) + 0.5) / 0x800000))
  return radius * Math.cos((2 * Math.PI * ((words[1] >>> 9) + 0.5)) / 0x800000)
}

/** A permutation of 0 … length−1, uniform over all of them: Fisher–Yates on addressed noise. */
export function shuffled(seed: number, purpose: Purpose, length: number): Int32Array {
  const result = Int32Array.from({ length }, (_, i) => i)
  for (let i = length - 1; i > 0; i--) {
    const j = uniformIndex(i + 1, seed, purpose, 0, i)
    const kept = result[i]
    result[i] = result[j]
    result[j] = kept
  }
  return result
}
