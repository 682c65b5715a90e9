import { checkDomain, InvalidDataError, InvalidOptionError, uniform, UnknownPieceError } from '@chainrule/core'
import { describe, expect, it } from 'vitest'
import { binarized, colorTransform, type Image, type ImageTokenizer, palette, patches, pixels, rgbPixels, rootMeanSquareError, tokenizerFromName, trainPalette } from '../src/index.js'

/** An image of random intensities, the same for the same seed. */
const noise = (height: number, width: number, channels: number, seed = 1): Image => ({
  height,
  width,
  channels,
  data: Uint8Array.from({ length: height * width * channels }, (_, i) => Math.floor(256 * uniform(seed, 'batches', 0, i))),
})
const withoutLabel = ({ height, width, channels, data }: Image) => ({ height, width, channels, data })

const sizes = [[1, 1], [1, 9], [9, 1], [5, 7], [8, 6]]
const tokenizers: ImageTokenizer[] = sizes.flatMap(([height, width]) => [
  pixels({ height, width }),
  ...[2, 3, 16, 255].map((levels) => pixels({ height, width, levels })),
  ...(['rgb', 'subtractGreen', 'yCoCgR'] as const).flatMap((colors) => [256, 7, 2].map((levels) => rgbPixels({ height, width, levels, colors }))),
  patches({ height, width, size: 1 }),
  ...[2, 16, 256].map((levels) => pixels({ height, width, levels, dequantized: true })),
  rgbPixels({ height, width, levels: 7, colors: 'yCoCgR', dequantized: true }),
  patches({ height, width, size: 1, dequantized: true }),
  palette({ height, width, colors: [[0, 0, 0], [255, 0, 0], [250, 255, 255], [20, 30, 200]] }),
])
tokenizers.push(patches({ height: 6, width: 9, size: 3 }), patches({ height: 4, width: 8, size: 2, channels: 1, levels: 5 }), patches({ height: 5, width: 5, size: 5, levels: 2 }))

describe('every tokenizer', () => {
  it.each(tokenizers.map((tokenizer): [string, ImageTokenizer] => [`${tokenizer.name} ${JSON.stringify(tokenizer.options)}`, tokenizer]))('%s', (_, tokenizer) => {
    const { height, width, channels, domain, largestError } = tokenizer
    const { length, components, values } = checkDomain(domain)
    expect(tokenizerFromName(JSON.parse(JSON.stringify({ name: tokenizer.name, options: tokenizer.options }))).domain).toEqual(domain)
    for (let seed = 1; seed <= 4; seed++) {
      const image = noise(height, width, channels, seed)
      const encoded = tokenizer.encode(image)
      expect(encoded.length).toBe((length as number) * components)
      expect(encoded.every((value) => (values === 'real' ? Math.abs(value) < 1 : value >= 0 && value < values))).toBe(true)
      const decoded = tokenizer.decode(encoded)
      expect(decoded).toMatchObject({ height, width, channels })
      expect(decoded.data.length).toBe(image.data.length)
      if (largestError !== undefined) expect(Math.max(...decoded.data.map((value, i) => Math.abs(value - image.data[i])))).toBeLessThanOrEqual(largestError)
      expect(tokenizer.encode(decoded)).toEqual(encoded)
      // Any tokens are an image: encode(decode(t)) = t.
      if (values === 'real') continue // within the interval of a level every number is the same image
      const tokens = Int32Array.from({ length: encoded.length }, (_, i) => Math.floor(values * uniform(seed, 'batches', 1, i)))
      expect(tokenizer.encode(tokenizer.decode(tokens))).toEqual(tokens)
    }
  })
  it('loses nothing with all 256 levels, and says what it loses with fewer', () => {
    const errors = [256, 255, 16, 3, 2].map((levels) => pixels({ height: 1, width: 1, levels }).largestError)
    expect(errors).toEqual([0, 1, 8, 64, 127])
    const every = { height: 16, width: 16, channels: 1, data: Uint8Array.from({ length: 256 }, (_, i) => i) }
    for (const levels of [2, 3, 16, 255]) {
      const tokenizer = pixels({ height: 16, width: 16, levels })
      const { data } = tokenizer.decode(tokenizer.encode(every))
      expect(Math.max(...data.map((value, i) => Math.abs(value - i)))).toBe(tokenizer.largestError)
    }
  })
})

