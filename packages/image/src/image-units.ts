/** The units of images' likelihood. */
import { bitsPerDimension, fixedLength } from '@chainrule/core'
import { type Dequantization, levelNats } from './dequantization.js'
import type { ImageTokenizer } from './tokenizers/index.js'

export interface ImageEvaluation {
  /** −log p of an image, the mean over all. */
  readonly nats: number
  /** Its standard error, which says how far the mean of other images of the same kind may lie from it; absent for one image. */
  readonly natsStandardError?: number
  /** By a component of a variable: by intensity, where the tokenizer's variables are pixels or patches; by pixel for a palette. */
  readonly bitsPerDimension: number
  /** Of one image. */
  readonly dimensions: number
  /** How many images. */
  readonly examples: number
  /** How far what is measured lies from the images' own intensities, at most; 0: nothing is lost. Absent: no bound is known. Bits with different losses do not compare. */
  readonly largestError?: number
  /**
   * Of real values (dequantization.ts): by which draws. `nats` and `bitsPerDimension` are then upper bounds, in the mean over the draws, on
   * −log P of the levels; `densityNats` is −log p of the density, which compares with no probability.
   */
  readonly bound?: Dequantization & { readonly densityNats: number }
}

/** How many numbers an image is. */
export const dimensionsOf = ({ domain }: ImageTokenizer): number => fixedLength(domain, 'image') * domain.components

/** All units, from the nats of each image; of real values those of the density, the mean of all draws. */
export function imageUnits(natsOfDensities: Float64Array, tokenizer: ImageTokenizer, dequantization: Dequantization): ImageEvaluation {
  const more = levelNats(tokenizer, dimensionsOf(tokenizer))
  const natsOfImages = natsOfDensities.map((each) => each + more)
  const { length } = natsOfImages
  const nats = natsOfImages.reduce((sum, each) => sum + each, 0) / length
  const squares = natsOfImages.reduce((sum, each) => sum + (each - nats) ** 2, 0)
  const dimensions = dimensionsOf(tokenizer)
  return {
    nats,
    ...(length > 1 && { natsStandardError: Math.sqrt(squares / (length - 1) / length) }),
    bitsPerDimension: bitsPerDimension(nats, dimensions),
    dimensions,
    examples: length,
    ...(tokenizer.largestError !== undefined && { largestError: tokenizer.largestError }),
    ...(tokenizer.levelWidth !== undefined && { bound: { ...dequantization, densityNats: nats - more } }),
  }
}
