/** One variable for each pixel of a gray image: its intensity, in all 256 levels or fewer. Two levels make it black and white. */
import { refuseUnknownOptions, wholeNumber } from '@chainrule/core'
import { checkImage } from '../image.js'
import { checkLevels, checkTokens, type DequantizedOptions, gridDomain, type ImageTokenizer, levelValues, quantization, type SizeOptions } from './tokenizer.js'

export interface PixelsOptions extends SizeOptions, DequantizedOptions {
  /** 2 … 256 (256). An intensity becomes the nearest level: of two, black up to 127 and white from 128. */
  levels?: number
}

export function pixels(options: PixelsOptions): ImageTokenizer {
  refuseUnknownOptions('pixels', options, ['height', 'width', 'levels', 'dequantized'])
  const [height, width] = [wholeNumber('pixels', 'height', options.height), wholeNumber('pixels', 'width', options.width)]
  const levels = checkLevels('pixels', options.levels ?? 256)
  const { levelOf, intensityOf, largestError } = quantization(levels)
  const size = { height, width, channels: 1 }
  const { values, levelWidth, empty, ...coded } = levelValues('pixels', levels, options.dequantized)
  const domain = gridDomain(height, width, 1, values)
  return {
    name: 'pixels',
    options: { height, width, levels, ...(levelWidth && { dequantized: true }) },
    domain,
    ...size,
    largestError,
    levelWidth,
    encode(image) {
      checkImage('pixels', image, size)
      const x = empty(image.data.length)
      for (let i = 0; i < x.length; i++) x[i] = coded.valueOf(levelOf[image.data[i]])
      return x
    },
    decode(values) {
      checkTokens('pixels', values, domain)
      return { ...size, data: Uint8Array.from(values, (value) => intensityOf[coded.levelOf(value)]) }
    },
  }
}
