/** One variable for each pixel of a colour image, of three components: red, green and blue, or a reversible transform of them. */
import { InvalidOptionError, refuseUnknownOptions, wholeNumber } from '@chainrule/core'
import { checkImage } from '../image.js'
import { colorTransform, type ColorTransformName, colorTransformNames } from './color-transform.js'
import { checkLevels, checkTokens, type DequantizedOptions, gridDomain, type ImageTokenizer, levelValues, quantization, type SizeOptions } from './tokenizer.js'

export interface RgbPixelsOptions extends SizeOptions, DequantizedOptions {
  /** 2 … 256 of each channel (256). */
  levels?: number
  /** What the components are ('rgb'); color-transform.ts has the formulas. The others lose nothing either: their bits are those of rgb. */
  colors?: ColorTransformName
}

export function rgbPixels(options: RgbPixelsOptions): ImageTokenizer {
  refuseUnknownOptions('rgbPixels', options, ['height', 'width', 'levels', 'colors', 'dequantized'])
  const [height, width] = [wholeNumber('rgbPixels', 'height', options.height), wholeNumber('rgbPixels', 'width', options.width)]
  const levels = checkLevels('rgbPixels', options.levels ?? 256)
  const { colors = 'rgb' } = options
  if (!colorTransformNames.includes(colors)) throw new InvalidOptionError(`rgbPixels: colors must be one of ${colorTransformNames.join(', ')}, got ${JSON.stringify(colors)}.`)
  const { levelOf, intensityOf, largestError } = quantization(levels)
  const transform = colorTransform(colors, levels)
  const size = { height, width, channels: 3 }
  const { values, levelWidth, empty, ...coded } = levelValues('rgbPixels', levels, options.dequantized)
  const domain = gridDomain(height, width, 3, values)
  return {
    name: 'rgbPixels',
    options: { height, width, levels, colors, ...(levelWidth && { dequantized: true }) },
    domain,
    ...size,
    largestError,
    levelWidth,
    encode(image) {
      checkImage('rgbPixels', image, size)
      const x = empty(image.data.length)
      for (let i = 0; i < x.length; i += 3) x.set(transform.forward(levelOf[image.data[i]], levelOf[image.data[i + 1]], levelOf[image.data[i + 2]]).map(coded.valueOf), i)
      return x
    },
    decode(x) {
      checkTokens('rgbPixels', x, domain)
      const level = (at: number) => coded.levelOf(x[at])
      const data = new Uint8Array(x.length)
      for (let i = 0; i < data.length; i += 3) data.set(transform.inverse(level(i), level(i + 1), level(i + 2)).map((level) => intensityOf[level]), i)
      return { ...size, data }
    },
  }
}
