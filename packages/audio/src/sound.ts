/** A sound: one channel of samples in time. */
import { type ConditionValues, InvalidDataError } from '@chainrule/core'

export interface Sound {
  readonly sampleRateHz: number
  /** Amplitudes from −1 to 1. */
  readonly samples: Float32Array
  /** A class, from 0: what a model with the condition `label` is told. */
  readonly label?: number
  /** An entry for each frame: what a model with the condition `controlSequence` is told. */
  readonly control?: ConditionValues
}

/** A sound, or a part of one, that is read a stretch at a time: an open WAV file is one. */
export interface SoundReader {
  readonly sampleRateHz: number
  /** In samples. */
  readonly length: number
  /** Samples begin … end − 1. */
  samples(begin: number, end: number): Float32Array
  /** As that of a sound. */
  readonly label?: number
}

/** A sound in memory, or one that is read when it is needed. */
export type AnySound = Sound | SoundReader

export const isInMemory = (sound: AnySound): sound is Sound => typeof (sound as AnySound | undefined)?.samples !== 'function'

/** A sound as one that is read. */
export function readerOf(sound: AnySound): SoundReader {
  if (!isInMemory(sound)) return sound
  const { sampleRateHz, samples, label } = sound
  return { sampleRateHz, length: samples.length, samples: (begin, end) => samples.subarray(begin, end), ...(label !== undefined && { label }) }
}

/** All of a sound in memory. */
export function wholeSound(sound: AnySound): Sound {
  if (isInMemory(sound)) return sound
  const { sampleRateHz, length, label } = sound
  return { sampleRateHz, samples: sound.samples(0, length), ...(label !== undefined && { label }) }
}

/** @throws {InvalidDataError} where it is no sound, or naming the first sample that is no amplitude, or a rate that is none */
export function checkSound(owner: string, sound: Sound): void {
  if (!((sound as Sound | undefined)?.samples instanceof Float32Array)) throw new InvalidDataError(`${owner}: expected a sound, { sampleRateHz, samples }, whose samples are a Float32Array. Read one with readSound.`)
  const { sampleRateHz, samples } = sound
  if (!(Number.isFinite(sampleRateHz) && sampleRateHz > 0)) throw new InvalidDataError(`${owner}: the sample rate is ${String(sampleRateHz)} Hz, expected a number above 0.`)
  const wrong = samples.findIndex((sample) => !(Math.abs(sample) <= 1))
  if (wrong >= 0) throw new InvalidDataError(`${owner}: sample ${wrong} is ${String(samples[wrong])}, expected −1 … 1. Scale the sound, or cut what is louder (clipped).`)
}

/** The sound with what is louder than full scale cut to it, as in any sound card. */
export function clipped(sound: Sound): Sound {
  return { ...sound, samples: sound.samples.map((sample) => Math.min(1, Math.max(-1, sample))) }
}

/** The sound without the last samples that do not fill a frame of this many. */
export function wholeFrames(sound: Sound, length: number): Sound {
  const { samples } = sound
  return { ...sound, samples: samples.subarray(0, samples.length - (samples.length % length)) }
}
