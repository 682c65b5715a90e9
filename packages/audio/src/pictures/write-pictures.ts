/**
 * Sounds as pictures, PNG: the wave, from its lowest to its highest sample in each column, and the spectrogram, time to the right, frequency upwards,
 * from black (−90 dB and less) over red to white (−10 dB and more). Several sounds stand one below the other. Time is to the same scale for all.
 */
import { writeFileSync } from 'node:fs'
import { InvalidDataError, refuseUnknownOptions, wholeNumber } from '@chainrule/core'
import { encode } from 'fast-png'
import { checkSound, type Sound } from '../sound.js'
import { spectrogram } from './spectrum.js'

export interface PictureOptions {
  /** Pixels of the longest sound (600). */
  width?: number
  /** Pixels of each sound (120). */
  height?: number
}

const gap = 4
const [line, zero] = [[31, 78, 140], [200, 205, 212]]
const [black, white] = [-90, -10]

/** The waves of sounds: −1 … 1 upwards. @throws {InvalidDataError} for none, an empty one, or a path that cannot be written */
export function writeWaveform(path: string, sounds: Sound | readonly Sound[], options: PictureOptions = {}): void {
  drawEach('writeWaveform', path, sounds, options, ({ samples }, columns, height, paint) => {
    const row = (amplitude: number) => Math.min(height - 1, Math.floor(((1 - amplitude) / 2) * height))
    for (let column = 0; column < columns; column++) {
      const [first, end] = [Math.floor((column * samples.length) / columns), Math.max(Math.floor((column * samples.length) / columns) + 1, Math.floor(((column + 1) * samples.length) / columns))]
      let [low, high] = [1, -1]
      for (let t = first; t < end; t++) [low, high] = [Math.min(low, samples[t]), Math.max(high, samples[t])]
      paint(column, row(0), zero)
      for (let y = row(high); y <= row(low); y++) paint(column, y, line)
    }
  })
}

/** The spectrograms of sounds: 0 Hz to half the sample rate upwards. @throws {InvalidDataError} for none, an empty one, or a path that cannot be written */
export function writeSpectrogram(path: string, sounds: Sound | readonly Sound[], options: PictureOptions = {}): void {
  drawEach('writeSpectrogram', path, sounds, options, (sound, columns, height, paint) => {
    const window = 2 ** Math.ceil(Math.log2(Math.min(1024, Math.max(64, sound.sampleRateHz / 40))))
    const { times, frequencies, power } = spectrogram(sound, { window, step: Math.max(1, Math.min(window / 4, Math.floor(sound.samples.length / columns))) })
    for (let column = 0; column < columns; column++) {
      const m = Math.min(times - 1, Math.floor(((column + 0.5) * times) / columns))
      for (let y = 0; y < height; y++) {
        const k = Math.min(frequencies - 1, Math.floor(((height - y - 0.5) * frequencies) / height))
        const decibels = 10 * Math.log10(power[m * frequencies + k] + 1e-30)
        paint(column, y, heat((decibels - black) / (white - black)))
      }
    }
  })
}

/** 0 … 1 → black, violet, red, yellow, white. */
function heat(share: number): number[] {
  const stops = [[0, 0, 0], [60, 15, 110], [190, 40, 70], [250, 170, 40], [255, 255, 235]]
  const at = Math.min(1, Math.max(0, share)) * (stops.length - 1)
  const below = Math.min(stops.length - 2, Math.floor(at))
  return stops[below].map((value, channel) => Math.round(value + (at - below) * (stops[below + 1][channel] - value)))
}

type Paint = (x: number, y: number, color: readonly number[]) => void

function drawEach(owner: string, path: string, given: Sound | readonly Sound[], options: PictureOptions, draw: (sound: Sound, columns: number, height: number, paint: Paint) => void): void {
  refuseUnknownOptions(owner, options, ['width', 'height'])
  const width = wholeNumber(owner, 'width', options.width ?? 600, 1, 16_384)
  const height = wholeNumber(owner, 'height', options.height ?? 120, 1, 4_096)
  const sounds = Array.isArray(given) ? (given as readonly Sound[]) : [given as Sound]
  if (sounds.length === 0) throw new InvalidDataError(`${owner}: there is no sound to draw.`)
  sounds.forEach((sound, which) => {
    checkSound(owner, sound)
    if (sound.samples.length === 0) throw new InvalidDataError(`${owner}: sound ${which} has no samples.`)
  })
  const longest = Math.max(...sounds.map(({ samples, sampleRateHz }) => samples.length / sampleRateHz))
  const rows = sounds.length * (height + gap) - gap
  const data = new Uint8Array(width * rows * 3).fill(255)
  sounds.forEach((sound, which) => {
    const columns = Math.max(1, Math.round((width * (sound.samples.length / sound.sampleRateHz)) / longest))
    draw(sound, columns, height, (x, y, color) => data.set(color, ((which * (height + gap) + y) * width + x) * 3))
  })
  try {
    writeFileSync(path, encode({ width, height: rows, data, channels: 3, depth: 8 }))
  } catch (error) {
    throw new InvalidDataError(`${path}: cannot be written: ${(error as Error).message}.`, { cause: error })
  }
}
