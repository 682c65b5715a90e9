/**
 * Images from files: PNG, JPEG, WebP, GIF, TIFF, AVIF. Whatever is in the file becomes 8 bits in sRGB: 16-bit intensities are divided by 257 and
 * rounded, palettes are looked up, a rotation that a camera noted is carried out; of several pages the first is read. Where there is
 * transparency, the image is laid on `background`. Gray of colour is sRGB luminance.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { InvalidDataError, InvalidOptionError, refuseUnknownOptions, wholeNumber } from '@chainrule/core'
import type { Sharp } from 'sharp'
import { type Image, sizeText } from '../image.js'
import { loadSharp } from './sharp.js'

export interface ReadImageOptions {
  /** 1: gray, 3: red, green, blue (3). */
  channels?: 1 | 3
  /** Scales to this size; where the shape differs, what stands out on both sides is cut off. Absent: the file's own size. */
  resize?: { height: number; width: number }
  /** What transparent images are laid on: red, green, blue, 0 … 255 ([255, 255, 255], white). */
  background?: readonly [number, number, number]
}

export const imageExtensions: readonly string[] = ['.png', '.jpg', '.jpeg', '.webp', '.gif', '.tif', '.tiff', '.avif']

const optionNames = ['channels', 'resize', 'background']

/** @throws {InvalidDataError} naming the file, where it is no image */
export async function readImage(path: string, options: ReadImageOptions = {}): Promise<Image> {
  refuseUnknownOptions('readImage', options, optionNames)
  const { channels = 3, resize, background = [255, 255, 255] } = options
  if (channels !== 1 && channels !== 3) throw new InvalidOptionError(`readImage: channels must be 1 or 3, got ${String(channels)}.`)
  const [r, g, b] = background.map((channel, i) => wholeNumber('readImage', `background[${i}]`, channel, 0, 255))
  if (background.length !== 3) throw new InvalidOptionError(`readImage: background must be red, green and blue, got ${background.length} numbers.`)
  if (resize) {
    refuseUnknownOptions('readImage: resize', resize, ['height', 'width'])
    for (const side of ['height', 'width'] as const) wholeNumber('readImage', `resize.${side}`, resize[side])
  }
  const sharp = await loadSharp()
  try {
    // By its bytes: libvips remembers by name what it has read, and would not see that a file has changed.
    let picture: Sharp = sharp(await readFile(path), { failOn: 'error' }).autoOrient().toColourspace('srgb').flatten({ background: { r, g, b } })
    if (resize) picture = picture.resize({ ...resize, fit: 'cover' })
    picture = channels === 1 ? picture.toColourspace('b-w') : picture.toColourspace('srgb')
    const { data, info } = await picture.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    const pixels = info.height * info.width
    const all = new Uint8Array(data.buffer, data.byteOffset, data.length)
    // What sharp gives may still have more or fewer channels than asked for, or alpha beside them: 1, 2, 3 or 4.
    const own = Uint8Array.from({ length: pixels * channels }, (_, i) => all[Math.floor(i / channels) * info.channels + (info.channels < 3 ? 0 : i % channels)])
    return { height: info.height, width: info.width, channels, data: own }
  } catch (error) {
    throw new InvalidDataError(`${path}: cannot be read as an image: ${(error as Error).message}. Expected one of ${imageExtensions.join(', ')}.`, { cause: error })
  }
}

/**
 * Images with labels: the images of each folder within a folder. Labels count the folders in the order of their names.
 * @throws {InvalidDataError} where there is no folder within, one has no image, or sizes differ and no `resize` is given
 */
export async function readLabelledImages(folder: string, options: ReadImageOptions = {}): Promise<{ readonly images: Image[]; readonly names: string[] }> {
  refuseUnknownOptions('readLabelledImages', options, optionNames)
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name).sort()
  if (names.length === 0) throw new InvalidDataError(`${folder}: has no folder within. Expected one for each label, with the images of that label in it.`)
  const images: Image[] = []
  for (const [label, name] of names.entries()) {
    const own = await readImages(join(folder, name), options)
    const [first] = images
    if (first && sizeText(first) !== sizeText(own[0])) throw new InvalidDataError(`${join(folder, name)}: its images are ${sizeText(own[0])} (height × width × channels), those of ${names[0]} are ${sizeText(first)}. All images of a set have one size: give resize: { height, width } (--size 32x32, say).`)
    images.push(...own.map((image) => ({ ...image, label })))
  }
  return { images, names }
}

/**
 * All images of a folder, in the order of their names; other files and folders within are passed over.
 * @throws {InvalidDataError} where there is none, or where sizes differ and no `resize` is given
 */
export async function readImages(folder: string, options: ReadImageOptions = {}): Promise<Image[]> {
  refuseUnknownOptions('readImages', options, optionNames)
  const isFolder = await stat(folder).then((entry) => entry.isDirectory(), () => false)
  if (!isFolder) throw new InvalidDataError(`${folder}: not a folder. Expected one with image files in it.`)
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.flatMap(({ name }) => (imageExtensions.includes(extname(name).toLowerCase()) ? [name] : [])).sort()
  if (names.length === 0) throw new InvalidDataError(`${folder}: has no image file. Expected one of ${imageExtensions.join(', ')}.${entries.some((entry) => entry.isDirectory()) ? ' Folders within it are those of labels (readLabelledImages, --labels).' : ''}`)
  const images: Image[] = []
  for (const name of names) {
    const image = await readImage(join(folder, name), options)
    const [first] = images
    if (first && (image.height !== first.height || image.width !== first.width)) {
      throw new InvalidDataError(`${join(folder, name)}: ${sizeText(image)} (height × width × channels), but ${names[0]} is ${sizeText(first)}. All images of a set have one size: give resize: { height, width } (--size 32x32, say).`)
    }
    images.push(image)
  }
  return images
}
