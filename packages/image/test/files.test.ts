import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { hilbert, InvalidDataError, InvalidOptionError, uniform } from '@chainrule/core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkerboard, decodeIdx, encodePng, type Image, imageGrid, orderPicture, raster, readIdx, readImage, readImages, writePng, writePngGrid } from '../src/index.js'

let folder: string
const at = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-image-'))
})
afterAll(() => rm(folder, { recursive: true }))

const noise = (height: number, width: number, channels: number, seed = 1): Image => ({
  height,
  width,
  channels,
  data: Uint8Array.from({ length: height * width * channels }, (_, i) => Math.floor(256 * uniform(seed, 'batches', 0, i))),
})

/** An IDX file. */
function idx(shape: number[], data: ArrayLike<number>, type = 8): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length)
  bytes.set([0, 0, type, shape.length])
  shape.forEach((length, axis) => new DataView(bytes.buffer).setUint32(4 + 4 * axis, length))
  bytes.set(Array.from(data), 4 + 4 * shape.length)
  return bytes
}

describe('IDX', () => {
  const pixels = Uint8Array.from({ length: 3 * 2 * 4 }, (_, i) => 10 * i)
  it('is read, plain and gzipped, with labels', async () => {
    await writeFile(at('images'), idx([3, 2, 4], pixels))
    await writeFile(at('images.gz'), gzipSync(idx([3, 2, 4], pixels)))
    await writeFile(at('labels'), idx([3], [7, 0, 9]))
    const images = await readIdx(at('images'))
    expect(images.length).toBe(3)
    expect(images[1]).toEqual({ height: 2, width: 4, channels: 1, data: pixels.slice(8, 16) })
    expect(await readIdx(at('images.gz'))).toEqual(images)
    expect((await readIdx(at('images'), { labels: at('labels') })).map(({ label }) => label)).toEqual([7, 0, 9])
  })
  it.each<[string, () => Uint8Array, RegExp]>([
    ['an empty file', () => new Uint8Array(0), /data.idx: the file is empty/],
    ['another kind of file', () => new TextEncoder().encode('PK archive'), /not an IDX file: it begins with 80 75 32 97/],
    ['other elements', () => idx([2, 2, 2], new Uint8Array(32), 13), /elements of type 13/],
    ['a header cut off', () => idx([3, 2, 4], pixels).slice(0, 10), /header ends early/],
    ['data cut off', () => idx([3, 2, 4], pixels).slice(0, -1), /3 × 2 × 4 need 24 bytes after the header, the file has 23/],
    ['data too long', () => idx([3, 2, 3], pixels), /need 18 bytes .* has 24/],
    ['damaged gzip', () => gzipSync(idx([3, 2, 4], pixels)).subarray(0, 20), /damaged gzip/],
  ])('%s is refused', (_, bytes, message) => {
    expect(() => decodeIdx(bytes(), 'data.idx')).toThrow(InvalidDataError)
    expect(() => decodeIdx(bytes(), 'data.idx')).toThrow(message)
  })
  it('says which file is the wrong one', async () => {
    await writeFile(at('images'), idx([3, 2, 4], pixels))
    await writeFile(at('labels'), idx([2], [1, 2]))
    await expect(readIdx(at('labels'))).rejects.toThrow(/labels: holds an array of 1 axes.*give it as labels/)
    await expect(readIdx(at('images'), { labels: at('labels') })).rejects.toThrow(/labels: holds 2 labels, expected 3/)
    await expect(readIdx(at('absent'))).rejects.toThrow(/absent: cannot be read/)
  })
})

