/**
 * An exported model as one file: an ONNX model that any onnxruntime runs (the graph of the whole chain, `sample.onnx`, with
 * the weights inside), and in its metadata everything else that the directory would hold. Unpacking gives the files of the
 * directory, byte for byte, so that the sizes and hashes of model.json hold for them.
 *
 *   ModelProto without metadata | metadata_props: chainrule.sha256 (of all before), chainrule.model.json,
 *                                 chainrule.<every other file>, in base64; of weights.safetensors the header only
 *
 * Protobuf, as far as it is needed: a message is fields; a field is the varint number × 8 + wire type, then a varint (0),
 * 8 bytes (1), a length and as many bytes (2), or 4 bytes (5). onnx.proto: ModelProto.graph = 7, .metadata_props = 14 (key = 1,
 * value = 2); GraphProto.initializer = 5; TensorProto.name = 8, .raw_data = 9.
 */
import { InvalidDataError, InvalidModelError } from './errors.js'
import { manifestFile, weightsFile } from './exported-model.js'

const prefix = 'chainrule.'
const hashKey = `${prefix}sha256`
/** What a weight's initializer is called: this and its name in the safetensors file. */
export const weightPrefix = 'parameter.'
/** Protobuf's limit. */
const mostBytes = 2 ** 31 - 1

const utf8 = new TextEncoder()

function varint(value: number): number[] {
  const bytes: number[] = []
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80)
  return [...bytes, value]
}

function lengthDelimited(field: number, content: Uint8Array): Uint8Array[] {
  return [Uint8Array.from([...varint(field * 8 + 2), ...varint(content.length)]), content]
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    result.set(part, at)
    at += part.length
  }
  return result
}

function base64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  return btoa(text)
}

const headerLength = (weights: Uint8Array) => 8 + Number(new DataView(weights.buffer, weights.byteOffset, 8).getBigUint64(0, true))

/**
 * @param graph the ONNX model of the whole chain with the weights inside
 * @param sha256 of `graph`, in hexadecimal
 * @param files those of the directory
 * @throws {InvalidDataError} where it is more than protobuf can hold
 */
export function packSingleFile(graph: Uint8Array, sha256: string, files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const entries = [
    [hashKey, sha256],
    [prefix + manifestFile, new TextDecoder().decode(files[manifestFile])],
    ...Object.entries(files).flatMap(([name, bytes]) => (name === manifestFile ? [] : [[prefix + name, base64(name === weightsFile ? bytes.subarray(0, headerLength(bytes)) : bytes)]])),
  ]
  const metadata = entries.flatMap(([key, value]) => lengthDelimited(14, joined([...lengthDelimited(1, utf8.encode(key)), ...lengthDelimited(2, utf8.encode(value))])))
  const bytes = metadata.reduce((sum, part) => sum + part.length, graph.length)
  if (bytes > mostBytes) throw new InvalidDataError(`The model takes ${bytes} bytes; one ONNX file holds at most ${mostBytes}. Export a directory.`)
  return joined([graph, ...metadata])
}

interface Field {
  readonly number: number
  /** Where the field begins, and where its content lies. */
  readonly begin: number
  readonly start: number
  readonly end: number
}

