/** `fit`, `plan` and `evaluate` for text. */
import { bitsPerByte, bitsPerCharacter, describe, InvalidOptionError, type JsonObject, type ParameterArrays, refuseUnknownOptions, wholeNumber } from '@chainrule/core'
import type { Engine } from '@chainrule/core/tensors'
import { onnx } from '@chainrule/onnx'
import * as training from '@chainrule/train'
import { contextOf, type TextModel, type TrainedText } from './model.js'
import { previewOf, previewOptions, type PreviewTextOptions } from './preview.js'
import type { RunDescription } from './run.js'
import { evaluationWindows, trainingWindows } from './windows.js'

/** Text that is not trained on, measured in windows as by `evaluate`. */
export interface TextValidationOptions extends Omit<training.ValidationOptions, 'data'> {
  readonly text: string
  /** The part of it, as for String.slice; what stands before it is its context. */
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
 * Trains on one text.
 * @throws {InvalidDataError} for a text with unknown characters or shorter than a window
 * @throws {InvalidOptionError} where `from` is another model or has another tokenizer
 */
export async function fit(textModel: TextModel, text: string, options: FitTextOptions): Promise<TrainedText> {
  const { window: asked, engine, threads, checkpoint, validation, preview, from, ...rest } = options
  const { model, tokenizer } = textModel
  const window = windowOf(textModel, asked)
  if (preview) {
    refuseUnknownOptions('preview', preview, previewOptions)
    tokenizer.encode(preview.prompt ?? '') // or it would fail after hours
  }
  const trained = await training.fit(model, trainingWindows(tokenizer.encode(text), window), {
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

function windowOf({ model }: TextModel, asked: number | undefined): number {
  const window = asked ?? contextOf(model)
  if (window === undefined) throw new InvalidOptionError(`fit: ${model.network.name} has no context of its own; say how many tokens a training window has (window).`)
  return wholeNumber('fit', 'window', window)
}

function validationOf(textModel: TextModel, { text, begin, end, ...rest }: TextValidationOptions, window: number): training.ValidationOptions {
  const { tokens, first } = tokensOfPart(textModel, text, begin, end)
  return { ...rest, data: evaluationWindows(tokens, window, first) }
}

function parametersFrom({ tokenizer }: TextModel, from: NonNullable<FitTextOptions['from']>): ParameterArrays {
  if (!isModel(from)) return from
  const [own, given] = [tokenizer, from.tokenizer].map((each) => JSON.stringify(describe(each)))
  if (own !== given) throw new InvalidOptionError(`fit: from has another tokenizer (${from.tokenizer.name}, ${from.tokenizer.domain.values} values; this model: ${tokenizer.name}, ${tokenizer.domain.values}). The same numbers would mean other tokens: build this model with the tokenizer of from.`)
  return from.parameters
}

const isModel = (from: NonNullable<FitTextOptions['from']>): from is Pick<TrainedText, 'tokenizer' | 'parameters'> => typeof (from as Partial<TrainedText>).tokenizer?.encode === 'function'

export interface EvaluateTextOptions {
  /** Tokens of one window; the one of training by default. */
  window?: number
  /** Where the text to evaluate begins and ends, as for String.slice; of what stands before it the last token is the first one's context. */
  begin?: number
  end?: number
  engine?: Engine
  threads?: number
  signal?: AbortSignal
  onProgress?: (progress: { examples: number; of: number }) => void
}

export interface TextEvaluation {
  readonly totalNats: number
  readonly tokens: number
  readonly characters: number
  readonly bytes: number
  readonly natsPerToken: number
  readonly natsPerCharacter: number
  readonly bitsPerCharacter: number
  readonly bitsPerByte: number
  /** How the text was cut. */
  readonly protocol: string
}

/** All units of a total, for a text. */
export function textUnits(totalNats: number, text: string, tokens: number): Omit<TextEvaluation, 'protocol'> {
  const characters = [...text].length
  const bytes = new TextEncoder().encode(text).length
  return {
    totalNats,
    tokens,
    characters,
    bytes,
    natsPerToken: totalNats / tokens,
    natsPerCharacter: totalNats / characters,
    bitsPerCharacter: bitsPerCharacter(totalNats, characters),
    bitsPerByte: bitsPerByte(totalNats, bytes),
  }
}

/** The tokens of a text's part, after those of what stands before it. */
export function tokensOfPart(textModel: Pick<TextModel, 'tokenizer'>, text: string, begin = 0, end = text.length): { tokens: Int32Array; first: number; part: string } {
  wholeNumber('evaluate', 'begin', begin, 0, text.length)
  wholeNumber('evaluate', 'end', end, begin + 1, text.length)
  const before = textModel.tokenizer.encode(text.slice(0, begin))
  const part = text.slice(begin, end)
  const tokens = textModel.tokenizer.encode(text.slice(0, end))
  return { tokens, first: before.length, part }
}

/** −log p over non-overlapping windows, each with the token before it as context. Every token is scored once. */
export async function evaluate(trained: TrainedText, text: string, options: EvaluateTextOptions = {}): Promise<TextEvaluation> {
  refuseUnknownOptions('evaluate', options, ['window', 'begin', 'end', 'engine', 'threads', 'signal', 'onProgress'])
  const { window = trained.window, begin, end, engine, threads, signal, onProgress } = options
  const { tokens, first, part } = tokensOfPart(trained, text, begin, end)
  const data = evaluationWindows(tokens, wholeNumber('evaluate', 'window', window), first)
  const result = await training.evaluate(trained.model, trained.parameters, data, { engine: engine ?? onnx({ threads }), signal, onProgress })
  return { ...textUnits(result.totalNats, part, result.variables), protocol: `non-overlapping windows of ${window} tokens` }
}
