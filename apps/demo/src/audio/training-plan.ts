/** What `train audio` is going to do, decided and checked before anything is written: a fresh run, or one to go on with. */
import { describe, InvalidDataError, InvalidOptionError } from '@chainrule/core'
import * as modality from '@chainrule/audio'
import {
  type AudioModel,
  describeData,
  describeRun,
  type EncodingName,
  fingerprint,
  label,
  labelsFingerprint,
  type LoadedAudio,
  predictionFilter,
  type Preset,
  presetModel,
  presetNamed,
  readRun,
  type RunDescription,
  type SoundReader,
  splitSounds,
  type SplitOptions,
  wholeSound,
} from '@chainrule/audio'
import { initialState, stateOf } from '@chainrule/train'
import { sourceAt } from '../source.js'
import type { TrainingPlan } from '../training.js'
import { defaultHeldOut, defaultPreset, hasSettingsOf, refuseContradiction, refuseContradictions, settingsOf, type TrainOptions, validationOf } from '../training-options.js'
import { shareableCommand } from '../wording.js'
import { defaultStretchSeconds, readForModel, readSoundData, type SoundData, type SoundDataOptions } from './audio-data.js'
import { soundNetworkNamed } from './network-named.js'

export interface AudioTrainOptions extends TrainOptions, SoundDataOptions {
  encoding?: EncodingName
  levels?: number
  /** Samples of a variable. */
  frame?: number
  /** Frames of a training window. */
  window?: number
  network?: string
}

export interface AudioTrainingPlan extends TrainingPlan<AudioModel, RunDescription> {
  readonly sounds: { readonly training: readonly SoundReader[]; readonly validation: readonly SoundReader[]; readonly heldOut: readonly SoundReader[] }
}

/** @throws {InvalidDataError} naming a sound that is shorter than a training window */
function checkLengths(path: string, sounds: readonly SoundReader[], { tokenizer: { frameLength } }: AudioModel, window: number): void {
  const short = sounds.findIndex(({ length }) => length / frameLength < window)
  if (short >= 0) throw new InvalidDataError(`${path}: sound ${short} has ${sounds[short].length / frameLength} frames, a training window needs ${window}. Leave it out, or use a smaller --window.`)
}

/** Sounds that a filter is found in, taken evenly: of hours of sound, as many as fit into memory. */
const mostFiltered = 100

/** What a linear filter foresees of the sounds to train on. */
function filterOf(sounds: readonly SoundReader[], split: SplitOptions): number[] {
  const { training } = splitSounds(sounds, split)
  const every = Math.max(1, training.length / mostFiltered)
  return predictionFilter(Array.from({ length: Math.ceil(training.length / every) }, (_, at) => wholeSound(training[Math.floor(at * every)])))
}

/** The pieces of a preset with what the command line changes. */
function modelFor(preset: Preset, { encoding, levels, frame: frameLength, network, window = preset.window }: AudioTrainOptions, { sounds, names }: SoundData, split: SplitOptions): AudioModel {
  return presetModel(preset, sounds[0].sampleRateHz, {
    encoding,
    levels,
    frameLength,
    ...(network === undefined ? preset.prediction && { filter: filterOf(sounds, split) } : { network: () => soundNetworkNamed(network, window) }),
    ...(names && { condition: label({ names }) }),
  })
}

const belongsToPieces = ['encoding', 'levels', 'frame', 'rate', 'network'] as const

