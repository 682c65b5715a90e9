/** One variable for each pixel of a gray image: its intensity, in all 256 levels or fewer. Two levels make it black and white. */
import { refuseUnknownOptions, wholeNumber } from '@chainrule/core'
import { checkImage } from '../image.js'
import { checkLevels, checkTokens, gridDomain, type ImageTokenizer, quantization, type SizeOptions } from './tokenizer.js'

export interface PixelsOptions extends SizeOptions {
  /** 2 … 256 (256). An intensity becomes the nearest level: of two, black up to 127 and white from 128. */
  levels?: number
}

export function pixels(options: PixelsOptions): ImageTokenizer {
  refuseUnknownOptions('pixels', options, ['height', 'width', 'levels'])
  const [height, width] = [wholeNumber('pixels', 'height', options.height), wholeNumber('pixels', 'width', options.width)]
  const levels = checkLevels('pixels', options.levels ?? 256)
  const { levelOf, intensityOf, largestError } = quantization(levels)
  const size = { height, width, channels: 1 }
  const domain = gridDomain(height, width, 1, levels)
  return {
    name: 'pixels',
    options: { height, width, levels },
    domain,
    ...size,
    largestError,
    encode(image) {
      checkImage('pixels', image, size)
      return new Int32Array(image.data).map((intensity) => levelOf[intensity])
    },
    decode(values) {
      checkTokens('pixels', values, domain)
      return { ...size, data: Uint8Array.from(values, (level) => intensityOf[level]) }
    },
  }
}
