/** Parts of a set, presets for every kind of image, animations, and colour in IDX files. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidDataError, InvalidOptionError } from '@chainrule/core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeAnimation, type Image, nade, presetModel, presetNamed, presets, readIdx, spiral, splitImages, writeAnimation } from '../src/index.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-image-data-'))
})
afterAll(() => rm(folder, { recursive: true }))

const gray = (intensity: number): Image => ({ height: 2, width: 3, channels: 1, data: new Uint8Array(6).fill(intensity) })
const images = Array.from({ length: 20 }, (_, which) => gray(which))
const numbersOf = ({ length, at }: { length: number; at(index: number): Image }) => Array.from({ length }, (_, i) => at(i).data[0])

describe('splitImages', () => {
  test('each image falls into one part; the same for the same seed', () => {
    const split = (seed: number) => splitImages(images, { seed, heldOut: 0.2, validation: 0.1 })
    const [heldOut, validation, training] = [split(1).heldOut, split(1).validation, split(1).training].map(numbersOf)
    expect([heldOut.length, validation.length, training.length]).toEqual([4, 2, 14])
    expect([...heldOut, ...validation, ...training].sort((a, b) => a - b)).toEqual(images.map((_, i) => i))
    expect(numbersOf(split(1).heldOut)).toEqual(heldOut)
    expect(numbersOf(split(2).heldOut)).not.toEqual(heldOut)
    expect(splitImages(images, { seed: 1, heldOut: 0 }).heldOut.length).toBe(0)
  })

  test('a part that would be empty is refused', () => {
    expect(() => splitImages(images.slice(0, 2), { seed: 1, heldOut: 0.1 })).toThrow(/of 2 images 0 would be held out/)
    expect(() => splitImages(images.slice(0, 1), { seed: 1, heldOut: 0.9 })).toThrow(InvalidOptionError)
    expect(() => splitImages([], { seed: 1, heldOut: 0 })).toThrow(InvalidDataError)
  })
})

describe('presets', () => {
  test.each(Object.keys(presets))('%s fits gray images and colour, pixels and patches', (name) => {
    const preset = presetNamed(name)
    const size = { height: 4, width: 6 }
    expect(presetModel(preset, { ...size, channels: 1 }).tokenizer).toMatchObject({ name: 'pixels', options: { levels: preset.levels } })
    expect(presetModel(preset, { ...size, channels: 3 }, { levels: 4 }).tokenizer).toMatchObject({ name: 'rgbPixels', options: { levels: 4 } })
    const { model, tokenizer } = presetModel(preset, { ...size, channels: 3 }, { patch: 2, order: spiral() })
    expect([tokenizer.name, tokenizer.domain.length, tokenizer.domain.components, model.order.name]).toEqual(['patches', 6, 12, 'spiral'])
  })

  test('a palette, real values and another network in place of the preset’s', () => {
    const size = { height: 4, width: 6, channels: 3 }
    const palette = [[0, 0, 0], [255, 0, 0], [255, 255, 255]]
    const pieces = (changes: object) => {
      const { tokenizer, model } = presetModel(presets.quick, size, changes)
      return [tokenizer.name, tokenizer.domain.values, model.head.name, model.network.name, model.network.options.input]
    }
    expect(pieces({})).toEqual(['rgbPixels', 8, 'rgbLogisticMixture', 'maskedConvolution', 'scaled'])
    expect(pieces({ palette })).toEqual(['palette', 3, 'categorical', 'maskedConvolution', 'embedding'])
    expect(pieces({ dequantized: true })).toEqual(['rgbPixels', 'real', 'gaussianMixture', 'maskedConvolution', 'scaled'])
    expect(pieces({ network: () => nade({ hidden: 3 }) })[3]).toBe('nade')
    expect(() => presetModel(presets.quick, size, { palette, levels: 4 })).toThrow(/levels has no place beside it/)
    expect(() => presetModel(presets.quick, { ...size, channels: 1 }, { palette })).toThrow(/for images in colour/)
  })

  test('the head suits the number of levels', () => {
    const headOf = (levels: number) => presetModel(presets.quick, { height: 4, width: 4, channels: 1 }, { levels }).model.head.name
    expect([2, 16, 256].map(headOf)).toEqual(['bernoulli', 'categorical', 'discretizedLogisticMixture'])
    expect(() => presetNamed('huge')).toThrow(/Known: small/)
  })
})

describe('animations', () => {
  test.each(['gif', 'webp'] as const)('%s: the frames, and how long each is shown', async (format) => {
    const frames = [0, 100, 200].map(gray)
    const path = join(folder, `three.${format}`)
    await writeAnimation(path, frames, { durationMs: 50, lastDurationMs: 700 })
    const bytes = await readFile(path)
    const { pages, pageHeight, delay, loop } = await sharp(bytes, { animated: true }).metadata()
    expect({ pages, pageHeight, delay, loop }).toEqual({ pages: 3, pageHeight: 2, delay: [50, 50, 700], loop: 0 })
    const { data, info } = await sharp(bytes, { animated: true }).raw().toBuffer({ resolveWithObject: true })
    expect([0, 1, 2].map((frame) => data[frame * 2 * 3 * info.channels])).toEqual([0, 100, 200])
  })

  test('no frames, other sizes, other endings', async () => {
    await expect(encodeAnimation([], 'gif')).rejects.toThrow(InvalidDataError)
    await expect(encodeAnimation([gray(1), { ...gray(1), height: 3, width: 2 }], 'gif')).rejects.toThrow(/3×2×1/)
    await expect(writeAnimation(join(folder, 'a.png'), [gray(1)])).rejects.toThrow(/\.gif or a \.webp/)
  })
})

test('IDX files of four axes hold colour', async () => {
  const path = join(folder, 'colour.idx')
  const write = (axes: number[]) => writeFile(path, Uint8Array.from([0, 0, 8, axes.length, ...axes.flatMap((length) => [0, 0, 0, length]), ...Array.from({ length: axes.reduce((a, b) => a * b) }, (_, i) => i)]))
  await write([2, 1, 2, 3])
  expect(await readIdx(path)).toEqual([0, 6].map((first) => ({ height: 1, width: 2, channels: 3, data: Uint8Array.from({ length: 6 }, (_, i) => first + i) })))
  await write([2, 1, 2, 4])
  await expect(readIdx(path)).rejects.toThrow(/× 3 for colour/)
  await write([0, 1, 2])
  await expect(readIdx(path)).rejects.toThrow(/holds no pixel/)
})
