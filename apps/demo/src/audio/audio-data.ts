/** What --data stands for: a bundled sample by its name, a sound file, or a folder of them; as stretches. */
import { fingerprint, readerOf, readLabelledStretches, readStretches, resampled, stretchesOf, type SoundReader, type SoundTokenizer, splitSounds } from '@chainrule/audio'
import { type Condition, type JsonObject, labelNumber } from '@chainrule/core'
import { bundledSounds } from '../bundled.js'
import { readBundledSounds } from '../bundled-sounds.js'

export interface SoundDataOptions {
  data: string
  /** Resample to this rate; the files' own by default. */
  rate?: number
  /** Seconds of the longest stretch. */
  stretch?: number
  /** Whether a model is to be told the labels: those of a bundled sample, or the folders within a folder. */
  labels?: boolean
}

export const defaultStretchSeconds = 10

export interface SoundData {
  readonly sounds: SoundReader[]
  /** What their labels are called, where they have labels. */
  readonly names?: readonly string[]
}

/** @throws {InvalidDataError} where nothing can be read */
export async function readSoundData({ data, rate, stretch = defaultStretchSeconds, labels = false }: SoundDataOptions, frameLength: number): Promise<SoundData> {
  if (!Object.hasOwn(bundledSounds, data)) {
    const options = { ...(rate !== undefined && { sampleRateHz: rate }), seconds: stretch, frameLength }
    return labels ? readLabelledStretches(data, options) : { sounds: await readStretches(data, options) }
  }
  const recordings = await readBundledSounds(data)
  const names = [...new Set(recordings.map(({ label }) => label))].sort()
  const atRate = await Promise.all(recordings.map(async ({ sound, label }) => ({ ...(rate === undefined ? sound : await resampled(sound, rate)), ...(labels && { label: names.indexOf(label) }) })))
  return { sounds: atRate.flatMap((sound) => stretchesOf(readerOf(sound), stretch, frameLength)), ...(labels && { names }) }
}

/** As a model wants it that was trained on such data: at its rate, in whole frames, in stretches as long, with labels by its names. */
export async function readForModel(data: string, { sampleRateHz, frameLength }: SoundTokenizer, condition: Condition | undefined, { stretchSeconds }: JsonObject): Promise<SoundReader[]> {
  const { sounds, names } = await readSoundData({ data, rate: sampleRateHz, labels: condition !== undefined, ...(typeof stretchSeconds === 'number' && { stretch: stretchSeconds }) }, frameLength)
  if (!condition?.names || !names) return sounds
  const numbers = names.map((name) => labelNumber(data, condition, name))
  return sounds.map((sound) => ({ ...sound, label: numbers[sound.label!] }))
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

