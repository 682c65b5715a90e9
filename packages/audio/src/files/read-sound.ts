/** Sound files whole: WAV by our own reader, others by a decoder; channels mixed down, resampled, cut to full scale. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { InvalidDataError, InvalidOptionError, refuseUnknownOptions, wholeNumber } from '@chainrule/core'
import { clipped, type Sound } from '../sound.js'
import { openWav } from './read-wav.js'

export interface ReadSoundOptions {
  /** Resamples to this rate; absent: the file's own. */
  sampleRateHz?: number
}

export const soundExtensions: readonly string[] = ['.wav', '.flac', '.ogg', '.oga', '.opus', '.mp3']

/** @throws {InvalidDataError} naming the file, where it is no sound */
export async function readSound(path: string, options: ReadSoundOptions = {}): Promise<Sound> {
  refuseUnknownOptions('readSound', options, ['sampleRateHz'])
  const wanted = options.sampleRateHz === undefined ? undefined : wholeNumber('readSound', 'sampleRateHz', options.sampleRateHz)
  if (typeof path !== 'string') throw new InvalidOptionError(`readSound: expected the path of a sound file, got ${String(path)}.`)
  const extension = extname(path).toLowerCase()
  if (!soundExtensions.includes(extension)) throw new InvalidDataError(`${path}: not a sound file that is known by its name. Expected one of ${soundExtensions.join(', ')}.`)
  const sound = extension === '.wav' ? readWav(path) : await decoded(path)
  return clipped(wanted === undefined ? sound : await resampled(sound, wanted))
}

function readWav(path: string): Sound {
  const file = openWav(path)
  try {
    return { sampleRateHz: file.sampleRateHz, samples: file.samples(0, file.length) }
  } finally {
    file.close()
  }
}

/** Any compressed file; the decoder is loaded when the first one is read. */
async function decoded(path: string): Promise<Sound> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new InvalidDataError(`${path}: cannot be opened: ${error.message}.`, { cause: error })
  })
  const { default: decode } = await import('audio-decode')
  const { channelData, sampleRate } = await decode(new Uint8Array(bytes)).catch((error: unknown) => {
    throw new InvalidDataError(`${path}: cannot be decoded: ${error instanceof Error ? error.message : String(error)}. Expected a sound file as its name says.`, { cause: error })
  })
  const length = channelData[0]?.length ?? 0
  if (length === 0) throw new InvalidDataError(`${path}: no sample could be decoded. The file is empty, damaged, or not what its name says.`)
  const amplitudeOf = extname(path).toLowerCase() === '.flac' ? amplitudeOfFlac(bytes) : (decoded: number) => decoded
  const samples = Float32Array.from({ length }, (_, t) => channelData.reduce((sum, channel) => sum + amplitudeOf(channel[t]), 0) / channelData.length)
  const wrong = samples.findIndex((sample) => !Number.isFinite(sample))
  if (wrong >= 0) throw new InvalidDataError(`${path}: sample ${wrong} is no number. The file is damaged.`)
  return { sampleRateHz: sampleRate, samples }
}

/**
 * FLAC is to lose nothing, but its decoder divides whole numbers of b bits by 2ᵇ⁻¹ − 1, where everything here has 2ᵇ⁻¹: they are found again, and divided anew.
 * b − 1 stands in bits 103 to 107 of STREAMINFO, the first block after the four letters.
 */
function amplitudeOfFlac(file: Buffer): (decoded: number) => number {
  const at = file.indexOf('fLaC') + 8
  const full = 2 ** (((file[at + 12] & 1) << 4) | (file[at + 13] >> 4))
  return (decoded) => Math.round(decoded * (full - 1)) / full
}

/** The sound at another rate, by libsamplerate's best band-limited interpolation (a polyphase sinc filter; 97 % of the band, 145 dB). It keeps its label; a control sequence belongs to the old frames. */
export async function resampled(sound: Sound, sampleRateHz: number): Promise<Sound> {
  if (sound.sampleRateHz === sampleRateHz) return sound
  const ratio = sampleRateHz / sound.sampleRateHz
  if (!(ratio >= 1 / 256 && ratio <= 256)) throw new InvalidDataError(`resampled: from ${sound.sampleRateHz} to ${sampleRateHz} Hz is a ratio beyond 256. The rate of the file is probably wrong.`)
  const { default: library } = await import('@alexanderolsen/libsamplerate-js')
  const converter = await library.create(1, sound.sampleRateHz, sampleRateHz, { converterType: library.ConverterType.SRC_SINC_BEST_QUALITY })
  try {
    const { label } = sound
    return { sampleRateHz, samples: converter.simple(sound.samples).slice(), ...(label !== undefined && { label }) }
  } finally {
    converter.destroy()
  }
}

/**
 * All sounds of a folder, in the order of their names; other files and folders within are passed over.
 * @throws {InvalidDataError} where there is none, or where rates differ and no `sampleRateHz` is given
 */
export async function readSounds(folder: string, options: ReadSoundOptions = {}): Promise<Sound[]> {
  refuseUnknownOptions('readSounds', options, ['sampleRateHz'])
  const isFolder = await stat(folder).then((entry) => entry.isDirectory(), () => false)
  if (!isFolder) throw new InvalidDataError(`${folder}: not a folder. Expected one with sound files in it.`)
  const names = (await readdir(folder)).filter((name) => soundExtensions.includes(extname(name).toLowerCase())).sort()
  if (names.length === 0) throw new InvalidDataError(`${folder}: has no sound file. Expected one of ${soundExtensions.join(', ')}.`)
  const sounds: Sound[] = []
  for (const name of names) {
    const sound = await readSound(join(folder, name), options)
    const [first] = sounds
    if (first && sound.sampleRateHz !== first.sampleRateHz) throw new InvalidDataError(`${join(folder, name)}: ${sound.sampleRateHz} Hz, but ${names[0]} has ${first.sampleRateHz}. Give sampleRateHz, to which all are resampled.`)
    sounds.push(sound)
  }
  return sounds
}
