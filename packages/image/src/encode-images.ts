/** Images as examples: each becomes its variables when it is asked for. */
import { InvalidDataError } from '@chainrule/core'
import type { ImageSet } from './image.js'
import type { ImageTokenizer } from './tokenizers/index.js'

/** @throws {InvalidDataError} for no image; for one of another size, naming it: at once where the images are an array, else when it is asked for */
export function encodeImages(tokenizer: ImageTokenizer, images: ImageSet, owner: string): { readonly length: number; at(index: number): { readonly x: Int32Array } } {
  if (images.length === 0) throw new InvalidDataError(`${owner}: got no image. Give at least one.`)
  const at = (index: number) => {
    try {
      return { x: tokenizer.encode(images.at(index)!) }
    } catch (error) {
      throw error instanceof InvalidDataError ? new InvalidDataError(`${owner}: image ${index}: ${error.message}`, { cause: error }) : error
    }
  }
  if (Array.isArray(images)) images.forEach((_, index) => at(index)) // or it would fail after hours
  return { length: images.length, at }
}

/** The variables of images `from` … `from + count − 1`, one image after the other: int32 [count, d, C]. */
export function joinedImages(data: ReturnType<typeof encodeImages>, from: number, count: number): Int32Array {
  const rows = Array.from({ length: count }, (_, which) => data.at(from + which).x)
  const all = new Int32Array(count * rows[0].length)
  rows.forEach((row, which) => all.set(row, which * row.length))
  return all
}
