/** What --data stands for: a bundled sample by its name, a sound file, or a folder of them; as stretches. */
import { fingerprint, readerOf, readLabelledStretches, readStretches, readStretchesWithLabels, resampled, stretchesOf, type SoundReader, type SoundTokenizer, splitSounds } from '@chainrule/audio'
import { type Condition, InvalidOptionError, type JsonObject, labelNumber } from '@chainrule/core'
import { bundledSounds } from '../bundled.js'
import { readBundledSounds } from '../bundled-sounds.js'

export interface SoundDataOptions {
  data: string
  /** Resample to this rate; the files' own by default. */
  rate?: number
  /** Seconds of the longest stretch. */
  stretch?: number
  /** What a model is to be told of each sound: the file of labels of a folder of sounds; true: those of a bundled sample, or the folders within a folder. */
  labels?: string | true
}

export const defaultStretchSeconds = 10

export interface SoundData {
  readonly sounds: SoundReader[]
  /** What their labels are called, where they have labels. */
  readonly names?: readonly string[]
}

/** @throws {InvalidDataError} where nothing can be read */
export async function readSoundData({ data, rate, stretch = defaultStretchSeconds, labels }: SoundDataOptions, frameLength: number): Promise<SoundData> {
  if (!Object.hasOwn(bundledSounds, data)) {
    const options = { ...(rate !== undefined && { sampleRateHz: rate }), seconds: stretch, frameLength }
    if (typeof labels === 'string') return readStretchesWithLabels(data, labels, options)
    return labels ? readLabelledStretches(data, options) : { sounds: await readStretches(data, options) }
  }
  if (typeof labels === 'string') throw new InvalidOptionError(`--labels ${labels}: a file of labels belongs to a folder of sounds; ${data} brings its own. Say --labels alone.`)
  const recordings = await readBundledSounds(data)
  const names = [...new Set(recordings.map(({ label }) => label))].sort()
  const atRate = await Promise.all(recordings.map(async ({ sound, label }) => ({ ...(rate === undefined ? sound : await resampled(sound, rate)), ...(labels && { label: names.indexOf(label) }) })))
  return { sounds: atRate.flatMap((sound) => stretchesOf(readerOf(sound), stretch, frameLength)), ...(labels && { names }) }
}

/** As a model wants it that was trained on such data: at its rate, in whole frames, in stretches as long, with labels by its names. */
export async function readForModel({ data, labels }: Pick<SoundDataOptions, 'data' | 'labels'>, { sampleRateHz, frameLength }: SoundTokenizer, condition: Condition | undefined, { stretchSeconds }: JsonObject): Promise<SoundReader[]> {
  if (labels !== undefined && !condition) throw new InvalidOptionError('--labels: the model was not trained with labels, so they would change nothing. Leave it out.')
  const { sounds, names } = await readSoundData({ data, rate: sampleRateHz, ...(condition && { labels: labels ?? true }), ...(typeof stretchSeconds === 'number' && { stretch: stretchSeconds }) }, frameLength)
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

