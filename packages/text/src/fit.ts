/** `fit` and `plan` for text. */
import { describe, InvalidOptionError, type JsonObject, type ParameterArrays, refuseUnknownOptions, UnsupportedError, wholeNumber } from '@chainrule/core'
import type { Engine } from '@chainrule/core/tensors'
import { onnx } from '@chainrule/onnx'
import * as training from '@chainrule/train'
import { endOf, encodeText, partOf, type TextData, textsOf } from './documents.js'
import { contextOf, type TextModel, type TrainedText } from './model.js'
import { previewOf, previewOptions, type PreviewTextOptions } from './preview.js'
import type { RunDescription } from './run.js'
import { documentWindows, evaluationWindows, trainingWindows } from './windows.js'

/** Text that is not trained on, measured in windows as by `evaluate`. */
export interface TextValidationOptions extends Omit<training.ValidationOptions, 'data'> {
  /** One text, or documents. */
  readonly text: TextData
  /** The part of it, as for `evaluate`. */
  readonly begin?: number
  readonly end?: number
}

export interface PlanTextOptions extends training.TrainingSettings {
  /** Tokens of one training window; the network's context by default. */
  window?: number
  /** Default: the recorded program on onnxruntime. */
  engine?: Engine
  /** Threads of the default engine. */
  threads?: number
  /** Where to go on from; absent: a new training. */
  state?: training.TrainingState
}

export interface FitTextOptions extends PlanTextOptions {
  signal?: AbortSignal
  /** Called after every update. */
  onProgress?: (progress: training.TrainingProgress) => void
  /** The best parameters so far, where `state` has validated. */
  best?: training.BestParameters
  /** Fine-tuning: a model of the same pieces, or its parameters, to begin with. */
  from?: ParameterArrays | Pick<TrainedText, 'tokenizer' | 'parameters'>
  validation?: TextValidationOptions
  /** A short sample every so often. */
  preview?: PreviewTextOptions
  /** Where to keep checkpoints; `run` is stored with them. */
  checkpoint?: Omit<training.CheckpointOptions, 'run'> & { readonly run?: JsonObject | RunDescription }
  /** Where to write one line of numbers for each update. */
  metrics?: training.MetricsOptions
}

/**
 * Trains on one text; a model of documents on a list of them (one text is one document).
 * @throws {InvalidDataError} for a text with unknown characters or, where it is no document, shorter than a window
 * @throws {InvalidOptionError} where `from` is another model or has another tokenizer; for a list where the model's text has no end
 * @throws {UnsupportedError} for documents where the network cannot take them side by side
 */
export async function fit(textModel: TextModel, text: TextData, options: FitTextOptions): Promise<TrainedText> {
  if (typeof options !== 'object') throw new InvalidOptionError(`fit: expected options, with the number of updates at least: { steps: 300 }; got ${typeof options}.`)
  const { window: asked, engine, threads, checkpoint, validation, preview, from, ...rest } = options
  const { model, tokenizer } = textModel
  const window = windowOf(textModel, asked)
  if (preview) {
    refuseUnknownOptions('preview', preview, previewOptions)
    tokenizer.encode(preview.prompt ?? '') // or it would fail after hours
  }
  const trained = await training.fit(model, trainingData(textModel, text, window), {
    ...rest,
    engine: engine ?? onnx({ threads }),
    length: window,
    ...(from && { from: parametersFrom(textModel, from) }),
    ...(validation && { validation: validationOf(textModel, validation, window) }),
    ...(preview && { preview: { everySteps: preview.everySteps, show: async (parameters: ParameterArrays, step: number) => preview.show(await previewOf(textModel, parameters, preview, threads), step) } }),
    ...(checkpoint && { checkpoint: { ...checkpoint, run: (checkpoint.run ?? {}) as JsonObject } }),
  })
  return { ...textModel, ...trained, window }
}

/** What a training is going to take: parameters, arithmetic, memory, time. Makes and forgets a few updates where `state` knows no rate. */
export async function plan(textModel: TextModel, { window, engine, threads, ...rest }: PlanTextOptions): Promise<training.Plan> {
  return training.plan(textModel.model, { ...rest, engine: engine ?? onnx({ threads }), length: windowOf(textModel, window) })
}

function trainingData(textModel: TextModel, text: TextData, window: number): training.Data {
  const texts = textsOf(textModel, text, 'fit').map((each) => encodeText(textModel, each))
  const end = endOf(textModel)
  if (end === undefined) return { ...trainingWindows(texts[0], window), sequences: texts }
  const { model } = textModel
  if (!model.boundNetwork.packs) throw new UnsupportedError(`fit: ${model.network.name} cannot take documents side by side. Use transformer() or recurrent(), or a model without documents.`)
  const tokens = new Int32Array(texts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const each of texts) {
    tokens.set(each, at)
    at += each.length
  }
  return { ...documentWindows(tokens, end, window), sequences: texts }
}

function windowOf({ model }: TextModel, asked: number | undefined): number {
  const window = asked ?? contextOf(model)
  if (window === undefined) throw new InvalidOptionError(`fit: ${model.network.name} has no context of its own; say how many tokens a training window has (window).`)
  return wholeNumber('fit', 'window', window)
}

function validationOf(textModel: TextModel, { text, begin, end, ...rest }: TextValidationOptions, window: number): training.ValidationOptions {
  return { ...rest, data: evaluationWindows(partOf(textModel, text, begin, end).stretches, window) }
}

function parametersFrom({ tokenizer }: TextModel, from: NonNullable<FitTextOptions['from']>): ParameterArrays {
  if (!isModel(from)) return from
  const [own, given] = [tokenizer, from.tokenizer].map((each) => JSON.stringify(describe(each)))
  if (own !== given) throw new InvalidOptionError(`fit: from has another tokenizer (${from.tokenizer.name}, ${from.tokenizer.domain.values} values; this model: ${tokenizer.name}, ${tokenizer.domain.values}). The same numbers would mean other tokens: build this model with the tokenizer of from.`)
  return from.parameters
}

const isModel = (from: NonNullable<FitTextOptions['from']>): from is Pick<TrainedText, 'tokenizer' | 'parameters'> => typeof (from as Partial<TrainedText>).tokenizer?.encode === 'function'
