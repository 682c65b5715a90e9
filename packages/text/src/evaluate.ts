/** `evaluate`: −log p of a text or of documents, in all units, by a trained or an opened model. */
import { InvalidDataError, InvalidOptionError, refuseUnknownOptions } from '@chainrule/core'
import type { Engine } from '@chainrule/core/tensors'
import { onnx } from '@chainrule/onnx'
import * as training from '@chainrule/train'
import { countTokens, partOf, type TextData } from './documents.js'
import { type EvaluationProtocol, type ScoredExamples, scoredExamples } from './evaluation-protocol.js'
import type { LoadedText } from './loaded.js'
import type { TrainedText } from './model.js'
import { natsOfExamples } from './score-examples.js'
import { type TextEvaluation, textUnits } from './text-units.js'

export interface EvaluateTextOptions {
  /** How the text is cut; windows side by side, as long as those of training, by default. */
  protocol?: EvaluationProtocol
  /** Where the text to evaluate begins and ends, as for String.slice; what stands before it is its context. Of documents: their numbers. */
  begin?: number
  end?: number
  /** What computes, for a trained model; the recorded program on onnxruntime by default. */
  engine?: Engine
  /** Threads of the default engine. */
  threads?: number
  signal?: AbortSignal
  onProgress?: (progress: { examples: number; of: number }) => void
}

/**
 * −log p of a text, or of documents by a model of documents, in all units. Each token is scored once, except by random windows.
 *
 * The nats are those of one way to write the text as tokens, the tokenizer's; of documents, with their ends, which are tokens but neither
 * characters nor bytes.
 * @throws {InvalidDataError} for an empty text, or one that the tokenizer does not know
 * @throws {InvalidOptionError} for documents where the model's text has no end, and for an engine where the model is opened already
 */
export async function evaluate(model: TrainedText | LoadedText, data: TextData, options: EvaluateTextOptions = {}): Promise<TextEvaluation> {
  refuseUnknownOptions('evaluate', options, ['protocol', 'begin', 'end', 'engine', 'threads', 'signal', 'onProgress'])
  const { stretches, data: part } = partOf(model, data, options.begin, options.end)
  const tokens = countTokens(stretches)
  if (tokens === 0) throw new InvalidDataError('evaluate: the text has no tokens; there is nothing to evaluate.')
  const examples = scoredExamples(options.protocol ?? { windows: trainedWindow(model) }, stretches, model.documents)
  const nats = new Float64Array(examples.length)
  const perToken = new Float64Array(examples.length)
  const onExample = (index: number, ofVariables: Float32Array) => {
    const { x, scoredFrom } = examples.at(index)
    for (let at = scoredFrom; at < x.length; at++) nats[index] += ofVariables[at]
    perToken[index] = nats[index] / (x.length - scoredFrom)
  }
  if ('opened' in model) await scoreOpened(model, examples, { ...options, onExample })
  else await training.evaluate(model.model, model.parameters, examples, { engine: options.engine ?? onnx({ threads: options.threads }), signal: options.signal, onProgress: options.onProgress, onExample })
  if (!options.protocol || !('random' in options.protocol)) return { ...textUnits(nats.reduce((sum, each) => sum + each), part, tokens), protocol: examples.description }
  const mean = perToken.reduce((sum, each) => sum + each) / examples.length
  const variance = perToken.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (examples.length - 1)
  return { ...textUnits(mean * tokens, part, tokens), natsPerTokenStandardError: Math.sqrt(variance / examples.length), protocol: examples.description }
}

/** The tokens of one window of training. @throws {InvalidOptionError} where an exported model does not say */
export function trainedWindow(model: TrainedText | LoadedText): number {
  const window = 'opened' in model ? model.manifest.card.training.window : model.window
  if (typeof window !== 'number') throw new InvalidOptionError('evaluate: model.json names no training window; say how many tokens a window has: protocol: { windows: 64 }, or --window.')
  return window
}

/** Examples that are made at once: overlapping windows are many times as long as their text. */
const examplesAtOnce = 1024

/** As `training.evaluate`, on exported graphs. */
async function scoreOpened({ opened }: LoadedText, examples: ScoredExamples, { engine, threads, signal, onProgress, onExample }: EvaluateTextOptions & { onExample(index: number, nats: Float32Array): void }): Promise<void> {
  if (engine !== undefined || threads !== undefined) throw new InvalidOptionError('evaluate: engine and threads are for trained models; an opened one computes as it was opened (loadModel with provider and threads).')
  for (let from = 0; from < examples.length; from += examplesAtOnce) {
    const some = Array.from({ length: Math.min(examplesAtOnce, examples.length - from) }, (_, which) => examples.at(from + which))
    const nats = await natsOfExamples(opened, some, signal, (done) => onProgress?.({ examples: from + done, of: examples.length }))
    nats.forEach((ofVariables, which) => onExample(from + which, ofVariables))
  }
}
