/** What --data stands for: a bundled sample by its name, a folder of image files, or an IDX file. */
import { stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { type Condition, InvalidDataError, InvalidOptionError, type JsonObject, labelNumber } from '@chainrule/core'
import { binarized, fingerprint, type Image, type Images, type ImageSet, type ImageTokenizer, readIdx, readImages, readLabelledImages, splitImages } from '@chainrule/image'
import { bundledImages } from '../bundled.js'

export interface ImageDataOptions {
  data: string
  /** Folders: scale all images to this size. */
  size?: { height: number; width: number }
  /** Folders: 1: gray, 3: colour. */
  channels?: 1 | 3
  /** The file of labels of an IDX file; true: the labels that the data itself has, those of a bundled sample or the folders within a folder. */
  labels?: string | true
}

const imageEndings = ['.png', '.jpg', '.jpeg', '.webp', '.gif', '.tif', '.tiff', '.avif']

export interface ImageData {
  readonly images: Image[]
  /** What their labels are called, where they have labels with names. */
  readonly names?: readonly string[]
}

/** @throws {InvalidDataError} where nothing can be read. @throws {InvalidOptionError} for options that other data has */
export async function readImageData({ data, size, channels, labels }: ImageDataOptions): Promise<ImageData> {
  const isBundled = Object.hasOwn(bundledImages, data)
  const found = isBundled ? undefined : await stat(data).catch(() => undefined)
  const isFolder = found?.isDirectory() === true
  if (typeof labels === 'string' && (isBundled || isFolder)) throw new InvalidOptionError(`--labels ${labels}: a file of labels belongs to an IDX file; ${data} ${isBundled ? 'brings its own' : 'has the folders within it'}. Say --labels alone.`)
  if (isFolder) {
    const options = { channels, ...(size && { resize: size }) }
    return labels ? readLabelledImages(data, options) : { images: await readImages(data, options) }
  }
  if (size || channels) throw new InvalidOptionError(`${size ? '--size' : '--channels'} belongs to a folder of image files; ${data} has images of one size and kind. Leave it out.`)
  if (isBundled) {
    const { images, labels: file, names } = bundledImages[data]
    return labels ? { images: await readIdx(images, { labels: file }), names } : { images: await readIdx(images) }
  }
  if (!found) throw new InvalidDataError(`${data}: there is no such file or folder. Expected a folder of image files, an IDX file, or a bundled sample: ${Object.keys(bundledImages).join(', ')}.`)
  if (imageEndings.includes(extname(data).toLowerCase())) throw new InvalidDataError(`${data}: it is one image, expected a folder of them, or an IDX file. Put the images into a folder of their own.`)
  if (labels === true) throw new InvalidOptionError(`--labels: ${data} is an IDX file, whose labels are in a file of their own. Say which: --labels train-labels-idx1-ubyte, for example.`)
  return { images: await readIdx(data, labels === undefined ? {} : { labels }) }
}

/** As a model wants it that was trained on such data: in its channels, scaled if the files of its training were, with labels by its names. */
export async function readForModel({ data, labels }: Pick<ImageDataOptions, 'data' | 'labels'>, { height, width, channels }: ImageTokenizer, condition: Condition | undefined, trainedOn: JsonObject): Promise<Image[]> {
  if (labels !== undefined && !condition) throw new InvalidOptionError('--labels: the model was not trained with labels, so they would change nothing. Leave it out.')
  const isBundled = Object.hasOwn(bundledImages, data)
  const isFolder = !isBundled && (await stat(data).catch(() => undefined))?.isDirectory()
  // What has its labels with it needs no word of where they are.
  const wanted = condition && (labels ?? (isBundled || isFolder ? true : undefined))
  if (condition && wanted === undefined) throw new InvalidDataError(`${data}: the model was trained with labels, so an IDX file needs its file of labels: --labels train-labels-idx1-ubyte, for example.`)
  const { images, names } = await readImageData({ data, labels: wanted, ...(isFolder && { channels: channels as 1 | 3, ...(trainedOn.resized === true && { size: { height, width } }) }) })
  if (!condition?.names || !names) return images
  const numbers = names.map((name) => labelNumber(data, condition, name))
  return images.map((image) => ({ ...image, label: numbers[image.label!] }))
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
