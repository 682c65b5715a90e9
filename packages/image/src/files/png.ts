/** PNG files of images and of grids of images. */
import { writeFile } from 'node:fs/promises'
import { InvalidDataError, refuseUnknownOptions, wholeNumber } from '@chainrule/core'
import { checkImage, type Image } from '../image.js'
import { loadSharp } from './sharp.js'

/** The bytes of a PNG file, gray or colour as the image is. */
export async function encodePng(image: Image): Promise<Uint8Array> {
  const { height, width, channels, data } = image
  checkImage('encodePng', image, image)
  if (channels !== 1 && channels !== 3) throw new InvalidDataError(`encodePng: the image has ${channels} channels, expected 1 or 3.`)
  const sharp = await loadSharp()
  const picture = sharp(data, { raw: { height, width, channels } })
  return new Uint8Array(await (channels === 1 ? picture.toColourspace('b-w') : picture).png().toBuffer())
}

export async function writePng(path: string, image: Image): Promise<void> {
  await writeFile(path, await encodePng(image))
}

export interface GridOptions {
  /** Images in a row; as many as make the grid nearly square where absent. */
  columns?: number
  /** Pixels between two images (1). */
  gap?: number
  /** Intensity of the gaps, 0 … 255 (128). */
  gapIntensity?: number
  /** Each pixel becomes a square of this many (1). */
  scale?: number
}

/** Images of one size side by side, row by row, as one image. @throws {InvalidDataError} for none, or for different sizes */
export function imageGrid(images: readonly Image[], options: GridOptions = {}): Image {
  refuseUnknownOptions('imageGrid', options, ['columns', 'gap', 'gapIntensity', 'scale'])
  if (images.length === 0) throw new InvalidDataError('imageGrid: no images. Give at least one.')
  const [first] = images
  const { height, width, channels } = first
  const columns = wholeNumber('imageGrid', 'columns', options.columns ?? Math.ceil(Math.sqrt((images.length * height) / width)))
  const gap = wholeNumber('imageGrid', 'gap', options.gap ?? 1, 0)
  const gapIntensity = wholeNumber('imageGrid', 'gapIntensity', options.gapIntensity ?? 128, 0, 255)
  const scale = wholeNumber('imageGrid', 'scale', options.scale ?? 1)
  const [rows, used] = [Math.ceil(images.length / columns), Math.min(columns, images.length)]
  const size = { height: rows * height * scale + (rows - 1) * gap, width: used * width * scale + (used - 1) * gap, channels }
  const data = new Uint8Array(size.height * size.width * channels).fill(gapIntensity)
  images.forEach((image, which) => {
    checkImage('imageGrid', image, first)
    const [top, left] = [Math.floor(which / columns) * (height * scale + gap), (which % columns) * (width * scale + gap)]
    for (let row = 0; row < height * scale; row++) {
      for (let column = 0; column < width * scale; column++) {
        const from = (Math.floor(row / scale) * width + Math.floor(column / scale)) * channels
        data.set(image.data.subarray(from, from + channels), ((top + row) * size.width + left + column) * channels)
      }
    }
  })
  return { ...size, data }
}

/** `imageGrid` as a PNG file. */
export async function writePngGrid(path: string, images: readonly Image[], options: GridOptions = {}): Promise<void> {
  await writePng(path, imageGrid(images, options))
}
