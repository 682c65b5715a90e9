/** What `train` is going to do, decided and checked before anything is written: a fresh run, or one to go on with. */
import { basename, resolve } from 'node:path'
import { InvalidDataError, InvalidOptionError } from '@chainrule/core'
import {
  byte,
  contextOf,
  describeData,
  describeRun,
  presetModel,
  presetNamed,
  readRun,
  type RunData,
  type RunDescription,
  splitHeldOut,
  splitValidation,
  type TextData,
  type TextModel,
  trainingEnd,
  type TrainingState,
} from '@chainrule/text'
import { type BestParameters, initialState, type ResolvedSettings, stateOf } from '@chainrule/train'
import { located } from './failure.js'
import { type Source, sourceAt } from './source.js'
import { checkTokens, type DataOptions, readAsTrained, readData, readingOf } from './text-data.js'
import { contradictionOf, labelOf, tokenizerFor, type TokenizerOptions } from './tokenizers.js'
import { settingsOf } from './trainings.js'
import { count, counted, shareableCommand } from './wording.js'

export interface TrainOptions extends DataOptions, TokenizerOptions {
  out: string
  preset?: string
  heldOut?: number
  /** Fractions of the text or of all documents, as heldOut; 0 by default. */
  validation?: number
  /** Updates between two validations; a twentieth of all by default. */
  validateEvery?: number
  patience?: number
  steps?: number
  seed?: number
  learningRate?: number
  accumulation?: number
  averageDecay?: number
  /** A run or an exported model to begin with. */
  from?: string
  resume?: boolean
}

export interface TrainingPlan {
  readonly text: TextData
  readonly model: TextModel
  readonly description: RunDescription
  readonly state: TrainingState
  readonly best?: BestParameters
  readonly isResumed: boolean
}

const defaultPreset = 'small'
const defaultHeldOut = 0.1

/** @throws {InvalidDataError} where the part to train on is shorter than a window, or no document */
function checkLength(path: string, text: TextData, { tokenizer }: TextModel, { window, data }: RunDescription): void {
  const toTrainOn = text.slice(0, trainingEnd(data))
  if (typeof toTrainOn !== 'string') {
    if (toTrainOn.length === 0) throw new InvalidDataError(`${path}: ${counted(text.length, 'document')} in all leave none to train on. Use more documents, or hold out less.`)
    return
  }
  const tokens = located(path, () => tokenizer.encode(toTrainOn)).length
  if (tokens >= window) return
  const kept = text.length - trainingEnd(data)
  const heldOut = kept > 0 ? ` after holding out ${counted(kept, 'character')}` : ''
  throw new InvalidDataError(`${path}: too short: ${counted(tokens, 'token')} to train on${heldOut}, a training window needs ${window}. Use a longer text.`)
}

/** What a new training begins with: the model of a preset, or another one as it was trained. */
async function beginning(options: TrainOptions, text: TextData, toTrainOn: TextData): Promise<Omit<Source, 'parameters' | 'from'> & Partial<Source>> {
  const { from, preset, tokenizer, data } = options
  const documents = typeof text !== 'string'
  if (from === undefined) {
    const chosen = presetNamed(preset ?? defaultPreset)
    const model = presetModel(chosen, await tokenizerFor(options, data, text, toTrainOn), documents)
    return { model, settings: chosen.settings, window: contextOf(model.model)! }
  }
  if (preset !== undefined) throw new InvalidOptionError(`--preset ${preset} contradicts --from ${from}, whose pieces and settings are taken. Leave one of the two out.`)
  const source = await sourceAt(from)
  const contradiction = await contradictionOf(options, source.model.tokenizer)
  if (contradiction) throw new InvalidOptionError(`--${contradiction} ${String(contradiction === 'tokenizer' ? tokenizer : options.vocabulary)} contradicts --from ${from}, which has ${count(source.model.tokenizer.domain.values)} ${labelOf(source.model.tokenizer)} tokens. A model goes on with its own tokenizer: leave --${contradiction} out.`)
  if (source.model.documents && !documents) throw new InvalidOptionError(`${from} is a model of documents. Say what a document of ${data} is (--documents).`)
  if (!source.model.documents && documents) throw new InvalidOptionError(`--documents ${options.documents} contradicts --from ${from}, whose text has no end. Leave one of the two out.`)
  return source
}