describe('what the values mean', () => {
  it('pixels: the nearest level; of two, black up to 127', () => {
    const image = { height: 1, width: 4, channels: 1, data: Uint8Array.of(0, 127, 128, 255) }
    expect([...pixels({ height: 1, width: 4, levels: 2 }).encode(image)]).toEqual([0, 0, 1, 1])
    expect([...pixels({ height: 1, width: 4, levels: 2 }).decode([0, 1, 1, 0]).data]).toEqual([0, 255, 255, 0])
  })
  it('rgbPixels: a variable is a pixel, a component a channel', () => {
    const image = { height: 1, width: 2, channels: 3, data: Uint8Array.of(10, 20, 30, 200, 100, 0) }
    expect([...rgbPixels({ height: 1, width: 2 }).encode(image)]).toEqual([10, 20, 30, 200, 100, 0])
    expect([...rgbPixels({ height: 1, width: 2, colors: 'subtractGreen' }).encode(image)]).toEqual([20, 118, 138, 100, 228, 28])
    // Co = −20, t = 30 − 10 = 20, Cg = 0, Y = 20.
    expect([...rgbPixels({ height: 1, width: 2, colors: 'yCoCgR' }).encode(image)].slice(0, 3)).toEqual([20, 108, 128])
    expect(rgbPixels({ height: 3, width: 5 }).domain).toEqual({ length: 15, components: 3, values: 256, locations: { axes: ['row', 'column'], shape: [3, 5] } })
  })
  it('patches: a variable is a block, read row by row', () => {
    const image = { height: 4, width: 4, channels: 1, data: Uint8Array.from({ length: 16 }, (_, i) => i) }
    const tokenizer = patches({ height: 4, width: 4, size: 2, channels: 1 })
    expect([...tokenizer.encode(image)]).toEqual([0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15])
    expect(tokenizer.domain).toEqual({ length: 4, components: 4, values: 256, locations: { axes: ['row', 'column'], shape: [2, 2] } })
  })
  it('palette: the nearest colour', () => {
    const tokenizer = palette({ height: 1, width: 3, colors: [[0, 0, 0], [255, 255, 255], [255, 0, 0]] })
    expect([...tokenizer.encode({ height: 1, width: 3, channels: 3, data: Uint8Array.of(10, 0, 9, 200, 250, 240, 180, 60, 60) })]).toEqual([0, 1, 2])
  })
})

describe('colour transforms', () => {
  it('are bijections of all colours of 2 to 17 levels', () => {
    for (const name of ['rgb', 'subtractGreen', 'yCoCgR'] as const) {
      for (const levels of [2, 3, 8, 17]) {
        const { forward, inverse } = colorTransform(name, levels)
        const images = new Set<string>()
        for (let code = 0; code < levels ** 3; code++) {
          const color = [code % levels, Math.floor(code / levels) % levels, Math.floor(code / levels ** 2)] as const
          const transformed = forward(...color)
          expect(transformed.every((value) => value >= 0 && value < levels)).toBe(true)
          expect(inverse(...transformed)).toEqual([...color])
          images.add(String(transformed))
        }
        expect(images.size).toBe(levels ** 3)
      }
    }
  })
  it('come back at 256 levels, at the corners and at 50 000 colours between', () => {
    for (const name of ['subtractGreen', 'yCoCgR'] as const) {
      const { forward, inverse } = colorTransform(name, 256)
      let wrong = 0
      const check = (r: number, g: number, b: number) => {
        const [x, y, z] = inverse(...forward(r, g, b))
        if (x !== r || y !== g || z !== b) wrong++
      }
      const edge = [0, 1, 2, 126, 127, 128, 129, 253, 254, 255]
      for (const r of edge) for (const g of edge) for (const b of edge) check(r, g, b)
      for (let i = 0; i < 50_000; i++) check((i * 7919) & 255, (i * 104_729) >> 5 & 255, (i * 1_299_709) >> 9 & 255)
      expect(wrong).toBe(0)
    }
  })
  it('of grays: differences are in the middle', () => {
    for (const gray of [0, 100, 255]) {
      expect(colorTransform('subtractGreen', 256).forward(gray, gray, gray)).toEqual([gray, 128, 128])
      expect(colorTransform('yCoCgR', 256).forward(gray, gray, gray)).toEqual([gray, 128, 128])
    }
  })
})

describe('trainPalette', () => {
  const blobs: Image = {
    height: 10,
    width: 30,
    channels: 3,
    data: Uint8Array.from({ length: 900 }, (_, i) => [[200, 30, 30], [20, 180, 40], [60, 60, 220]][Math.floor(i / 3) % 3][i % 3] + Math.floor(9 * uniform(3, 'batches', 0, i)) - 4),
  }
  it('finds the clusters that there are', () => {
    const colors = trainPalette([blobs], { colors: 3, seed: 1 })
    expect(colors.map((color) => color.map((channel) => Math.round(channel / 10)))).toEqual([[2, 18, 4], [6, 6, 22], [20, 3, 3]])
    const tokenizer = palette({ height: 10, width: 30, colors })
    expect(rootMeanSquareError(blobs, tokenizer.decode(tokenizer.encode(blobs)))).toBeLessThan(3)
  })
  it('is a function of the seed, ends after its rounds, and is better with more colours and more rounds', () => {
    const image = noise(20, 20, 3)
    const lost = (options: Parameters<typeof trainPalette>[1]) => {
      const tokenizer = palette({ height: 20, width: 20, colors: trainPalette([image], options) })
      return rootMeanSquareError(image, tokenizer.decode(tokenizer.encode(image)))
    }
    expect(trainPalette([image], { colors: 8, seed: 5 })).toEqual(trainPalette([image], { colors: 8, seed: 5 }))
    expect(trainPalette([image], { colors: 8, seed: 5 })).not.toEqual(trainPalette([image], { colors: 8, seed: 6 }))
    expect(lost({ colors: 32, seed: 5 })).toBeLessThan(lost({ colors: 4, seed: 5 }))
    expect(lost({ colors: 8, seed: 5, rounds: 20 })).toBeLessThan(lost({ colors: 8, seed: 5, rounds: 1 }))
  })
  it('refuses more colours than there are', () => {
    expect(() => trainPalette([{ height: 1, width: 2, channels: 3, data: Uint8Array.of(1, 1, 1, 2, 2, 2) }], { colors: 3, seed: 1 })).toThrow(/2 different colours, fewer than the 3/)
    expect(() => trainPalette([noise(2, 2, 1)], { colors: 2, seed: 1 })).toThrow(InvalidDataError)
  })
})

