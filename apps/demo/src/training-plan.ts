/** What `train` is going to do, decided and checked before anything is written: a fresh run, or one to go on with. */
import { InvalidDataError, InvalidOptionError } from '@chainrule/core'
import {
  byte,
  character,
  contextOf,
  describeData,
  describeRun,
  type Preset,
  presetModel,
  presetNamed,
  readRun,
  readText,
  type RunDescription,
  splitHeldOut,
  type TextModel,
  type TextTokenizer,
  type TrainingState,
} from '@chainrule/text'
import { initialState, type ResolvedSettings, resolveSettings } from '@chainrule/train'
import { located } from './failure.js'
import { count, counted } from './wording.js'

export interface TrainOptions {
  data: string
  out: string
  preset?: string
  tokenizer?: 'character' | 'byte'
  heldOut?: number
  steps?: number
  seed?: number
  resume?: boolean
}

export interface TrainingPlan {
  readonly text: string
  readonly model: TextModel
  readonly description: RunDescription
  readonly state: TrainingState
  readonly isResumed: boolean
}

const defaultPreset = 'small'
const defaultHeldOut = 0.1

/** A preset's settings; the warm-up shrinks with the number of steps. */
function settingsOf({ settings }: Preset, steps = settings.steps, seed = 0): ResolvedSettings {
  return resolveSettings({ ...settings, steps, seed, warmupSteps: Math.min(settings.warmupSteps ?? Infinity, Math.floor(steps / 20)) })
}

function tokenizerNamed(name: 'character' | 'byte', path: string, text: string): TextTokenizer {
  if (name === 'byte') return byte()
  if (new Set(text).size < 2) throw new InvalidDataError(`${path}: the text is one character over and over; there is nothing to learn. Use a text of at least 2 different characters.`)
  return character({ characters: text })
}

/** @throws {InvalidDataError} where the part to train on is shorter than a window */
function checkLength(path: string, text: string, { tokenizer }: TextModel, { window, data }: RunDescription): void {
  const tokens = located(path, () => tokenizer.encode(text.slice(0, data.heldOutBegin))).length
  if (tokens >= window) return
  const heldOut = data.heldOutEnd > data.heldOutBegin ? ` after holding out ${counted(data.heldOutEnd - data.heldOutBegin, 'character')}` : ''
  throw new InvalidDataError(`${path}: too short: ${counted(tokens, 'token')} to train on${heldOut}, a training window needs ${window}. Use a longer text.`)
}

/** @throws {InvalidDataError | InvalidOptionError} */
export async function freshPlan(options: TrainOptions): Promise<TrainingPlan> {
  const text = await readText(options.data)
  const preset = presetNamed(options.preset ?? defaultPreset)
  const model = presetModel(preset, tokenizerNamed(options.tokenizer ?? 'character', options.data, text))
  const settings = settingsOf(preset, options.steps, options.seed)
  const data = describeData(options.data, text, splitHeldOut(text, options.heldOut ?? defaultHeldOut))
  const description = describeRun(model, contextOf(model.model)!, settings, data)
  checkLength(options.data, text, model, description)
  return { text, model, description, state: initialState(model.model, settings.seed), isResumed: false }
}

/** @throws {InvalidDataError} for another text. @throws {InvalidOptionError} naming an option that contradicts the run */
export async function resumedPlan(options: TrainOptions): Promise<TrainingPlan> {
  const { description, textModel: model, state } = await readRun(options.out)
  const text = await readText(options.data)
  refuseContradictions(options, description, text)
  const { sha256 } = describeData(options.data, text, { begin: 0, end: 0 })
  if (sha256 !== description.data.sha256) {
    throw new InvalidDataError(
      `${options.data} is not the text that ${options.out} was trained on: expected ${description.data.file} with SHA-256 ${description.data.sha256}, got ${sha256}. Give the same file, or train anew in another folder.`,
    )
  }
  return { text, model, description, state, isResumed: true }
}

function refuseContradictions({ out, preset, tokenizer, heldOut, steps, seed }: TrainOptions, { network, settings, data, tokenizer: storedTokenizer }: RunDescription, text: string): void {
  const refuse = (option: string, given: unknown, stored: unknown) => {
    throw new InvalidOptionError(`--${option} ${String(given)} contradicts ${out}, which was begun with ${String(stored)}. A run goes on with its own settings: leave --${option} out, or train anew in another folder.`)
  }
  if (steps !== undefined && steps !== settings.steps) refuse('steps', steps, settings.steps)
  if (seed !== undefined && seed !== settings.seed) refuse('seed', seed, settings.seed)
  if (tokenizer !== undefined && tokenizer !== storedTokenizer.name) refuse('tokenizer', tokenizer, storedTokenizer.name)
  if (heldOut !== undefined && splitHeldOut(text, heldOut).begin !== data.heldOutBegin) {
    refuse('held-out', heldOut, `${count(data.heldOutEnd - data.heldOutBegin)} characters held out`)
  }
  if (preset !== undefined) {
    const asked = presetNamed(preset)
    const sameSettings = JSON.stringify(settingsOf(asked, settings.steps, settings.seed)) === JSON.stringify(settings)
    const sameNetwork = JSON.stringify(presetModel(asked, byte()).model.network.options) === JSON.stringify(network.options)
    if (!sameSettings || !sameNetwork) refuse('preset', preset, 'another network or other settings')
  }
}
