/** WAV files of one channel and 16 bits, written at once or as the sound grows. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { InvalidOptionError, wholeNumber } from '@chainrule/core'
import { checkSound, type Sound } from '../sound.js'
import { wavHeader } from './wav-header.js'

/** Samples in −1 … 1 as 16-bit whole numbers, little-endian. @throws {InvalidDataError} */
export function pcm16(sound: Sound): Uint8Array {
  checkSound('pcm16', sound)
  const bytes = new Uint8Array(2 * sound.samples.length)
  const view = new DataView(bytes.buffer)
  sound.samples.forEach((amplitude, t) => view.setInt16(2 * t, Math.min(2 ** 15 - 1, Math.round(amplitude * 2 ** 15)), true))
  return bytes
}

export interface WavWriter {
  /** Appends samples in −1 … 1. After each call the file is a whole WAV file. */
  write(samples: Float32Array): void
  close(): void
}

/** The most samples that the sizes in a header can speak of. */
const mostSamples = Math.floor((2 ** 32 - 1 - 36) / 2)

/** A WAV file that grows. @throws {InvalidOptionError} where it grows beyond 4 GiB, the most that a WAV file holds */
export function wavWriter(path: string, sampleRateHz: number): WavWriter {
  wholeNumber('wavWriter', 'sampleRateHz', sampleRateHz)
  const file = openSync(path, 'w')
  let length = 0
  const header = () => writeSync(file, wavHeader(sampleRateHz, length), 0, 44, 0)
  header()
  return {
    write(samples) {
      if (length + samples.length > mostSamples) throw new InvalidOptionError(`${path}: a WAV file holds at most ${mostSamples} samples. Begin another one.`)
      const bytes = pcm16({ sampleRateHz, samples })
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, 44 + 2 * length + done)
      length += samples.length
      header()
    },
    close: () => closeSync(file),
  }
}

/** @throws {InvalidDataError} for samples that are no amplitudes */
export function writeWav(path: string, sound: Sound): void {
  checkSound('writeWav', sound)
  const writer = wavWriter(path, sound.sampleRateHz)
  try {
    writer.write(sound.samples)
  } finally {
    writer.close()
  }
}
