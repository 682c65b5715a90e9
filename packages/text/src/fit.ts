/** `fit` and `evaluate` for text. */
import { bitsPerByte, bitsPerCharacter, InvalidOptionError, refuseUnknownOptions, type JsonObject, wholeNumber } from '@chainrule/core'
import type { Engine } from '@chainrule/core/tensors'
import { onnx } from '@chainrule/onnx'
import * as training from '@chainrule/train'
import { contextOf, type TextModel, type TrainedText } from './model.js'
import type { RunDescription } from './run.js'
import { evaluationWindows, trainingWindows } from './windows.js'

export interface FitTextOptions extends training.TrainingSettings {
  /** Tokens of one training window; the network's context by default. */
  window?: number
  /** Default: the recorded program on onnxruntime. */
  engine?: Engine
  /** Threads of the default engine. */
  threads?: number
  signal?: AbortSignal
  /** Called after every update. */
  onProgress?: (progress: training.TrainingProgress) => void
  /** Where to go on from; absent: fresh parameters. */
  state?: training.TrainingState
  /** Where to keep checkpoints; `run` is stored with them. */
  checkpoint?: { readonly path: string; readonly run?: JsonObject | RunDescription; readonly everySeconds?: number }
}

/**
 * Trains on one text.
 * @throws {InvalidDataError} for a text with unknown characters or shorter than a window
 */
export async function fit(textModel: TextModel, text: string, options: FitTextOptions): Promise<TrainedText> {
  const { window: asked, engine, threads, checkpoint, ...rest } = options
  const window = asked ?? contextOf(textModel.model)
  if (window === undefined) throw new InvalidOptionError(`fit: ${textModel.model.network.name} has no context of its own; say how many tokens a training window has (window).`)
  const data = trainingWindows(textModel.tokenizer.encode(text), wholeNumber('fit', 'window', window))
  const trained = await training.fit(textModel.model, data, {
    ...rest,
    engine: engine ?? onnx({ threads }),
    length: window,
    ...(checkpoint && { checkpoint: { ...checkpoint, run: (checkpoint.run ?? {}) as JsonObject } }),
  })
  return { ...textModel, ...trained, window }
}

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
