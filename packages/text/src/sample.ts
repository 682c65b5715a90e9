/** `sample`, `stream` and `score` of an opened model: exact, by the exported graphs. No tensors: also for browsers (`runtime.ts`). */
import { InvalidDataError, InvalidOptionError, refuseUnknownOptions, samplingFilterNames, type SamplingFilters, type Values, wholeNumber } from '@chainrule/core'
import { decodeText, encodeText, type TextData, textsOf, withoutEnd } from './documents.js'
import type { LoadedText } from './loaded.js'
import { natsOfExamples } from './score-examples.js'
import { checkStop, stopping } from './stop.js'
import { type TextEvaluation, textUnits } from './text-units.js'

export interface StreamTextOptions extends SamplingFilters {
  /** The text to go on from. */
  prompt?: string
  /** Tokens to generate after the prompt; of documents at most, with their end. */
  length?: number
  seed?: number
  /** Below 1: likelier text; above 1: more varied; 1 samples from the model. */
  temperature?: number
  /** The text ends before the first of these, wherever its tokens begin and end; the prompt does not count. */
  stop?: string | readonly string[]
  signal?: AbortSignal
}

export interface SampleTextOptions extends StreamTextOptions {
  /** How many texts. */
  count?: number
}

const streamOptions = ['prompt', 'length', 'seed', 'temperature', ...samplingFilterNames, 'stop', 'signal']
export const defaultLength = 256

/** Samples that grow side by side until each has met a stop string. */
const mostAtOnce = 64

/** What the runtime is asked for. */
function requestOf(owner: string, { tokenizer }: LoadedText, { prompt = '', length = defaultLength, seed = 0, stop: _stop, ...options }: StreamTextOptions) {
  if (typeof prompt !== 'string') throw new InvalidOptionError(`${owner}: prompt must be a text, got ${typeof prompt}.`)
  return { ...options, prompt: tokenizer.encode(prompt), length, seed }
}

/** A text that grows by tokens: decoded, and ended before a stop string. */
function growing(model: LoadedText, stops: readonly string[]) {
  const decoder = model.tokenizer.decoder()
  const stop = stopping(stops)
  return {
    push: (values: Values) => stop.push(decoder.push(withoutEnd(model, values))),
    end: () => stop.push(decoder.end()) + stop.end(),
    get isStopped() {
      return stop.isStopped
    },
  }
}

/**
 * Texts from the model; each begins with the prompt, documents end by themselves, and all before the first stop string. The same
 * seed gives the same texts.
 */
export async function sample(model: LoadedText, options: SampleTextOptions = {}): Promise<string[]> {
  refuseUnknownOptions('sample', options, [...streamOptions, 'count'])
  const { count: asked = 1, ...rest } = options
  const count = wholeNumber('sample', 'count', asked)
  const stops = checkStop('sample', options.stop)
  const request = requestOf('sample', model, rest)
  const { prompt = '' } = options
  if (stops.length === 0) {
    const { values } = await model.opened.sample({ ...request, count })
    return Array.from({ length: count }, (_, which) => prompt + decodeText(model, values.subarray(which * request.length, (which + 1) * request.length)))
  }
  const texts: string[] = []
  for (let first = 0; first < count; first += mostAtOnce) {
    const rows = Array.from({ length: Math.min(mostAtOnce, count - first) }, () => ({ text: prompt, growth: growing(model, stops) }))
    for await (const { values } of model.opened.stream({ ...request, count: rows.length, firstSample: first })) {
      const steps = values.length / rows.length
      rows.forEach((row, b) => (row.text += row.growth.push(values.subarray(b * steps, (b + 1) * steps))))
      if (rows.every(({ growth }) => growth.isStopped)) break
    }
    texts.push(...rows.map(({ text, growth }) => text + growth.end()))
  }
  return texts
}

/** One text from the model, piece by piece, without the prompt: no piece ends inside of a character, none holds a part of a stop string. A document stops by itself. */
export async function* stream(model: LoadedText, options: StreamTextOptions = {}): AsyncGenerator<string, void> {
  refuseUnknownOptions('stream', options, streamOptions)
  if (!('opened' in model)) throw new InvalidOptionError('stream: needs an opened model. Open the trained one with openTrained, or an exported one with loadModel.')
  const growth = growing(model, checkStop('stream', options.stop))
  for await (const { values } of model.opened.stream(requestOf('stream', model, options))) {
    const piece = growth.push(values)
    if (piece) yield piece
    if (growth.isStopped) return
  }
  const rest = growth.end()
  if (rest) yield rest
}

export interface TextScore extends TextEvaluation {
  /** −log p of each token given all before it. */
  readonly nats: Float32Array
}

export interface ScoreTextOptions {
  signal?: AbortSignal
}

/**
 * −log p(text), token by token, each given everything before it as far as the model looks; the end of a document is the last.
 * A list of documents is scored one by one.
 */
export async function score(model: LoadedText, text: string, options?: ScoreTextOptions): Promise<TextScore>
export async function score(model: LoadedText, texts: readonly string[], options?: ScoreTextOptions): Promise<TextScore[]>
export async function score(model: LoadedText, data: TextData, options: ScoreTextOptions = {}): Promise<TextScore | TextScore[]> {
  refuseUnknownOptions('score', options, ['signal'])
  const texts = textsOf(model, data, 'score')
  const sequences = texts.map((text) => encodeText(model, text))
  if (sequences.some(({ length }) => length === 0)) throw new InvalidDataError('score: the text is empty; there is nothing to score.')
  const scores = await natsOfExamples(model.opened, sequences.map((x) => ({ x })), options.signal)
  const all = scores.map((nats, which) => ({ ...textUnits(nats.reduce((sum, value) => sum + value, 0), model.documents ? [texts[which]] : texts[which], nats.length), nats, protocol: 'one sequence, from its start' }))
  return typeof data === 'string' ? all[0] : all
}
