/** An image tokenizer: an image of one size ↔ variables on a grid of rows and columns. Free of tensors. */
import { type Domain, InvalidDataError, InvalidOptionError, type Tokenizer, wholeNumber } from '@chainrule/core'
import type { Image } from '../image.js'

export interface ImageTokenizer extends Tokenizer<Image> {
  /** Of the images that it takes and gives. */
  readonly height: number
  readonly width: number
  /** 1: gray; 3: red, green, blue. */
  readonly channels: number
  /** How far a decoded intensity may lie from the one that was encoded, of 0 … 255; 0: nothing is lost. Undefined: no bound is known. */
  readonly largestError?: number
}

export interface SizeOptions {
  height: number
  width: number
}

/** Variables on a grid, in raster order of positions. */
export function gridDomain(rows: number, columns: number, components: number, values: number): Domain {
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

/** Checks tokens to be decoded: their number, and the range of each. @throws {InvalidDataError} */
export function checkTokens(owner: string, values: ArrayLike<number>, { length, components, values: V }: Domain): void {
  const expected = (length as number) * components
  if (values.length !== expected) throw new InvalidDataError(`${owner}: an image has ${expected} values, got ${values.length}.`)
  for (let i = 0; i < expected; i++) {
    if (!Number.isInteger(values[i]) || values[i] < 0 || values[i] >= V) throw new InvalidDataError(`${owner}: value ${i} is ${values[i]}, expected 0 … ${V - 1}.`)
  }
}

export function checkChannels(owner: string, channels: unknown): 1 | 3 {
  if (channels !== 1 && channels !== 3) throw new InvalidOptionError(`${owner}: channels must be 1 (gray) or 3 (red, green, blue), got ${String(channels)}.`)
  return channels
}