describe('image files', () => {
  it.each([[noise(5, 7, 3)], [noise(4, 1, 1)], [noise(1, 9, 3)]])('a PNG comes back as it was', async (image) => {
    await writePng(at('same.png'), image)
    expect(await readImage(at('same.png'), { channels: image.channels as 1 | 3 })).toEqual(image)
  })
  it('gray becomes colour and colour gray', async () => {
    const gray = noise(3, 4, 1)
    await writePng(at('gray.png'), gray)
    expect([...(await readImage(at('gray.png'))).data]).toEqual([...gray.data].flatMap((value) => [value, value, value]))
    await writePng(at('color.png'), { height: 1, width: 3, channels: 3, data: Uint8Array.of(255, 255, 255, 0, 0, 0, 90, 90, 90) })
    expect([...(await readImage(at('color.png'), { channels: 1 })).data]).toEqual([255, 0, 90])
    await writePng(at('green.png'), { height: 1, width: 2, channels: 3, data: Uint8Array.of(0, 255, 0, 0, 0, 255) })
    const [green, blue] = (await readImage(at('green.png'), { channels: 1 })).data
    expect(green).toBeGreaterThan(blue)
  })
  it('transparency is laid on the background', async () => {
    await sharp(Uint8Array.of(200, 0, 0, 255, 9, 9, 9, 0, 0, 0, 0, 128), { raw: { width: 3, height: 1, channels: 4 } }).png().toFile(at('alpha.png'))
    const white = [...(await readImage(at('alpha.png'))).data]
    expect(white.slice(0, 6)).toEqual([200, 0, 0, 255, 255, 255])
    expect(Math.abs(white[6] - 127)).toBeLessThanOrEqual(1)
    expect([...(await readImage(at('alpha.png'), { background: [10, 20, 30] })).data].slice(0, 6)).toEqual([200, 0, 0, 10, 20, 30])
  })
  it('16 bits become 8, palettes their colours', async () => {
    const wide = Uint16Array.of(0x00ff, 257, 0x12fe, 65_535)
    await sharp(wide, { raw: { width: 4, height: 1, channels: 1 } }).toColourspace('grey16').png().toFile(at('wide.png'))
    expect((await sharp(at('wide.png')).metadata()).depth).toBe('ushort')
    expect([...(await readImage(at('wide.png'), { channels: 1 })).data]).toEqual([1, 1, 19, 255])
    const image = { height: 2, width: 2, channels: 3, data: Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 0, 0) }
    await sharp(image.data, { raw: { width: 2, height: 2, channels: 3 } }).png({ palette: true }).toFile(at('palette.png'))
    expect(await readImage(at('palette.png'))).toEqual(image)
  })
  it('JPEG and WebP are read, and a noted rotation is carried out', async () => {
    const flat = { height: 8, width: 16, channels: 3, data: new Uint8Array(8 * 16 * 3).fill(100) }
    const picture = () => sharp(flat.data, { raw: { width: 16, height: 8, channels: 3 } })
    await picture().jpeg({ quality: 100 }).toFile(at('flat.jpg'))
    await picture().webp({ lossless: true }).toFile(at('flat.webp'))
    await picture().withMetadata({ orientation: 6 }).jpeg().toFile(at('turned.jpg'))
    expect((await readImage(at('flat.jpg'))).data.every((value) => Math.abs(value - 100) <= 2)).toBe(true)
    expect(await readImage(at('flat.webp'))).toEqual(flat)
    expect(await readImage(at('turned.jpg'))).toMatchObject({ height: 16, width: 8 })
  })
  it('a file that has changed is read anew', async () => {
    for (const seed of [1, 2]) {
      const { data, ...image } = noise(5, 4, 3, seed)
      await sharp(data, { raw: { width: 4, height: 5, channels: 3 } }).webp({ lossless: true }).toFile(at('changing.webp'))
      expect(await readImage(at('changing.webp'))).toEqual({ ...image, data })
    }
  })
  it('a folder is read by name, of one size', async () => {
    const of = (name: string) => join(at('set'), name)
    await mkdir(of('within'), { recursive: true })
    await writePng(of('b.png'), noise(3, 4, 3, 2))
    await writePng(of('a.PNG'), noise(3, 4, 3, 1))
    await writeFile(of('notes.txt'), 'no image')
    expect(await readImages(at('set'))).toEqual([noise(3, 4, 3, 1), noise(3, 4, 3, 2)])
    await writePng(of('c.png'), noise(5, 5, 3))
    await expect(readImages(at('set'))).rejects.toThrow(/c.png: 5×5×3 .* but a.PNG is 3×4×3. .*give resize/)
    const resized = await readImages(at('set'), { resize: { height: 2, width: 2 }, channels: 1 })
    expect(resized.map(({ height, width, channels, data }) => [height, width, channels, data.length])).toEqual([[2, 2, 1, 4], [2, 2, 1, 4], [2, 2, 1, 4]])
  })
  it('what is no image is refused, by name', async () => {
    await writeFile(at('fake.png'), 'no image')
    await writeFile(at('cut.png'), (await encodePng(noise(30, 30, 3))).slice(0, 900))
    await mkdir(at('empty'))
    await expect(readImage(at('fake.png'))).rejects.toThrow(/fake.png: cannot be read as an image/)
    await expect(readImage(at('cut.png'))).rejects.toThrow(InvalidDataError)
    await expect(readImages(at('empty'))).rejects.toThrow(/empty: has no image file/)
    await expect(readImages(at('fake.png'))).rejects.toThrow(/fake.png: not a folder/)
    await expect(readImage(at('fake.png'), { channels: 4 as never })).rejects.toThrow(InvalidOptionError)
    await expect(readImage(at('fake.png'), { background: [0, 0, 300] })).rejects.toThrow(/background\[2\]/)
    await expect(readImage(at('fake.png'), { resize: { height: 2 } as never })).rejects.toThrow(/resize.width/)
    await expect(readImage(at('fake.png'), { size: 3 } as never)).rejects.toThrow(/unknown option "size"/)
  })
})

