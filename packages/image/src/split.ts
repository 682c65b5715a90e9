/** Parts of a set of images, drawn by a seed: to train on, to validate with, held out to measure with. */
import { checkSeed, finiteNumber, InvalidDataError, InvalidOptionError, refuseUnknownOptions, shuffled } from '@chainrule/core'
import type { Images, ImageSet } from './image.js'

export interface SplitOptions {
  seed: number
  /** The part that is never trained on, 0 … 0.9. */
  heldOut: number
  /** The part, of all, that validates, 0 … 0.5 (0). */
  validation?: number
}

export interface Split {
  readonly training: Images
  readonly validation: Images
  readonly heldOut: Images
}

/** The same images fall into the same parts for the same seed; within a part they keep their order. @throws {InvalidOptionError} where nothing is left for a part that was asked for */
export function splitImages(images: ImageSet, options: SplitOptions): Split {
  refuseUnknownOptions('splitImages', options, ['seed', 'heldOut', 'validation'])
  const { length } = images
  const seed = checkSeed('splitImages', options.seed)
  const heldOut = Math.round(length * finiteNumber('splitImages', 'heldOut', options.heldOut, 0, 0.9))
  const validation = Math.round(length * finiteNumber('splitImages', 'validation', options.validation ?? 0, 0, 0.5))
  if (length === 0) throw new InvalidDataError('splitImages: got no image. Give at least one.')
  if ((options.heldOut > 0 && heldOut === 0) || ((options.validation ?? 0) > 0 && validation === 0) || heldOut + validation >= length) {
    throw new InvalidOptionError(`splitImages: of ${length} images ${heldOut} would be held out, ${validation} would validate and ${Math.max(0, length - heldOut - validation)} be left to train on. Choose other parts, or give more images.`)
  }
  const places = shuffled(seed, 'evaluation', length)
  const part = (begin: number, end: number): Images => {
    const chosen = places.slice(begin, end).sort()
    return { length: chosen.length, at: (index) => images.at(chosen[index])! }
  }
  return { heldOut: part(0, heldOut), validation: part(heldOut, heldOut + validation), training: part(heldOut + validation, length) }
}
