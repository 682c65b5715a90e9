/**
 * The safetensors file: 8 bytes (length of the header, little-endian), the header as JSON, raw little-endian data.
 * Bytes in, data out; no file system. Only what the project writes is read: F32, I32 and U8 tensors.
 */
import { InvalidDataError } from './errors.js'
import { sizeOf } from './parameters.js'

const elementTypes = {
  F32: { bytes: 4, make: (buffer: ArrayBuffer) => new Float32Array(buffer) },
  I32: { bytes: 4, make: (buffer: ArrayBuffer) => new Int32Array(buffer) },
  U8: { bytes: 1, make: (buffer: ArrayBuffer) => new Uint8Array(buffer) },
} as const
type ElementType = keyof typeof elementTypes

export type TensorArray = Float32Array | Int32Array | Uint8Array
export interface StoredTensor {
  readonly shape: readonly number[]
  readonly data: TensorArray
}
export interface SafetensorsContent {
  readonly tensors: Record<string, StoredTensor>
  /** Free text by name. */
  readonly metadata: Record<string, string>
}
/** Where a tensor's bytes lie in the file, for graphs that point into it. */
export interface TensorPlace {
  readonly offset: number
  readonly length: number
}

const maximumHeaderBytes = 100_000_000
/** Data starts on a multiple of this many bytes, so that a reader may map the file. */
const alignment = 64

function elementTypeOf(data: TensorArray): ElementType {
  return data instanceof Float32Array ? 'F32' : data instanceof Int32Array ? 'I32' : 'U8'
}

/** Encodes tensors, in the order of the record, and metadata. Also says where each tensor's bytes lie. */
export function encodeSafetensors({ tensors, metadata }: SafetensorsContent): { bytes: Uint8Array<ArrayBuffer>; places: Record<string, TensorPlace> } {
  const header: [string, unknown][] = Object.keys(metadata).length ? [['__metadata__', metadata]] : []
  let dataBytes = 0
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    header.push([name, { dtype: elementTypeOf(data), shape, data_offsets: [dataBytes, dataBytes + data.byteLength] }])
    dataBytes += data.byteLength
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)))
  const headerBytes = Math.ceil((json.length + 8) / alignment) * alignment - 8
  const bytes = new Uint8Array(8 + headerBytes + dataBytes)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true)
  bytes.fill(0x20, 8, 8 + headerBytes)
  bytes.set(json, 8)
  const places: [string, TensorPlace][] = []
  let offset = 8 + headerBytes
  for (const [name, { data }] of Object.entries(tensors)) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset)
    places.push([name, { offset, length: data.byteLength }])
    offset += data.byteLength
  }
  return { bytes, places: Object.fromEntries(places) }
}

/**
 * Decodes a file; every tensor is a copy of its own.
 * @param source how the file is called in messages
 * @throws {InvalidDataError} naming the file and the place
 */
export function decodeSafetensors(bytes: Uint8Array, source: string): SafetensorsContent {
  const fail = (what: string): never => {
    throw new InvalidDataError(`${source}: not a safetensors file this program can read: ${what}. The file is damaged or of another kind.`)
  }
  if (bytes.length < 8) fail(`it has ${bytes.length} bytes, the length of its header alone takes 8`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headerBytes = Number(view.getBigUint64(0, true))
  if (headerBytes > maximumHeaderBytes || 8 + headerBytes > bytes.length) {
    fail(`byte 0 announces a header of ${headerBytes} bytes, the file has ${bytes.length}`)
  }
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + headerBytes)))
  } catch (error) {
    fail(`its header (bytes 8 to ${8 + headerBytes}) is not JSON: ${(error as Error).message}`)
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) fail('its header is not a JSON object')
  const tensors: [string, StoredTensor][] = []
  let metadata: Record<string, string> = {}
  const dataStart = 8 + headerBytes
  let expected = 0
  for (const [name, entry] of Object.entries(header as Record<string, unknown>)) {
    if (name === '__metadata__') {
      if (typeof entry !== 'object' || entry === null || Array.isArray(entry) || Object.values(entry).some((value) => typeof value !== 'string')) fail('__metadata__ is not text by name')
      metadata = entry as Record<string, string>
      continue
    }
    if (typeof entry !== 'object' || entry === null) fail(`tensor "${name}" is ${JSON.stringify(entry)}, expected its dtype, shape and data_offsets`)
    const { dtype = null, shape = null, data_offsets: offsets = null } = entry as { dtype?: unknown; shape?: unknown; data_offsets?: unknown }
    const isWhole = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    if (!Array.isArray(shape) || !shape.every(isWhole)) fail(`tensor "${name}" has the shape ${JSON.stringify(shape)}`)
    if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isWhole)) fail(`tensor "${name}" has the data_offsets ${JSON.stringify(offsets)}`)
    const type = typeof dtype === 'string' && Object.hasOwn(elementTypes, dtype) ? elementTypes[dtype as ElementType] : fail(`tensor "${name}" has the type ${JSON.stringify(dtype)}, expected one of ${Object.keys(elementTypes).join(', ')}`)
    const [begin, end] = offsets as [number, number]
    if (begin !== expected) fail(`tensor "${name}" begins at ${begin} of the data, expected ${expected}`)
    if (end - begin !== sizeOf(shape as number[]) * type.bytes) fail(`tensor "${name}" of shape [${shape}] takes ${sizeOf(shape as number[]) * type.bytes} bytes, its place has ${end - begin}`)
    if (dataStart + end > bytes.length) fail(`tensor "${name}" ends at byte ${dataStart + end}, the file has ${bytes.length}`)
    // Not bytes.slice: a Node Buffer's slice is a view of shared memory.
    const copy = new Uint8Array(end - begin)
    copy.set(bytes.subarray(dataStart + begin, dataStart + end))
    tensors.push([name, { shape: shape as number[], data: type.make(copy.buffer) }])
    expected = end
  }
  if (dataStart + expected !== bytes.length) fail(`its tensors end at byte ${dataStart + expected}, the file has ${bytes.length}`)
  return { tensors: Object.fromEntries(tensors), metadata }
}