/** The fields of a message that lies from `start` to `end`. @throws {RangeError} where it is none */
function* fieldsOf(bytes: Uint8Array, start: number, end: number): Generator<Field> {
  let at = start
  const number = (): number => {
    let value = 0
    for (let factor = 1; ; factor *= 0x80) {
      if (at >= end || factor > 2 ** 63) throw new RangeError(`byte ${at} is in the middle of a number`)
      const byte = bytes[at++]
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
  }
  while (at < end) {
    const begin = at
    const tag = number()
    const wire = tag % 8
    if (wire === 0) number()
    const length = wire === 2 ? number() : wire === 1 ? 8 : wire === 5 ? 4 : 0
    if (![0, 1, 2, 5].includes(wire) || at + length > end) throw new RangeError(`the field at byte ${begin} goes beyond its end`)
    yield { number: Math.floor(tag / 8), begin, start: at, end: at + length }
    at += length
  }
}

/** The wanted fields of a message, the last of each number. */
function lastFields(bytes: Uint8Array, { start, end }: Field): Map<number, Uint8Array> {
  return new Map(Array.from(fieldsOf(bytes, start, end), (field) => [field.number, bytes.subarray(field.start, field.end)]))
}

export interface UnpackedFile {
  /** The files of the directory. */
  readonly files: Record<string, Uint8Array>
  /** How many bytes `graphSha256` is of: all before the metadata. */
  readonly graphBytes: number
  readonly graphSha256: string
}

/**
 * @param source how the file is called in messages
 * @throws {InvalidModelError} naming the file and what is wrong
 */
export function unpackSingleFile(bytes: Uint8Array, source: string): UnpackedFile {
  const fail = (what: string, cause?: unknown): never => {
    throw new InvalidModelError(`${source}: ${what}. Expected the single file of an exported model (--single-file); it is damaged or another file.`, { cause })
  }
  const text = (content: Uint8Array | undefined) => new TextDecoder('utf-8', { fatal: true }).decode(content)
  const entries = new Map<string, string>()
  const weights = new Map<string, Uint8Array>()
  let graphBytes = bytes.length
  try {
    for (const field of fieldsOf(bytes, 0, bytes.length)) {
      if (field.number === 7) {
        for (const inner of fieldsOf(bytes, field.start, field.end)) {
          if (inner.number !== 5) continue
          const tensor = lastFields(bytes, inner)
          weights.set(text(tensor.get(8)), tensor.get(9) ?? new Uint8Array(0))
        }
      } else if (field.number === 14) {
        const entry = lastFields(bytes, field)
        const key = text(entry.get(1))
        if (!key.startsWith(prefix)) continue
        if (entries.size === 0) graphBytes = field.begin
        entries.set(key, text(entry.get(2)))
      }
    }
  } catch (error) {
    fail(`not an ONNX file: ${(error as Error).message}`, error)
  }
  const entry = (name: string): string => entries.get(prefix + name) ?? fail(`its metadata has no ${prefix}${name}`)
  const binary = (name: string): Uint8Array => {
    const value = entry(name)
    try {
      return Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0))
    } catch (error) {
      return fail(`${prefix}${name} in its metadata is not base64`, error)
    }
  }
  const files: Record<string, Uint8Array> = { [manifestFile]: utf8.encode(entry(manifestFile)), [weightsFile]: withWeights(binary(weightsFile), weights, fail) }
  for (const key of entries.keys()) {
    const name = key.slice(prefix.length)
    if (key !== hashKey && !Object.hasOwn(files, name)) files[name] = binary(name)
  }
  return { files, graphBytes, graphSha256: entry(hashKey.slice(prefix.length)) }
}

/** The safetensors file: its header, and each tensor in the place that the header gives it. */
function withWeights(header: Uint8Array, weights: ReadonlyMap<string, Uint8Array>, fail: (what: string, cause?: unknown) => never): Uint8Array {
  let places: [string, { data_offsets: [number, number] }][]
  let size: number
  try {
    places = Object.entries(JSON.parse(new TextDecoder().decode(header.subarray(8))) as Record<string, { data_offsets: [number, number] }>).filter(([name]) => name !== '__metadata__')
    size = Math.max(0, ...places.map(([, { data_offsets: offsets }]) => offsets[1]))
    if (!Number.isSafeInteger(size) || size > mostBytes) throw new RangeError(`its tensors take ${size} bytes`)
  } catch (error) {
    return fail(`${prefix}${weightsFile} in its metadata is no header: ${(error as Error).message}`, error)
  }
  const file = new Uint8Array(header.length + size)
  file.set(header)
  for (const [name, { data_offsets: offsets }] of places) {
    const data = weights.get(weightPrefix + name) ?? fail(`its graph holds no weight "${name}"`)
    if (data.length !== offsets[1] - offsets[0] || !(offsets[0] >= 0)) fail(`the weight "${name}" has ${data.length} bytes, its place ${offsets[1] - offsets[0]}`)
    file.set(data, header.length + offsets[0])
  }
  return file
}