/** @throws {InvalidDataError | InvalidOptionError} */
export async function freshAudioPlan(options: AudioTrainOptions): Promise<AudioTrainingPlan> {
  const { data: path, from, preset = defaultPreset, stretch = defaultStretchSeconds } = options
  const foreign = from === undefined ? undefined : (['preset', ...belongsToPieces] as const).find((name) => options[name] !== undefined)
  if (foreign) throw new InvalidOptionError(`--${foreign} ${String(options[foreign])} contradicts --from ${from}, whose pieces and settings are taken. Leave one of the two out.`)
  const source = from === undefined ? undefined : await sourceAt<AudioModel, LoadedAudio>(modality, from)
  const chosen = presetNamed(preset)
  const split = { heldOut: options.heldOut ?? defaultHeldOut, validation: options.validation ?? 0, seed: options.seed ?? 0 }
  if (source && options.labels && !source.model.model.condition) throw new InvalidOptionError(`--labels: ${from} was not trained with labels, so they would change nothing. Leave it out.`)
  const read: SoundData = source ? { sounds: await readForModel(options, source.model.tokenizer, source.model.model.condition, { stretchSeconds: stretch }) } : await readSoundData(options, options.frame ?? chosen.frameLength)
  const { sounds } = read
  const model = source?.model ?? modelFor(chosen, options, read, split)
  const settings = settingsOf(source?.settings ?? chosen.settings, options)
  const window = options.window ?? source?.window ?? chosen.window
  checkLengths(path, sounds, model, window)
  const data = describeData(path, sounds, split, stretch, { ...(model.model.condition && { labelsSha256: labelsFingerprint(sounds) }) })
  const description = describeRun(model, window, settings, data, { ...validationOf(options, settings, 'sounds', data.validation > 0), ...(source && { from: source.from }), command: shareableCommand(process.argv.slice(2)) })
  return { sounds: splitSounds(sounds, split), model, description, state: source ? stateOf(model.model, source.parameters) : initialState(model.model, settings.seed), isResumed: false }
}

/** @throws {InvalidDataError} for other sounds. @throws {InvalidOptionError} naming an option that contradicts the run */
export async function resumedAudioPlan(options: AudioTrainOptions): Promise<AudioTrainingPlan> {
  const { description, model, state, best } = await readRun(options.out)
  refuseOthers(options, description, model)
  const { data } = description
  const sounds = await readForModel({ data: options.data, labels: data.labelsSha256 === undefined ? undefined : options.labels }, model.tokenizer, model.model.condition, data)
  const sha256 = fingerprint(sounds)
  if (sha256 !== data.sha256) throw new InvalidDataError(`${options.data} are not the sounds that ${options.out} was trained on: expected ${data.file} with SHA-256 ${data.sha256}, got ${sha256}. Give the same ones, or train anew in another folder.`)
  if (data.labelsSha256 !== undefined && labelsFingerprint(sounds) !== data.labelsSha256) throw new InvalidDataError(`${options.data}: its labels are not those that ${options.out} was trained with. Give the same ones, or train anew in another folder.`)
  return { sounds: splitSounds(sounds, { heldOut: data.heldOut, validation: data.validation, seed: data.splitSeed }), model, description, state, best, isResumed: true }
}

function refuseOthers(options: AudioTrainOptions, description: RunDescription, { tokenizer }: AudioModel): void {
  const { settings, data, window, network } = description
  const encoding = tokenizer.options.encoding as unknown as { readonly name: string }
  refuseContradictions(options, description, [
    ['held-out', options.heldOut, data.heldOut],
    ['validation', options.validation, data.validation],
    ['rate', options.rate, tokenizer.sampleRateHz],
    ['stretch', options.stretch, data.stretchSeconds],
    ['window', options.window, window],
    ['frame', options.frame, tokenizer.frameLength],
    ['encoding', options.encoding, encoding.name === 'muLaw' ? 'mu-law' : encoding.name],
    ['levels', options.levels, tokenizer.domain.values],
    ['labels', options.labels === undefined ? undefined : true, data.labelsSha256 !== undefined],
    ['network', options.network && JSON.stringify(describe(soundNetworkNamed(options.network, window))), JSON.stringify(network)],
  ])
  if (options.preset === undefined) return
  const asked = presetNamed(options.preset)
  const { filter } = (network.options.prediction ?? {}) as { filter?: readonly number[] }
  const sameNetwork = options.network !== undefined || JSON.stringify(describe(asked.network(filter))) === JSON.stringify(network)
  if (!hasSettingsOf(asked, settings) || !sameNetwork) refuseContradiction(options.out, 'preset', options.preset, 'another network or other settings')
}
