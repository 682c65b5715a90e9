/** Parts of a set of images, drawn by a seed: to train on, to validate with, held out to measure with. */
import { splitPlaces, type SplitOptions } from '@chainrule/modality'
import type { Images, ImageSet } from './image.js'

export type { SplitOptions } from '@chainrule/modality'

export interface Split {
  readonly training: Images
  readonly validation: Images
  readonly heldOut: Images
}

/** The same images fall into the same parts for the same seed; within a part they keep their order. @throws {InvalidOptionError} where nothing is left for a part that was asked for */
export function splitImages(images: ImageSet, options: SplitOptions): Split {
  const { training, validation, heldOut } = splitPlaces('splitImages', 'image', images.length, options)
  const part = (places: Int32Array): Images => ({ length: places.length, at: (index) => images.at(places[index])! })
  return { training: part(training), validation: part(validation), heldOut: part(heldOut) }
}