describe('grids', () => {
  const one = (value: number): Image => ({ height: 1, width: 2, channels: 1, data: Uint8Array.of(value, value + 1) })
  it('put images side by side', () => {
    expect(imageGrid([one(1), one(3), one(5)], { columns: 2, gapIntensity: 9 })).toEqual({
      height: 3,
      width: 5,
      channels: 1,
      data: Uint8Array.of(1, 2, 9, 3, 4, 9, 9, 9, 9, 9, 5, 6, 9, 9, 9),
    })
    expect(imageGrid([one(1)], { scale: 2 })).toEqual({ height: 2, width: 4, channels: 1, data: Uint8Array.of(1, 1, 2, 2, 1, 1, 2, 2) })
    expect(imageGrid([one(1), one(3)], { columns: 1, gap: 0 }).data).toEqual(Uint8Array.of(1, 2, 3, 4))
    expect(imageGrid(Array.from({ length: 9 }, () => noise(4, 4, 3)))).toMatchObject({ height: 14, width: 14 })
  })
  it('are written', async () => {
    await writePngGrid(at('grid.png'), [one(1), one(3)], { columns: 1, gap: 0 })
    expect(await readImage(at('grid.png'), { channels: 1 })).toEqual({ height: 2, width: 2, channels: 1, data: Uint8Array.of(1, 2, 3, 4) })
  })
  it('of nothing, or of two sizes, are refused', () => {
    expect(() => imageGrid([])).toThrow(InvalidDataError)
    expect(() => imageGrid([one(1), noise(2, 2, 1)])).toThrow(/2×2×1/)
    expect(() => imageGrid([one(1)], { rows: 2 } as never)).toThrow(/unknown option "rows"/)
  })
})

describe('orderPicture', () => {
  const pixel = ({ width, data }: Image, row: number, column: number) => [...data.subarray(3 * (row * width + column), 3 * (row * width + column) + 3)]
  it('colours cells by rank and draws the way', () => {
    const picture = orderPicture(raster(), { height: 2, width: 3, scale: 8 })
    expect(picture).toMatchObject({ height: 16, width: 24, channels: 3 })
    expect(pixel(picture, 0, 0)).toEqual([13, 8, 135])
    expect(pixel(picture, 15, 23)).toEqual([240, 249, 33])
    expect(pixel(picture, 4, 8)).toEqual([255, 255, 255])
    expect(pixel(orderPicture(raster(), { height: 2, width: 3, scale: 8, path: false }), 4, 8)).not.toEqual([255, 255, 255])
    // From one neighbour to the next: no line crosses the corner of four cells.
    expect(pixel(orderPicture(hilbert(), { height: 4, width: 4, scale: 8 }), 16, 16)).not.toEqual([255, 255, 255])
  })
  it('gives a group one colour and no line', () => {
    const picture = orderPicture(checkerboard({ groups: true }), { height: 2, width: 2, scale: 4 })
    expect([pixel(picture, 0, 0), pixel(picture, 4, 4), pixel(picture, 0, 4), pixel(picture, 4, 0)]).toEqual([[13, 8, 135], [13, 8, 135], [240, 249, 33], [240, 249, 33]])
    expect(picture.data.some((value, i) => value === 255 && i % 3 === 0)).toBe(false)
    expect(orderPicture(raster(), { height: 1, width: 1 })).toMatchObject({ height: 16, width: 16 })
  })
})
