/** `score` of an opened model: −log p of images, pixel by pixel, and as pictures. No tensors: also for browsers. */
import { bitsPerDimension, finiteNumber, InvalidDataError, manifestCondition, refuseUnknownOptions, throwIfInterrupted, wholeNumber } from '@chainrule/core'
import { checkDequantization, dequantized, levelNats } from './dequantization.js'
import { encodeImages, joinedImages } from './encode-images.js'
import type { Image, ImageSet } from './image.js'
import { dimensionsOf } from './image-units.js'
import type { LoadedImage } from './loaded.js'
import { pixelsOfVariables } from './pixels-of-variables.js'
import { rampColor } from './ramp.js'

export interface ScoreImageOptions {
  signal?: AbortSignal
}

export interface ImageScore {
  readonly height: number
  readonly width: number
  /** −log p of the image; of real values a bound on it, by one draw of seed 0 (dequantization.ts). */
  readonly nats: number
  readonly bitsPerDimension: number
  /** −log p of each variable given those before it in the order, by position. */
  readonly natsOfVariables: Float32Array
  /** Bits of each pixel, row by row; the pixels of a patch share its bits evenly. */
  readonly bitsOfPixels: Float32Array
}

/** Images that are scored in one run. */
const imagesAtOnce = 32

/** −log p of each image, and of each of its pixels given what comes before it in the order. @throws {InvalidDataError} for an image of another size */
export async function score({ tokenizer, manifest, opened }: LoadedImage, images: ImageSet, options: ScoreImageOptions = {}): Promise<ImageScore[]> {
  refuseUnknownOptions('score', options, ['signal'])
  const { signal } = options
  const { height, width } = tokenizer
  const data = dequantized(tokenizer, encodeImages(tokenizer, images, 'score', manifestCondition(manifest)), checkDequantization('score'))
  const more = levelNats(tokenizer, tokenizer.domain.components)
  const variables = pixelsOfVariables(tokenizer)
  const pixelsOfOne = variables[0].length
  const result: ImageScore[] = []
  while (result.length < data.length) {
    throwIfInterrupted(signal, 'score')
    const from = result.length
    const count = Math.min(imagesAtOnce, data.length - from)
    const nats = await opened.score({ ...joinedImages(data, from, count), signal })
    for (let which = 0; which < count; which++) {
      const natsOfVariables = nats.slice(which * variables.length, (which + 1) * variables.length).map((each) => each + more)
      const bitsOfPixels = new Float32Array(height * width)
      natsOfVariables.forEach((each, position) => variables[position].forEach((pixel) => (bitsOfPixels[pixel] = each / Math.LN2 / pixelsOfOne)))
      const total = natsOfVariables.reduce((sum, each) => sum + each, 0)
      result.push({ height, width, nats: total, bitsPerDimension: bitsPerDimension(total, dimensionsOf(tokenizer)), natsOfVariables, bitsOfPixels })
    }
  }
  return result
}

export interface BitMapOptions {
  /** The bits of a pixel that are shown in the last colour, as are all above; the most of any pixel where absent. */
  mostBits?: number
  /** Each pixel becomes a square of this many (1). */
  scale?: number
}

/** A score as a picture: each pixel has the colour of its bits, from dark blue (0) over magenta to yellow (`mostBits`). @throws {InvalidDataError} for no pixel */
export function bitMap({ height, width, bitsOfPixels }: ImageScore, options: BitMapOptions = {}): Image {
  refuseUnknownOptions('bitMap', options, ['mostBits', 'scale'])
  if (bitsOfPixels.length === 0 || bitsOfPixels.length !== height * width) throw new InvalidDataError(`bitMap: ${height} × ${width} pixels need as many bits, got ${bitsOfPixels.length}.`)
  const most = finiteNumber('bitMap', 'mostBits', options.mostBits ?? bitsOfPixels.reduce((most, bits) => Math.max(most, bits), 0), 0)
  const scale = wholeNumber('bitMap', 'scale', options.scale ?? 1)
  const [rows, columns] = [height * scale, width * scale]
  const data = new Uint8Array(rows * columns * 3)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const bits = bitsOfPixels[Math.floor(row / scale) * width + Math.floor(column / scale)]
      data.set(rampColor(most === 0 ? 0 : Math.min(1, bits / most)), (row * columns + column) * 3)
    }
  }
  return { height: rows, width: columns, channels: 3, data }
}
