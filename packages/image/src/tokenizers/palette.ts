/**
 * One variable of one component for each pixel of a colour image: the nearest colour of a palette, as Image GPT has it (Chen et al. 2020).
 * Short and lossy: its bits speak of palette colours and are never to be compared with those of RGB; `rootMeanSquareError` says what is lost.
 *
 * A palette is learned by k-means: Lloyd 1982, begun by k-means++ (Arthur, Vassilvitskii 2007), on the distinct colours, each as
 * often as it occurs. A function of the images and the seed alone.
 */
import { checkSeed, InvalidDataError, InvalidOptionError, refuseUnknownOptions, uniform, wholeNumber } from '@chainrule/core'
import { checkImage, type Image, type ImageSet } from '../image.js'
import { checkTokens, gridDomain, type ImageTokenizer, type SizeOptions } from './tokenizer.js'

export interface PaletteOptions extends SizeOptions {
  /** Red, green, blue, 0 … 255 each; all different, at least two. */
  colors: readonly (readonly number[])[]
}

const squaredDistance = (a: ArrayLike<number>, b: ArrayLike<number>) => (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2

/** The index of the nearest colour, of equally near ones the first. */
function nearest(color: ArrayLike<number>, colors: readonly ArrayLike<number>[]): number {
  let best = 0
  let least = Infinity
  colors.forEach((candidate, i) => {
    const distance = squaredDistance(color, candidate)
    if (distance < least) [best, least] = [i, distance]
  })
  return best
}

const codeOf = (data: ArrayLike<number>, at: number) => (data[at] << 16) | (data[at + 1] << 8) | data[at + 2]
const colorOf = (code: number) => [code >> 16, (code >> 8) & 255, code & 255]

export function palette(options: PaletteOptions): ImageTokenizer {
  refuseUnknownOptions('palette', options, ['height', 'width', 'colors'])
  const [height, width] = [wholeNumber('palette', 'height', options.height), wholeNumber('palette', 'width', options.width)]
  const isColor = (color: unknown) => Array.isArray(color) && color.length === 3 && color.every((channel) => Number.isInteger(channel) && channel >= 0 && channel <= 255)
  if (!Array.isArray(options.colors) || !options.colors.every(isColor)) throw new InvalidOptionError('palette: colors must be a list of [red, green, blue], whole numbers from 0 to 255. trainPalette learns them from images.')
  const colors = options.colors.map((color) => [...color])
  if (colors.length < 2 || new Set(colors.map((color) => codeOf(color, 0))).size < colors.length) throw new InvalidOptionError(`palette: at least 2 colours are needed, all of them different; got ${colors.length}.`)
  const size = { height, width, channels: 3 }
  const domain = gridDomain(height, width, 1, colors.length)
  const known = new Map<number, number>()
  const valueOf = (code: number) => {
    const value = known.get(code) ?? nearest(colorOf(code), colors)
    known.set(code, value)
    return value
  }
  return {
    name: 'palette',
    options: { height, width, colors },
    domain,
    ...size,
    encode(image) {
      checkImage('palette', image, size)
      return Int32Array.from({ length: height * width }, (_, pixel) => valueOf(codeOf(image.data, 3 * pixel)))
    },
    decode(values) {
      checkTokens('palette', values, domain)
      return { ...size, data: Uint8Array.from(Array.from(values).flatMap((value) => colors[value])) }
    },
  }
}

export interface TrainPaletteOptions {
  /** How many (512). */
  colors?: number
  seed: number
  /** Rounds of k-means at most; it ends when nothing changes (50). */
  rounds?: number
}

/** Colours for `palette`, in the order of red, green, blue. @throws {InvalidDataError} where the images have fewer different colours */
export function trainPalette(images: ImageSet, options: TrainPaletteOptions): number[][] {
  refuseUnknownOptions('trainPalette', options, ['colors', 'seed', 'rounds'])
  const seed = checkSeed('trainPalette', options.seed)
  const count = wholeNumber('trainPalette', 'colors', options.colors ?? 512, 2)
  const rounds = wholeNumber('trainPalette', 'rounds', options.rounds ?? 50)
  const occurrences = new Map<number, number>()
  for (let i = 0; i < images.length; i++) {
    const image = images.at(i)!
    checkImage('trainPalette', image, { ...image, channels: 3 })
    for (let at = 0; at < image.data.length; at += 3) occurrences.set(codeOf(image.data, at), (occurrences.get(codeOf(image.data, at)) ?? 0) + 1)
  }
  const seen = [...occurrences].sort(([a], [b]) => a - b).map(([code, weight]) => ({ color: colorOf(code), weight }))
  if (seen.length < count) throw new InvalidDataError(`trainPalette: the images have ${seen.length} different colours, fewer than the ${count} asked for. Ask for at most ${seen.length}.`)

  // k-means++: each next centre is a colour drawn in proportion to its weight and its squared distance from the centres so far.
  const distances = seen.map(() => Infinity)
  const centers: number[][] = []
  while (centers.length < count) {
    const weights = seen.map(({ weight }, i) => weight * (centers.length ? distances[i] : 1))
    let left = uniform(seed, 'palette', centers.length) * weights.reduce((sum, weight) => sum + weight, 0)
    let chosen = weights.findIndex((weight) => (left -= weight) < 0)
    // Rounding may leave the last uniform without a colour.
    if (chosen < 0) chosen = weights.reduce((best, weight, i) => (weight > weights[best] ? i : best), 0)
    centers.push(seen[chosen].color)
    seen.forEach(({ color }, i) => (distances[i] = Math.min(distances[i], squaredDistance(color, seen[chosen].color))))
  }
  let assigned = new Int32Array(seen.length).fill(-1)
  for (let round = 0; round < rounds; round++) {
    const next = Int32Array.from(seen, ({ color }) => nearest(color, centers))
    if (next.every((center, i) => center === assigned[i])) break
    assigned = next
    const sums = centers.map(() => [0, 0, 0, 0])
    seen.forEach(({ color, weight }, i) => [...color, 1].forEach((value, channel) => (sums[next[i]][channel] += weight * value)))
    sums.forEach(([red, green, blue, weight], i) => {
      if (weight > 0) centers[i] = [red / weight, green / weight, blue / weight]
    })
  }
  // Two means may round to one colour; the palette then is that much smaller.
  const rounded = new Set(centers.map((center) => codeOf(center.map(Math.round), 0)))
  return [...rounded].sort((a, b) => a - b).map(colorOf)
}

/** √ of the mean squared difference of two images' intensities, of 0 … 255. @throws {InvalidDataError} for different sizes */
export function rootMeanSquareError(a: Image, b: Image): number {
  checkImage('rootMeanSquareError', b, a)
  return Math.sqrt(a.data.reduce((sum, value, i) => sum + (value - b.data[i]) ** 2, 0) / a.data.length)
}
