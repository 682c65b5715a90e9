/**
 * One variable for each patch of k × k pixels, its components the pixels' channels, row by row within the patch. A grid of fewer
 * variables: a sequence is k² times shorter, and each step says k² times more.
 */
import { InvalidOptionError, refuseUnknownOptions, wholeNumber } from '@chainrule/core'
import { checkImage } from '../image.js'
import { checkChannels, checkLevels, checkTokens, type DequantizedOptions, gridDomain, type ImageTokenizer, levelValues, quantization, type SizeOptions } from './tokenizer.js'

export interface PatchesOptions extends SizeOptions, DequantizedOptions {
  /** k, which divides height and width. */
  size: number
  /** 1 or 3 (3). */
  channels?: 1 | 3
  /** 2 … 256 (256). */
  levels?: number
}

export function patches(options: PatchesOptions): ImageTokenizer {
  refuseUnknownOptions('patches', options, ['height', 'width', 'size', 'channels', 'levels', 'dequantized'])
  const [height, width, size] = (['height', 'width', 'size'] as const).map((option) => wholeNumber('patches', option, options[option]))
  const channels = checkChannels('patches', options.channels ?? 3)
  const levels = checkLevels('patches', options.levels ?? 256)
  if (height % size || width % size) {
    const divisors = Array.from({ length: Math.min(height, width) }, (_, i) => i + 1).filter((k) => height % k === 0 && width % k === 0)
    throw new InvalidOptionError(`patches: patches of ${size} × ${size} do not fill an image of ${height} × ${width}. Sizes that do: ${divisors.join(', ')}. Or resize the images (readImages has resize).`)
  }
  const { levelOf, intensityOf, largestError } = quantization(levels)
  const image = { height, width, channels }
  const [rows, columns] = [height / size, width / size]
  const { values, levelWidth, empty, ...coded } = levelValues('patches', levels, options.dequantized)
  const domain = gridDomain(rows, columns, size * size * channels, values)
  /** Where each value is in the image's data. */
  const places = Int32Array.from({ length: height * width * channels }, (_, i) => {
    const channel = i % channels
    const pixel = Math.floor(i / channels)
    const [column, row] = [pixel % size, Math.floor(pixel / size) % size]
    const patch = Math.floor(pixel / (size * size))
    return ((Math.floor(patch / columns) * size + row) * width + (patch % columns) * size + column) * channels + channel
  })
  return {
    name: 'patches',
    options: { height, width, size, channels, levels, ...(levelWidth && { dequantized: true }) },
    domain,
    ...image,
    largestError,
    levelWidth,
    encode(given) {
      checkImage('patches', given, image)
      const x = empty(places.length)
      places.forEach((place, i) => (x[i] = coded.valueOf(levelOf[given.data[place]])))
      return x
    },
    decode(values) {
      checkTokens('patches', values, domain)
      const data = new Uint8Array(places.length)
      places.forEach((place, i) => (data[place] = intensityOf[coded.levelOf(values[i])]))
      return { ...image, data }
    },
  }
}
