/** What `train` is going to do, decided and checked before anything is written: a fresh run, or one to go on with. */
import { InvalidDataError, InvalidOptionError } from '@chainrule/core'
import * as modality from '@chainrule/text'
import {
  byte,
  contextOf,
  describeData,
  describeRun,
  type LoadedText,
  presetModel,
  presetNamed,
  readRun,
  type RunDescription,
  splitHeldOut,
  splitValidation,
  type TextData,
  type TextModel,
  trainingEnd,
} from '@chainrule/text'
import { initialState, stateOf, type TrainingSettings } from '@chainrule/train'
import { located } from '../failure.js'
import { type Source, sourceAt } from '../source.js'
import type { TrainingPlan } from '../training.js'
import { defaultHeldOut, defaultPreset, hasSettingsOf, refuseContradiction, refuseContradictions, settingsOf, type Stored, type TrainOptions, validationOf } from '../training-options.js'
import { count, counted, shareableCommand } from '../wording.js'
import { checkTokens, type DataOptions, readAsTrained, readData, readingOf } from './text-data.js'
import { contradictionOf, labelOf, tokenizerFor, type TokenizerOptions } from './tokenizers.js'

export interface TextTrainOptions extends TrainOptions, DataOptions, TokenizerOptions {}

export interface TextTrainingPlan extends TrainingPlan<TextModel, RunDescription> {
  readonly text: TextData
}

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
async function beginning(options: TextTrainOptions, text: TextData, toTrainOn: TextData): Promise<{ model: TextModel; settings: Partial<TrainingSettings>; window: number } & Partial<Source<TextModel>>> {
  const { from, preset, tokenizer, data } = options
  const documents = typeof text !== 'string'
  if (from === undefined) {
    const chosen = presetNamed(preset ?? defaultPreset)
    const model = presetModel(chosen, await tokenizerFor(options, data, text, toTrainOn), documents)
    return { model, settings: chosen.settings, window: contextOf(model.model)! }
  }
  if (preset !== undefined) throw new InvalidOptionError(`--preset ${preset} contradicts --from ${from}, whose pieces and settings are taken. Leave one of the two out.`)
  const source = await sourceAt<TextModel, LoadedText>(modality, from)
  const window = source.window ?? contextOf(source.model.model)
  if (window === undefined) throw new InvalidDataError(`${from}: its model.json names no training window. Give a run, or a model that was exported from one.`)
  const contradiction = await contradictionOf(options, source.model.tokenizer)
  if (contradiction) throw new InvalidOptionError(`--${contradiction} ${String(contradiction === 'tokenizer' ? tokenizer : options.vocabulary)} contradicts --from ${from}, which has ${count(source.model.tokenizer.domain.values)} ${labelOf(source.model.tokenizer)} tokens. A model goes on with its own tokenizer: leave --${contradiction} out.`)
  if (source.model.documents && !documents) throw new InvalidOptionError(`${from} is a model of documents. Say what a document of ${data} is (--documents).`)
  if (!source.model.documents && documents) throw new InvalidOptionError(`--documents ${options.documents} contradicts --from ${from}, whose text has no end. Leave one of the two out.`)
  return { ...source, window }
}

/** @throws {InvalidDataError | InvalidOptionError} */
export async function freshPlan(options: TextTrainOptions): Promise<TextTrainingPlan> {
  const text = await readData(options)
  const heldOut = splitHeldOut(text, options.heldOut ?? defaultHeldOut)
  const validationBegin = splitValidation(text, heldOut.begin, options.validation ?? 0)
  const { model, parameters, settings: known, window, from } = await beginning(options, text, text.slice(0, validationBegin ?? heldOut.begin))
  const settings = settingsOf(known, options)
  const data = { ...describeData(options.data, text, { ...heldOut, validationBegin }), ...readingOf(options) }
  const description = describeRun(model, window, settings, data, { ...validationOf(options, settings, 'a part of the text', validationBegin !== undefined), ...(from && { from }), command: shareableCommand(process.argv.slice(2)) })
  checkLength(options.data, text, model, description)
  checkTokens(options.data, text, model.tokenizer) // also the parts that are only measured
  return { text, model, description, state: parameters ? stateOf(model.model, parameters) : initialState(model.model, settings.seed), isResumed: false }
}

/** @throws {InvalidDataError} for another text. @throws {InvalidOptionError} naming an option that contradicts the run */
export async function resumedPlan(options: TextTrainOptions): Promise<TextTrainingPlan> {
  const { description, model, state, best } = await readRun(options.out)
  const text = await readData(readAsTrained({ data: options.data }, description.data))
  await refuseOthers(options, description, model, text)
  const { sha256 } = describeData(options.data, text, { begin: 0, end: 0 })
  if (sha256 !== description.data.sha256) {
    throw new InvalidDataError(
      `${options.data} is not the text that ${options.out} was trained on: expected ${description.data.file} with SHA-256 ${description.data.sha256}, got ${sha256}. Give the same file, or train anew in another folder.`,
    )
  }
  return { text, model, description, state, best, isResumed: true }
}

async function refuseOthers(options: TextTrainOptions, description: RunDescription, { tokenizer }: TextModel, text: TextData): Promise<void> {
  const { network, settings, data } = description
  refuseContradictions(options, description, [
    ['documents', options.documents, data.documents ?? 'one text'],
    ['field', options.field, data.field ?? 'no field'],
  ])
  const refuse = (...stored: Stored) => refuseContradiction(options.out, ...stored)
  const contradiction = await contradictionOf(options, tokenizer)
  if (contradiction) refuse(contradiction, options[contradiction], contradiction === 'tokenizer' ? labelOf(tokenizer) : `${count(tokenizer.domain.values)} tokens`)
  const { heldOut, validation: fraction, preset } = options
  const unit = typeof text === 'string' ? 'characters' : 'documents'
  if (heldOut !== undefined && splitHeldOut(text, heldOut).begin !== data.heldOutBegin) refuse('held-out', heldOut, `${count(data.heldOutEnd - data.heldOutBegin)} ${unit} held out`)
  if (fraction !== undefined && splitValidation(text, data.heldOutBegin, fraction) !== data.validationBegin) refuse('validation', fraction, `${count(data.heldOutBegin - trainingEnd(data))} ${unit} to validate with`)
  if (preset === undefined) return
  const asked = presetNamed(preset)
  const sameNetwork = JSON.stringify(presetModel(asked, byte()).model.network.options) === JSON.stringify(network.options)
  if (!hasSettingsOf(asked, settings) || !sameNetwork) refuse('preset', preset, 'another network or other settings')
}