describe('binarized', () => {
  const image = { ...noise(7, 9, 1), label: 3 }
  it('draws white as often as the intensity says', () => {
    const draws = 400
    const images = binarized([image], { seed: 1, draws })
    expect(images.length).toBe(draws)
    const white = new Float64Array(63)
    for (let i = 0; i < draws; i++) images.at(i).data.forEach((value, pixel) => (white[pixel] += value / 255))
    // Five standard deviations of 63 binomials.
    white.forEach((count, pixel) => expect(Math.abs(count / draws - image.data[pixel] / 255)).toBeLessThan(5 * Math.sqrt(0.25 / draws)))
  })
  it('is addressed: by seed, image and draw, in any order', () => {
    const images = binarized([image, image], { seed: 1, draws: 2 })
    const all = [3, 1, 0, 2].map((i) => String(images.at(i).data))
    expect(new Set(all).size).toBe(4)
    expect(String(images.at(1).data)).toBe(all[1])
    expect(String(binarized([image], { seed: 2 }).at(0).data)).not.toBe(all[2])
    expect(images.at(0).label).toBe(3)
    expect(images.at(0).data.every((value) => value === 0 || value === 255)).toBe(true)
  })
})

describe('what is refused', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['patches that do not fit', () => patches({ height: 28, width: 42, size: 8 }), /8 × 8 do not fill an image of 28 × 42. Sizes that do: 1, 2, 7, 14/],
    ['two channels', () => patches({ height: 2, width: 2, size: 1, channels: 2 as never }), /channels must be 1/],
    ['one level', () => pixels({ height: 2, width: 2, levels: 1 }), /levels must be a whole number from 2 to 256, got 1/],
    ['no height', () => rgbPixels({ width: 2 } as never), /height must be a whole number/],
    ['unknown colours', () => rgbPixels({ height: 2, width: 2, colors: 'hsv' as never }), /one of rgb, subtractGreen, yCoCgR, got "hsv"/],
    ['an unknown option', () => pixels({ height: 2, width: 2, threshold: 3 } as never), /unknown option "threshold"/],
    ['a palette with a colour twice', () => palette({ height: 1, width: 1, colors: [[1, 2, 3], [1, 2, 3]] }), /all of them different/],
    ['a palette of names', () => palette({ height: 1, width: 1, colors: ['red', 'blue'] as never }), /trainPalette learns them/],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(InvalidOptionError)
    expect(make).toThrow(message)
  })
  it.each<[string, () => unknown, RegExp]>([
    ['an image of another size', () => pixels({ height: 2, width: 3 }).encode(noise(3, 2, 1)), /3×2×1 .* expected 2×3×1. Read it with resize/],
    ['a colour image as gray', () => pixels({ height: 2, width: 3 }).encode(noise(2, 3, 3)), /2×3×3/],
    ['too little data', () => rgbPixels({ height: 2, width: 3 }).encode({ ...noise(2, 3, 3), data: new Uint8Array(5) }), /needs 18 bytes of data, got 5/],
    ['a value outside', () => pixels({ height: 1, width: 2, levels: 2 }).decode([0, 2]), /value 1 is 2, expected 0 … 1/],
    ['too few values', () => patches({ height: 2, width: 2, size: 2 }).decode([1]), /12 values, got 1/],
    ['images of two sizes', () => rootMeanSquareError(noise(1, 2, 1), noise(2, 1, 1)), /2×1×1/],
  ])('%s', (_, run, message) => {
    expect(run).toThrow(InvalidDataError)
    expect(run).toThrow(message)
  })
  it('an unknown name', () => {
    expect(() => tokenizerFromName({ name: 'toString', options: {} })).toThrow(UnknownPieceError)
  })
  it('nothing of what a label says: it is left out of the decoded image', () => {
    const tokenizer = pixels({ height: 2, width: 2 })
    const labelled = { ...noise(2, 2, 1), label: 1 }
    expect(tokenizer.decode(tokenizer.encode(labelled))).toEqual(withoutLabel(labelled))
  })
})
