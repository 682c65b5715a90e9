/** Images as examples: each becomes its variables, with its label where the model is told one, when it is asked for. */
import { type Condition, InvalidDataError, labelNumber, type Values } from '@chainrule/core'
import type { Example } from '@chainrule/train'
import type { Image, ImageSet } from './image.js'
import type { ImageTokenizer } from './tokenizers/index.js'

/** @throws {InvalidDataError} for no image; for one of another size or without a label that is needed, naming it: at once where the images are an array, else when it is asked for */
export function encodeImages(tokenizer: ImageTokenizer, images: ImageSet, owner: string, condition?: Condition): { readonly length: number; at(index: number): Pick<Example, 'x' | 'condition'> } {
  if (images.length === 0) throw new InvalidDataError(`${owner}: got no image. Give at least one.`)
  const at = (index: number) => {
    const image = images.at(index)!
    try {
      return { x: tokenizer.encode(image), ...(condition && { condition: Int32Array.of(labelOf(image, condition)) }) }
    } catch (error) {
      throw error instanceof InvalidDataError ? new InvalidDataError(`${owner}: image ${index}: ${error.message}`, { cause: error }) : error
    }
  }
  if (Array.isArray(images)) images.forEach((_, index) => at(index)) // or it would fail after hours
  return { length: images.length, at }
}

function labelOf({ label }: Image, condition: Condition): number {
  if (label === undefined) throw new InvalidDataError(`has no label, but the model was made for p(image | label). Give each image its label: readIdx with labels, readLabelledImages, or { ...image, label }.`)
  return labelNumber('its label', condition, label)
}

/** Images `from` … `from + count − 1`, one after the other: their variables [count, d, C], and their labels where there are any. */
export function joinedImages(data: Pick<ReturnType<typeof encodeImages>, 'at'>, from: number, count: number): { readonly x: Values; readonly condition?: Int32Array } {
  const rows = Array.from({ length: count }, (_, which) => data.at(from + which))
  const size = count * rows[0].x.length
  const x = rows[0].x instanceof Float32Array ? new Float32Array(size) : new Int32Array(size)
  rows.forEach((row, which) => x.set(row.x, which * row.x.length))
  return { x, ...(rows[0].condition && { condition: Int32Array.from(rows, ({ condition }) => condition![0]) }) }
}
