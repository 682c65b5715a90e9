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
