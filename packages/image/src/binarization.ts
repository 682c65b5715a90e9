/**
 * Dynamic binarisation: a pixel of intensity g becomes white with probability g/255, anew in each draw (Salakhutdinov, Murray 2008).
 * The bits are addressed noise: those of (seed, image, pixel, draw), in whatever order they are asked for. Results are not to be compared
 * with those of a fixed threshold (`pixels({ levels: 2 })`) or of one fixed draw (`draws: 1`).
 */
import { checkSeed, refuseUnknownOptions, uniform, wholeNumber } from '@chainrule/core'
import type { Images, ImageSet } from './image.js'

export interface BinarizedOptions {
  seed: number
  /** How many binarisations there are of each image (1). For training many: each is an example of its own. */
  draws?: number
}

/** length × draws images of intensities 0 and 255: number i is image i mod length, draw ⌊i / length⌋. */
export function binarized(images: ImageSet, options: BinarizedOptions): Images {
  refuseUnknownOptions('binarized', options, ['seed', 'draws'])
  const seed = checkSeed('binarized', options.seed)
  const draws = wholeNumber('binarized', 'draws', options.draws ?? 1)
  return {
    length: images.length * draws,
    at(index) {
      const [which, draw] = [index % images.length, Math.floor(index / images.length)]
      const image = images.at(which)!
      // Black and white stay what they are whatever the noise, which is most of what drawing costs; most pixels of digits are black.
      const bit = (intensity: number, i: number) => (intensity === 0 || intensity === 255 ? intensity : uniform(seed, 'binarization', which, i, draw) < intensity / 255 ? 255 : 0)
      return { ...image, data: image.data.map(bit) }
    },
  }
}
