/** WAV files, read a stretch at a time: hours of sound need not fit in memory. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { InvalidDataError, wholeNumber } from '@chainrule/core'
import { readWavHeader, type WavHeader } from './wav-header.js'

export interface WavFile {
  readonly sampleRateHz: number
  /** Samples, after mixing the channels down to one. */
  readonly length: number
  readonly channels: number
  readonly bits: number
  readonly isFloat: boolean
  /** Samples begin … end − 1, the mean of all channels; whole numbers become −1 … 1. @throws {InvalidDataError} for a float that is no number */
  samples(begin: number, end: number): Float32Array
  close(): void
}

/** @throws {InvalidDataError} naming the file, where it is no WAV file, or one of a kind that is not read */
export function openWav(path: string): WavFile {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    throw new InvalidDataError(`${path}: cannot be opened: ${(error as Error).message}.`, { cause: error })
  }
  const read = (at: number, count: number): Uint8Array => {
    const bytes = new Uint8Array(count)
    let got = 0
    for (let more = -1; more !== 0 && got < count; got += more) more = readSync(file, bytes, got, count - got, at + got)
    return bytes.subarray(0, got)
  }
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) throw new InvalidDataError(`${path}: is no file. Expected a WAV file.`)
    const header = readWavHeader(path, read, stat.size)
    const { sampleRateHz, length, channels, bits, isFloat, begin: first } = header
    return {
      sampleRateHz,
      length,
      channels,
      bits,
      isFloat,
      samples(begin, end) {
        wholeNumber('samples', 'begin', begin, 0, length)
        wholeNumber('samples', 'end', end, begin, length)
        const moment = channels * (bits / 8)
        const bytes = read(first + begin * moment, (end - begin) * moment)
        if (bytes.length < (end - begin) * moment) throw new InvalidDataError(`${path}: ends in the middle of its samples; it was cut off while it was open.`)
        return mixedDown(path, bytes, header, begin)
      },
      close: () => closeSync(file),
    }
  } catch (error) {
    closeSync(file)
    throw error
  }
}

/** One number of each kind at a place of a view. */
function reader(view: DataView, { bits, isFloat }: WavHeader): (at: number) => number {
  if (isFloat) return bits === 32 ? (at) => view.getFloat32(at, true) : (at) => view.getFloat64(at, true)
  // Eight bits are written without a sign.
  if (bits === 8) return (at) => (view.getUint8(at) - 128) / 128
  if (bits === 16) return (at) => view.getInt16(at, true) / 2 ** 15
  if (bits === 24) return (at) => (view.getUint16(at, true) + 2 ** 16 * view.getInt8(at + 2)) / 2 ** 23
  return (at) => view.getInt32(at, true) / 2 ** 31
}

function mixedDown(path: string, bytes: Uint8Array, header: WavHeader, first: number): Float32Array {
  const { channels, bits, isFloat } = header
  const at = reader(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), header)
  const size = bits / 8
  const samples = new Float32Array(bytes.length / (channels * size))
  for (let t = 0; t < samples.length; t++) {
    let sum = 0
    for (let c = 0; c < channels; c++) sum += at((t * channels + c) * size)
    if (isFloat && !Number.isFinite(sum)) throw new InvalidDataError(`${path}: sample ${first + t} is ${Number.isNaN(sum) ? 'not a number' : 'infinite'}, expected −1 … 1. The file is damaged, or was computed wrongly.`)
    samples[t] = sum / channels
  }
  return samples
}
