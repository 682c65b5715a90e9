/** What --data stands for: a bundled sample by its name, a sound file, or a folder of them; as stretches. */
import { fingerprint, readerOf, readStretches, resampled, stretchesOf, type SoundReader, type SoundTokenizer, splitSounds } from '@chainrule/audio'
import type { JsonObject } from '@chainrule/core'
import { bundledSounds } from '../bundled.js'
import { readBundledSounds } from '../bundled-sounds.js'

export interface SoundDataOptions {
  data: string
  /** Resample to this rate; the files' own by default. */
  rate?: number
  /** Seconds of the longest stretch. */
  stretch?: number
}

export const defaultStretchSeconds = 10

/** @throws {InvalidDataError} where nothing can be read */
export async function readSoundData({ data, rate, stretch = defaultStretchSeconds }: SoundDataOptions, frameLength: number): Promise<SoundReader[]> {
  if (!Object.hasOwn(bundledSounds, data)) return readStretches(data, { ...(rate !== undefined && { sampleRateHz: rate }), seconds: stretch, frameLength })
  const sounds = await readBundledSounds(data)
  const atRate = await Promise.all(sounds.map(async ({ sound }) => (rate === undefined ? sound : resampled(sound, rate))))
  return atRate.flatMap((sound) => stretchesOf(readerOf(sound), stretch, frameLength))
}

/** As a model wants it that was trained on such data: at its rate, in whole frames, in stretches as long. */
export function readForModel(data: string, { sampleRateHz, frameLength }: SoundTokenizer, { stretchSeconds }: JsonObject): Promise<SoundReader[]> {
  return readSoundData({ data, rate: sampleRateHz, ...(typeof stretchSeconds === 'number' && { stretch: stretchSeconds }) }, frameLength)
}

/** Which of some sounds a measurement is about, and why. */
export interface Part {
  readonly part: 'held out' | 'all'
  readonly why: string
  readonly sounds: readonly SoundReader[]
}

/** Of the sounds that a model was trained on, those held out; of others all. */
export function partToMeasure(sounds: readonly SoundReader[], trainedOn: JsonObject): Part {
  const { sha256, heldOut, validation, splitSeed } = trainedOn
  if (fingerprint(sounds) !== sha256) return { part: 'all', why: 'they are not the sounds that the model was trained on', sounds }
  if (typeof heldOut !== 'number' || heldOut === 0) return { part: 'all', why: 'the model was trained on all of them, so this says nothing about others', sounds }
  const split = splitSounds(sounds, { heldOut, validation: Number(validation ?? 0), seed: Number(splitSeed) })
  return { part: 'held out', why: `${split.heldOut.length} of ${sounds.length}, which the model has not seen`, sounds: split.heldOut }
}

