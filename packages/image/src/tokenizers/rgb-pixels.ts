/** One variable for each pixel of a colour image, of three components: red, green and blue, or a reversible transform of them. */
import { InvalidOptionError, refuseUnknownOptions, wholeNumber } from '@chainrule/core'
import { checkImage } from '../image.js'
import { colorTransform, type ColorTransformName, colorTransformNames } from './color-transform.js'
import { checkLevels, checkTokens, gridDomain, type ImageTokenizer, quantization, type SizeOptions } from './tokenizer.js'

export interface RgbPixelsOptions extends SizeOptions {
  /** 2 … 256 of each channel (256). */
  levels?: number
  /** What the components are ('rgb'); color-transform.ts has the formulas. The others lose nothing either: their bits are those of rgb. */
  colors?: ColorTransformName
}

export function rgbPixels(options: RgbPixelsOptions): ImageTokenizer {
  refuseUnknownOptions('rgbPixels', options, ['height', 'width', 'levels', 'colors'])
  const [height, width] = [wholeNumber('rgbPixels', 'height', options.height), wholeNumber('rgbPixels', 'width', options.width)]
  const levels = checkLevels('rgbPixels', options.levels ?? 256)
  const { colors = 'rgb' } = options
  if (!colorTransformNames.includes(colors)) throw new InvalidOptionError(`rgbPixels: colors must be one of ${colorTransformNames.join(', ')}, got ${JSON.stringify(colors)}.`)
  const { levelOf, intensityOf, largestError } = quantization(levels)
  const transform = colorTransform(colors, levels)
  const size = { height, width, channels: 3 }
  const domain = gridDomain(height, width, 3, levels)
  return {
    name: 'rgbPixels',
    options: { height, width, levels, colors },
    domain,
    ...size,
    largestError,
    encode(image) {
      checkImage('rgbPixels', image, size)
      const values = new Int32Array(image.data.length)
      for (let i = 0; i < values.length; i += 3) values.set(transform.forward(levelOf[image.data[i]], levelOf[image.data[i + 1]], levelOf[image.data[i + 2]]), i)
      return values
    },
    decode(values) {
      checkTokens('rgbPixels', values, domain)
      const data = new Uint8Array(values.length)
      for (let i = 0; i < data.length; i += 3) data.set(transform.inverse(values[i], values[i + 1], values[i + 2]).map((level) => intensityOf[level]), i)
      return { ...size, data }
    },
  }
}
