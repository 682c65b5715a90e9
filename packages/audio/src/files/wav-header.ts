/**
 * The header of a WAV file: RIFF, little-endian, a list of chunks with a name and a size; `fmt ` says how samples are written, `data` holds them.
 *
 *   fmt    format u16 (1 whole numbers, 3 floats, 0xFFFE: says it further on), channels u16, rate u32, bytes a second u32, bytes of a moment u16, bits u16
 *
 *   ds64   of RF64, whose `data` may be larger than 4 GiB: size of the file u64, of the samples u64
 *
 * EBU Tech 3306 (RF64, BW64). Multimedia Programming Interface and Data Specifications 1.0 (1991), and WAVEFORMATEXTENSIBLE. A moment: one sample of every channel.
 */
import { InvalidDataError } from '@chainrule/core'

export interface WavHeader {
  readonly sampleRateHz: number
  readonly channels: number
  readonly bits: 8 | 16 | 24 | 32 | 64
  readonly isFloat: boolean
  /** Bytes before the samples. */
  readonly begin: number
  /** Moments. */
  readonly length: number
}

/** The size that programs write which do not know it yet. */
const unknownSize = 0xffff_ffff

/**
 * @param read bytes of the file from a place on; fewer where it ends
 * @param size of the file
 * @throws {InvalidDataError} saying what is wrong with the file, which `path` names
 */
export function readWavHeader(path: string, read: (at: number, count: number) => Uint8Array, size: number): WavHeader {
  const fail = (what: string): never => {
    throw new InvalidDataError(`${path}: ${what}.`)
  }
  const text = (bytes: Uint8Array) => String.fromCharCode(...bytes)
  const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const start = read(0, 12)
  if (start.length === 0) fail('the file is empty, expected a WAV file')
  if (!['RIFF', 'RF64', 'BW64'].includes(text(start.subarray(0, 4))) || text(start.subarray(8, 12)) !== 'WAVE') {
    fail(`is no WAV file: it begins with ${JSON.stringify(text(start))}, expected "RIFF" or "RF64", four bytes and "WAVE". Give it the ending of what it is, or convert it`)
  }
  let largeSize: number | undefined
  let format: Omit<WavHeader, 'begin' | 'length'> | undefined
  for (let at = 12; ; ) {
    const head = read(at, 8)
    if (head.length < 8) fail(`the header ends at byte ${at + head.length} before any samples; the file is cut off, or has no chunk "data"`)
    const [name, bytes] = [text(head.subarray(0, 4)), viewOf(head).getUint32(4, true)]
    const begin = at + 8
    if (name === 'fmt ') format = parseFormat(viewOf(read(begin, Math.min(bytes, 40))), fail)
    if (name === 'ds64') largeSize = sizeOfSamples(viewOf(read(begin, 16)), fail)
    if (name === 'data') {
      if (!format) return fail('the samples come before the chunk "fmt ", which says how they are written')
      const there = size - begin
      const said = bytes === unknownSize ? (largeSize ?? there) : bytes
      if (said > there) fail(`the header speaks of ${said} bytes of samples, but only ${there} follow: the file is cut off`)
      const moment = format.channels * (format.bits / 8)
      const length = Math.floor(said / moment)
      if (length === 0) fail('the file has no samples')
      return { ...format, begin, length }
    }
    // Chunks of odd sizes are followed by one byte of nothing.
    at = begin + bytes + (bytes % 2)
  }
}

function sizeOfSamples(view: DataView, fail: (what: string) => never): number {
  if (view.byteLength < 16) fail('the chunk "ds64" is cut off')
  return Number(view.getBigUint64(8, true))
}

function parseFormat(view: DataView, fail: (what: string) => never): Omit<WavHeader, 'begin' | 'length'> {
  if (view.byteLength < 16) fail(`the chunk "fmt " has ${view.byteLength} bytes, expected at least 16: the header is cut off`)
  const [code, channels, sampleRateHz, moment, bits] = [view.getUint16(0, true), view.getUint16(2, true), view.getUint32(4, true), view.getUint16(12, true), view.getUint16(14, true)]
  const isExtended = code === 0xfffe
  if (isExtended && view.byteLength < 26) fail(`the chunk "fmt " has ${view.byteLength} bytes, expected 40 of an extended one: the header is cut off`)
  const kind = isExtended ? view.getUint16(24, true) : code
  if (kind !== 1 && kind !== 3) fail(`samples are written in format ${kind}, expected 1 (whole numbers) or 3 (floats). Convert the file to PCM`)
  const allowed = kind === 1 ? [8, 16, 24, 32] : [32, 64]
  if (!allowed.includes(bits)) fail(`samples have ${bits} bits, expected ${allowed.join(', ')}`)
  if (channels === 0) fail('the file has 0 channels, expected at least 1')
  if (sampleRateHz === 0) fail('the sample rate is 0 Hz, expected a number above 0')
  if (moment !== channels * (bits / 8)) fail(`${channels} channels of ${bits} bits take ${channels * (bits / 8)} bytes, but the header says ${moment}`)
  return { sampleRateHz, channels, bits: bits as WavHeader['bits'], isFloat: kind === 3 }
}

/** The header of a file of one channel of 16 bits: 44 bytes. @param length samples that follow; absent: unknown, for pipes */
export function wavHeader(sampleRateHz: number, length?: number): Uint8Array {
  const bytes = new Uint8Array(44)
  const view = new DataView(bytes.buffer)
  const put = (at: number, name: string) => bytes.set(new TextEncoder().encode(name), at)
  const size = length === undefined ? unknownSize : 2 * length
  put(0, 'RIFF')
  view.setUint32(4, length === undefined ? unknownSize : 36 + size, true)
  put(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true)
  view.setUint16(22, 1, true)
  view.setUint32(24, sampleRateHz, true)
  view.setUint32(28, 2 * sampleRateHz, true)
  view.setUint16(32, 2, true)
  view.setUint16(34, 16, true)
  put(36, 'data')
  view.setUint32(40, size, true)
  return bytes
}
