/**
 * The IDX format of MNIST and its relatives, plain or gzipped: 0, 0, the type (8: bytes), the number of axes, the length of each axis as
 * a big-endian 32-bit number, then the data, last axis fastest. http://yann.lecun.com/exdb/mnist/
 */
import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { InvalidDataError, refuseUnknownOptions } from '@chainrule/core'
import type { Image } from '../image.js'

export interface IdxContent {
  readonly shape: readonly number[]
  readonly data: Uint8Array
}

const unsignedBytes = 8

/**
 * Reads an IDX file of bytes.
 * @param source how the file is called in messages
 * @throws {InvalidDataError} naming the file and what is wrong with it
 */
export function decodeIdx(bytes: Uint8Array, source: string): IdxContent {
  const fail = (what: string): never => {
    throw new InvalidDataError(`${source}: ${what}. Expected an IDX file of unsigned bytes, as MNIST's (train-images-idx3-ubyte), plain or as .gz; download it again.`)
  }
  if (bytes.length === 0) fail('the file is empty')
  let content = bytes
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      content = gunzipSync(bytes)
    } catch (error) {
      fail(`damaged gzip: ${(error as Error).message}`)
    }
  }
  if (content.length < 4 || content[0] !== 0 || content[1] !== 0) fail(`not an IDX file: it begins with ${[...content.subarray(0, 4)].join(' ')}`)
  if (content[2] !== unsignedBytes) fail(`elements of type ${content[2]}; only unsigned bytes (8) are read`)
  const axes = content[3]
  const begin = 4 + 4 * axes
  if (axes === 0 || content.length < begin) fail(`the header ends early: ${axes} axes, ${content.length} bytes`)
  const view = new DataView(content.buffer, content.byteOffset)
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis))
  const size = shape.reduce((product, length) => product * length, 1)
  if (content.length - begin !== size) fail(`${shape.join(' × ')} need ${size} bytes after the header, the file has ${content.length - begin}`)
  return { shape, data: new Uint8Array(content.subarray(begin)) }
}

export interface ReadIdxOptions {
  /** The file of labels, one for each image. */
  labels?: string
}

/** The images of an IDX file: gray with the axes image, row, column, or in colour with a fourth axis of red, green, blue. @throws {InvalidDataError} naming the file */
export async function readIdx(path: string, options: ReadIdxOptions = {}): Promise<Image[]> {
  refuseUnknownOptions('readIdx', options, ['labels'])
  const { shape, data } = decodeIdx(await read(path), path)
  const [count, height, width, channels = 1] = shape
  const isGrid = shape.length === 3 || (shape.length === 4 && channels === 3)
  if (!isGrid) throw new InvalidDataError(`${path}: holds an array of ${shape.length} axes (${shape.join(' × ')}), expected image × row × column, or × 3 for colour. ${shape.length === 1 ? 'It may be the file of labels: give it as labels.' : ''}`.trim())
  if (data.length === 0) throw new InvalidDataError(`${path}: holds no pixel: ${shape.join(' × ')}. Expected at least one image.`)
  const labels = options.labels === undefined ? undefined : decodeIdx(await read(options.labels), options.labels)
  if (labels && (labels.shape.length !== 1 || labels.shape[0] !== count)) throw new InvalidDataError(`${options.labels}: holds ${labels.shape.join(' × ')} labels, expected ${count}, one for each image of ${path}.`)
  const size = height * width * channels
  return Array.from({ length: count }, (_, i): Image => ({ height, width, channels, data: data.slice(i * size, (i + 1) * size), ...(labels && { label: labels.data[i] }) }))
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new InvalidDataError(`${path}: cannot be read: ${(error as Error).message}.`, { cause: error })
  }
}
