/** An image tokenizer: an image of one size ↔ variables on a grid of rows and columns. Free of tensors. */
import { type Domain, InvalidDataError, InvalidOptionError, type Tokenizer, type Values, wholeNumber } from '@chainrule/core'
import type { Image } from '../image.js'

export interface ImageTokenizer extends Tokenizer<Image> {
  /** Of the images that it takes and gives. */
  readonly height: number
  readonly width: number
  /** 1: gray; 3: red, green, blue. */
  readonly channels: number
  /** How far a decoded intensity may lie from the one that was encoded, of 0 … 255; 0: nothing is lost. Undefined: no bound is known. */
  readonly largestError?: number
  /** Of real values: the width of the interval of one level (dequantization.ts). Absent: values are levels. */
  readonly levelWidth?: number
}

export interface SizeOptions {
  height: number
  width: number
}

export interface DequantizedOptions {
  /** Real values, for `gaussianMixture()`: each level becomes an interval of numbers in −1 … 1 (false). */
  dequantized?: boolean
}

/** Variables on a grid, in raster order of positions. */
export function gridDomain(rows: number, columns: number, components: number, values: Domain['values']): Domain {
  return { length: rows * columns, components, values, locations: { axes: ['row', 'column'], shape: [rows, columns] } }
}

export function checkLevels(owner: string, levels: unknown): number {
  return wholeNumber(owner, 'levels', levels, 2, 256)
}

/** Intensities 0 … 255 ↔ levels 0 … L−1: the nearest level; its intensity is that of a scale from 0 to 255 in equal steps. */
export interface Quantization {
  readonly levelOf: Uint8Array
  readonly intensityOf: Uint8Array
  readonly largestError: number
}

export function quantization(levels: number): Quantization {
  const levelOf = Uint8Array.from({ length: 256 }, (_, intensity) => Math.round((intensity * (levels - 1)) / 255))
  const intensityOf = Uint8Array.from({ length: levels }, (_, level) => Math.round((level * 255) / (levels - 1)))
  return { levelOf, intensityOf, largestError: levelOf.reduce((most, level, intensity) => Math.max(most, Math.abs(intensityOf[level] - intensity)), 0) }
}

/**
 * How a level stands among the values of a component: as it is, or (`dequantized`) as an interval of real numbers,
 *
 *   2 l/L − 1 ≤ x < 2 (l + 1)/L − 1       all levels together fill −1 … 1; encode gives the middle
 *
 * so that ∫ p over an interval is the probability of its level. dequantization.ts has what that means for training and measuring.
 */
export interface LevelValues {
  readonly values: Domain['values']
  /** The width of an interval, 2/L; absent: levels stand as they are. */
  readonly levelWidth?: number
  /** Room for that many values. */
  empty(size: number): Values
  valueOf(level: number): number
  /** The level whose interval holds x, or the nearest. */
  levelOf(value: number): number
}

export function levelValues(owner: string, levels: number, dequantized: unknown = false): LevelValues {
  if (typeof dequantized !== 'boolean') throw new InvalidOptionError(`${owner}: dequantized must be true or false, got ${String(dequantized)}.`)
  if (!dequantized) return { values: levels, empty: (size) => new Int32Array(size), valueOf: (level) => level, levelOf: (value) => value }
  return {
    values: 'real',
    levelWidth: 2 / levels,
    empty: (size) => new Float32Array(size),
    valueOf: (level) => (2 * level + 1) / levels - 1,
    levelOf: (value) => Math.min(levels - 1, Math.max(0, Math.floor(((value + 1) * levels) / 2))),
  }
}

/** Checks tokens to be decoded: their number, and the range of each. @throws {InvalidDataError} */
export function checkTokens(owner: string, values: ArrayLike<number>, { length, components, values: V }: Domain): void {
  const expected = (length as number) * components
  if (values.length !== expected) throw new InvalidDataError(`${owner}: an image has ${expected} values, got ${values.length}.`)
  for (let i = 0; i < expected; i++) {
    if (V === 'real' ? !Number.isFinite(values[i]) : !Number.isInteger(values[i]) || values[i] < 0 || values[i] >= V) throw new InvalidDataError(`${owner}: value ${i} is ${values[i]}, expected ${V === 'real' ? 'a finite number' : `0 … ${V - 1}`}.`)
  }
}

export function checkChannels(owner: string, channels: unknown): 1 | 3 {
  if (channels !== 1 && channels !== 3) throw new InvalidOptionError(`${owner}: channels must be 1 (gray) or 3 (red, green, blue), got ${String(channels)}.`)
  return channels
}
