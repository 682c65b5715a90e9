/** What --data stands for: a bundled sample by its name, a folder of image files, or an IDX file. */
import { stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { InvalidDataError, InvalidOptionError, type JsonObject } from '@chainrule/core'
import { binarized, fingerprint, type Image, type Images, type ImageSet, type ImageTokenizer, readIdx, readImages, splitImages } from '@chainrule/image'
import { bundledImages } from '../bundled.js'

export interface ImageDataOptions {
  data: string
  /** Folders: scale all images to this size. */
  size?: { height: number; width: number }
  /** Folders: 1: gray, 3: colour. */
  channels?: 1 | 3
}

const imageEndings = ['.png', '.jpg', '.jpeg', '.webp', '.gif', '.tif', '.tiff', '.avif']

/** @throws {InvalidDataError} where nothing can be read. @throws {InvalidOptionError} for options that only folders have */
export async function readImageData({ data, size, channels }: ImageDataOptions): Promise<Image[]> {
  const isBundled = Object.hasOwn(bundledImages, data)
  const found = isBundled ? undefined : await stat(data).catch(() => undefined)
  if (found?.isDirectory()) return readImages(data, { channels, ...(size && { resize: size }) })
  if (size || channels) throw new InvalidOptionError(`${size ? '--size' : '--channels'} belongs to a folder of image files; ${data} has images of one size and kind. Leave it out.`)
  if (isBundled) return readIdx(bundledImages[data])
  if (!found) throw new InvalidDataError(`${data}: there is no such file or folder. Expected a folder of image files, an IDX file, or a bundled sample: ${Object.keys(bundledImages).join(', ')}.`)
  if (imageEndings.includes(extname(data).toLowerCase())) throw new InvalidDataError(`${data}: it is one image, expected a folder of them, or an IDX file. Put the images into a folder of their own.`)
  return readIdx(data)
}

/** As a model wants it that was trained on such data: in its channels, scaled if the files of its training were. */
export async function readForModel(data: string, { height, width, channels }: ImageTokenizer, trainedOn: JsonObject): Promise<Image[]> {
  const isFolder = !Object.hasOwn(bundledImages, data) && (await stat(data).catch(() => undefined))?.isDirectory()
  return readImageData(isFolder ? { data, channels: channels as 1 | 3, ...(trainedOn.resized === true && { size: { height, width } }) } : { data })
}

/** Which of some images a measurement is about, and why. */
export interface Part {
  readonly part: 'held out' | 'all'
  readonly why: string
  readonly images: ImageSet
}

/** Of the images that a model was trained on, those held out; of others all. Binarised by fixed bits where the model's were. */
export function partToMeasure(images: readonly Image[], trainedOn: JsonObject): Part {
  const { sha256, heldOut, validation, splitSeed, binarizationSeed } = trainedOn
  const measured = (part: ImageSet): ImageSet => (typeof binarizationSeed === 'number' ? measuredBits(part, binarizationSeed) : part)
  const bits = typeof binarizationSeed === 'number' ? `; binarised once, by seed ${bitsSeed(binarizationSeed)}` : ''
  if (fingerprint(images) !== sha256) return { part: 'all', why: `they are not the images that the model was trained on${bits}`, images: measured(images) }
  if (typeof heldOut !== 'number' || heldOut === 0) return { part: 'all', why: `the model was trained on all of them, so this says nothing about others${bits}`, images: measured(images) }
  const split = splitImages(images, { heldOut, validation: Number(validation ?? 0), seed: Number(splitSeed) })
  return { part: 'held out', why: `${split.heldOut.length} of ${images.length}, which the model has not seen${bits}`, images: measured(split.heldOut) }
}

const bitsSeed = (binarizationSeed: number) => (binarizationSeed + 1) % 2 ** 32

/** More draws than any training takes: each example that it draws is binarised anew. */
const manyDraws = 2 ** 20

export const trainingBits = (images: ImageSet, binarizationSeed: number): Images => binarized(images, { seed: binarizationSeed, draws: manyDraws })
export const measuredBits = (images: ImageSet, binarizationSeed: number): Images => binarized(images, { seed: bitsSeed(binarizationSeed) })

/** The first images of a part. */
export const firstImages = (images: ImageSet, count: number): Image[] => Array.from({ length: Math.min(count, images.length) }, (_, which) => images.at(which)!)
