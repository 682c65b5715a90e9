/** `sample`, `stream` and `score` for text: exact, by the exported graphs, whether the model was trained here or loaded. */
import { InvalidDataError, InvalidOptionError, refuseUnknownOptions } from '@chainrule/core'
import { textUnits, type TextEvaluation, tokensOfPart, type EvaluateTextOptions } from './fit.js'
import { type LoadedText, type OpenOptions, withOpened } from './loaded.js'
import type { TrainedText } from './model.js'
import { evaluationWindows } from './windows.js'

export interface StreamTextOptions extends OpenOptions {
  /** The text to go on from. */
  prompt?: string
  /** Tokens to generate after the prompt. */
  length?: number
  seed?: number
  /** Below 1: likelier text; above 1: more varied; 1 samples from the model. */
  temperature?: number
  signal?: AbortSignal
}

export interface SampleTextOptions extends StreamTextOptions {
  /** How many texts. */
  count?: number
}

const streamOptions = ['prompt', 'length', 'seed', 'temperature', 'signal', 'provider', 'threads']
export const defaultLength = 256

/** Texts from the model; each begins with the prompt. The same seed gives the same texts. */
export async function sample(model: TrainedText | LoadedText, options: SampleTextOptions = {}): Promise<string[]> {
  refuseUnknownOptions('sample', options, [...streamOptions, 'count'])
  const { prompt = '', length = defaultLength, count = 1, seed = 0, temperature = 1, signal } = options
  const tokens = model.tokenizer.encode(prompt)
  return withOpened(model, options, async ({ opened, tokenizer }) => {
    const { values } = await opened.sample({ prompt: tokens, length, count, seed, temperature, signal })
    return Array.from({ length: count }, (_, which) => prompt + tokenizer.decode(values.subarray(which * length, (which + 1) * length)))
  })
}

/** One text from the model, piece by piece, without the prompt. */
export async function* stream(model: TrainedText | LoadedText, options: StreamTextOptions = {}): AsyncGenerator<string, void> {
  refuseUnknownOptions('stream', options, streamOptions)
  if (!('opened' in model)) throw new InvalidOptionError('stream: needs an opened model. Open the trained one with openTrained, or an exported one with loadModel.')
  const { prompt = '', length = defaultLength, seed = 0, temperature = 1, signal } = options
  const tokens = model.tokenizer.encode(prompt)
  const decoder = model.tokenizer.decoder()
  for await (const { values } of model.opened.stream({ prompt: tokens, length, seed, temperature, signal })) {
    const piece = decoder.push(values)
    if (piece) yield piece
  }
  const rest = decoder.end()
  if (rest) yield rest
}

export interface TextScore extends TextEvaluation {
  /** −log p of each token given all before it. */
  readonly nats: Float32Array
}

/** −log p(text), token by token, each given everything before it as far as the model looks. */
export async function score(model: TrainedText | LoadedText, text: string, options: OpenOptions & { signal?: AbortSignal } = {}): Promise<TextScore> {
  refuseUnknownOptions('score', options, ['provider', 'threads', 'signal'])
  const tokens = model.tokenizer.encode(text)
  if (tokens.length === 0) throw new InvalidDataError('score: the text is empty; there is nothing to score.')
  return withOpened(model, options, async ({ opened }) => {
    const nats = await opened.score({ x: tokens, signal: options.signal })
    return { ...textUnits(nats.reduce((sum, value) => sum + value, 0), text, tokens.length), nats, protocol: 'one sequence, from its start' }
  })
}

/** `evaluate` for an opened model: the same windows as for a trained one. */
export async function evaluateLoaded(model: LoadedText, text: string, options: Omit<EvaluateTextOptions, 'engine' | 'threads'> = {}): Promise<TextEvaluation> {
  const { manifest, opened } = model
  const { window = manifest.card.training.window, begin, end, signal, onProgress } = options
  if (typeof window !== 'number') throw new InvalidOptionError('evaluate: model.json names no training window; say how many tokens a window has (window).')
  const { tokens, first, part } = tokensOfPart(model, text, begin, end)
  const windows = evaluationWindows(tokens, window, first)
  let totalNats = 0
  const rows = 32
  for (let from = 0; from < windows.length; ) {
    const examples = [windows.at(from)]
    while (examples.length < rows && from + examples.length < windows.length && windows.at(from + examples.length).x.length === examples[0].x.length && examples[0].previous) {
      examples.push(windows.at(from + examples.length))
    }
    const x = new Int32Array(examples.length * examples[0].x.length)
    examples.forEach((example, which) => x.set(example.x, which * example.x.length))
    const previous = examples[0].previous && Int32Array.from(examples, (example) => example.previous![0])
    const nats = await opened.score({ x, length: examples[0].x.length, previous, signal })
    totalNats = nats.reduce((sum, value) => sum + value, totalNats)
    from += examples.length
    onProgress?.({ examples: from, of: windows.length })
  }
  return { ...textUnits(totalNats, part, tokens.length - first), protocol: `non-overlapping windows of ${window} tokens` }
}