/** @throws {InvalidDataError | InvalidOptionError} */
export async function freshPlan(options: TrainOptions): Promise<TrainingPlan> {
  const text = await readData(options)
  const heldOut = splitHeldOut(text, options.heldOut ?? defaultHeldOut)
  const validationBegin = splitValidation(text, heldOut.begin, options.validation ?? 0)
  const { model, parameters, settings: known, window, from } = await beginning(options, text, text.slice(0, validationBegin ?? heldOut.begin))
  const settings = settingsOf(known, options)
  const data = { ...describeData(options.data, text, { ...heldOut, validationBegin }), ...readingOf(options) }
  const description = describeRun(model, window, settings, data, { ...validationOf(options, data, settings), ...(from && { from }), command: shareableCommand(process.argv.slice(2)) })
  checkLength(options.data, text, model, description)
  checkTokens(options.data, text, model.tokenizer) // also the parts that are only measured
  return { text, model, description, state: parameters ? stateOf(model.model, parameters) : initialState(model.model, settings.seed), isResumed: false }
}

function validationOf({ validateEvery, patience }: TrainOptions, { validationBegin }: RunData, { steps }: ResolvedSettings): Pick<RunDescription, 'validation'> {
  if (validationBegin === undefined) {
    const [option] = Object.entries({ '--validate-every': validateEvery, '--patience': patience }).find(([, value]) => value !== undefined) ?? []
    if (option) throw new InvalidOptionError(`${option} needs a part of the text to validate with: say how much (--validation 0.05, for example).`)
    return {}
  }
  return { validation: { everySteps: validateEvery ?? Math.max(1, Math.floor(steps / 20)), ...(patience !== undefined && { patience }) } }
}

/** @throws {InvalidDataError} for another text. @throws {InvalidOptionError} naming an option that contradicts the run */
export async function resumedPlan(options: TrainOptions): Promise<TrainingPlan> {
  const { description, model, state, best } = await readRun(options.out)
  const text = await readData(readAsTrained({ data: options.data }, description.data))
  await refuseContradictions(options, description, model, text)
  const { sha256 } = describeData(options.data, text, { begin: 0, end: 0 })
  if (sha256 !== description.data.sha256) {
    throw new InvalidDataError(
      `${options.data} is not the text that ${options.out} was trained on: expected ${description.data.file} with SHA-256 ${description.data.sha256}, got ${sha256}. Give the same file, or train anew in another folder.`,
    )
  }
  return { text, model, description, state, best, isResumed: true }
}

async function refuseContradictions(options: TrainOptions, { network, settings, data, validation, from }: RunDescription, { tokenizer }: TextModel, text: TextData): Promise<void> {
  const refuse = (option: string, given: unknown, stored: unknown) => {
    throw new InvalidOptionError(`--${option} ${String(given)} contradicts ${options.out}, which was begun with ${String(stored)}. A run goes on with its own settings: leave --${option} out, or train anew in another folder.`)
  }
  const same: [option: string, given: unknown, stored: unknown][] = [
    ['steps', options.steps, settings.steps],
    ['seed', options.seed, settings.seed],
    ['learning-rate', options.learningRate, settings.learningRate],
    ['accumulation', options.accumulation, settings.accumulation],
    ['average-decay', options.averageDecay, settings.averageDecay],
    ['documents', options.documents, data.documents ?? 'one text'],
    ['field', options.field, data.field ?? 'no field'],
    ['validate-every', options.validateEvery, validation?.everySteps ?? 'no validation'],
    ['patience', options.patience, validation?.patience ?? 'none'],
    ['from', options.from && basename(resolve(options.from)), from?.name ?? 'fresh parameters'],
  ]
  for (const [option, given, stored] of same) if (given !== undefined && given !== stored) refuse(option, given, stored)
  const contradiction = await contradictionOf(options, tokenizer)
  if (contradiction) refuse(contradiction, options[contradiction], contradiction === 'tokenizer' ? labelOf(tokenizer) : `${count(tokenizer.domain.values)} tokens`)
  const { heldOut, validation: fraction, preset } = options
  const unit = typeof text === 'string' ? 'characters' : 'documents'
  if (heldOut !== undefined && splitHeldOut(text, heldOut).begin !== data.heldOutBegin) refuse('held-out', heldOut, `${count(data.heldOutEnd - data.heldOutBegin)} ${unit} held out`)
  if (fraction !== undefined && splitValidation(text, data.heldOutBegin, fraction) !== data.validationBegin) refuse('validation', fraction, `${count(data.heldOutBegin - trainingEnd(data))} ${unit} to validate with`)
  if (preset !== undefined) {
    const asked = presetNamed(preset)
    // What the command line may have changed is compared above.
    const learningRate = settings.learningRate === asked.settings.learningRate ? undefined : settings.learningRate
    const sameSettings = JSON.stringify(settingsOf(asked.settings, { ...settings, learningRate })) === JSON.stringify(settings)
    const sameNetwork = JSON.stringify(presetModel(asked, byte()).model.network.options) === JSON.stringify(network.options)
    if (!sameSettings || !sameNetwork) refuse('preset', preset, 'another network or other settings')
  }
}
