/** Images ↔ variables; no tensors, no native code: also for browsers. */
import { type Piece, UnknownPieceError } from '@chainrule/core'
import { palette } from './palette.js'
import { patches } from './patches.js'
import { pixels } from './pixels.js'
import { rgbPixels } from './rgb-pixels.js'
import type { ImageTokenizer } from './tokenizer.js'

export { checkImage, type Image, type Images, type ImageSet } from '../image.js'
export { colorTransform, type ColorTransform, type ColorTransformName } from './color-transform.js'
export { palette, type PaletteOptions, rootMeanSquareError, trainPalette, type TrainPaletteOptions } from './palette.js'
export { patches, type PatchesOptions } from './patches.js'
export { pixels, type PixelsOptions } from './pixels.js'
export { rgbPixels, type RgbPixelsOptions } from './rgb-pixels.js'
export type { ImageTokenizer } from './tokenizer.js'

const byName: Record<string, (options: never) => ImageTokenizer> = { palette, patches, pixels, rgbPixels }

/** The tokenizer that a file names. @throws {UnknownPieceError} */
export function tokenizerFromName({ name, options }: Piece): ImageTokenizer {
  const make = Object.hasOwn(byName, name) ? byName[name] : undefined
  if (!make) throw new UnknownPieceError(`No image tokenizer is called "${name}". Known: ${Object.keys(byName).join(', ')}.`)
  return make(options as never)
}
