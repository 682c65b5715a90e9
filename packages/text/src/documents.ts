/**
 * What a text model takes: one text without an end, or documents, each of which ends. A document is its tokens and one further
 * value, `end`; a stretch of tokens is what is measured at a time: the whole of a text, or one document.
 */
import { type Domain, InvalidDataError, InvalidOptionError, type Values, wholeNumber } from '@chainrule/core'
import type { TextTokenizer } from './tokenizers/index.js'

/** One text, or documents. */
export type TextData = string | readonly string[]

/** How a model reads: by which tokenizer, and whether its texts end. */
export interface Reading {
  readonly tokenizer: TextTokenizer
  /** Whether texts are documents, which end. */
  readonly documents: boolean
}

/** Tokens, of which those from `first` on are meant; what stands before them is their context. */
export interface Stretch {
  readonly tokens: Int32Array
  readonly first: number
}

/** The domain of a model: that of its tokenizer, for documents with one more value, which ends them. */
export function domainOf({ tokenizer: { domain }, documents }: Reading): Domain {
  return documents ? { ...domain, values: domain.values + 1, end: domain.values } : domain
}

/** The value that ends a document; undefined where texts do not end. */
export const endOf = ({ tokenizer, documents }: Reading): number | undefined => (documents ? tokenizer.domain.values : undefined)

/** A text as the model reads it: its tokens, and the end of a document. */
export function encodeText({ tokenizer, documents }: Reading, text: string): Int32Array {
  const tokens = tokenizer.encode(text)
  if (!documents) return tokens
  const ended = new Int32Array(tokens.length + 1).fill(tokenizer.domain.values)
  ended.set(tokens)
  return ended
}

/** The text that tokens say, without the end of a document and what stands after it. */
export function decodeText(reading: Reading, tokens: Values): string {
  return reading.tokenizer.decode(withoutEnd(reading, tokens))
}

/** Tokens up to the end of a document, which is no part of its text. */
export function withoutEnd(reading: Reading, tokens: Values): Values {
  const end = endOf(reading)
  const at = end === undefined ? -1 : tokens.indexOf(end)
  return at < 0 ? tokens : tokens.subarray(0, at)
}

/** The texts that data holds: one text, or the documents. @throws {InvalidOptionError | InvalidDataError} where the model takes the other kind, or there is none */
export function textsOf({ documents }: Reading, data: TextData, owner: string): readonly string[] {
  if (typeof data === 'string') return [data]
  if (!Array.isArray(data)) throw new InvalidOptionError(`${owner}: expected a text${documents ? ' or a list of texts' : ''}, got ${typeof data}.`)
  if (!documents) throw new InvalidOptionError(`${owner}: got a list of ${data.length} texts, but this model's text has no end. Give one text, or build the model with textModel({ documents: true }).`)
  if (data.length === 0) throw new InvalidDataError(`${owner}: got no document. Give at least one.`)
  const odd = data.findIndex((each: unknown) => typeof each !== 'string')
  if (odd >= 0) throw new InvalidDataError(`${owner}: document ${odd} is not a text but ${typeof data[odd]}.`)
  return data
}

/** All tokens of data, stretch by stretch. */
export function stretchesOf(reading: Reading, data: TextData, owner: string): Stretch[] {
  return textsOf(reading, data, owner).map((text) => ({ tokens: encodeText(reading, text), first: 0 }))
}

/**
 * A part of data: of a text from character `begin` to `end`, as for String.slice, with what stands before it as context; of documents those
 * numbered so, each whole, with nothing before it.
 */
export function partOf(reading: Reading, data: TextData, begin = 0, end?: number): { stretches: Stretch[]; data: TextData } {
  const texts = textsOf(reading, data, 'evaluate')
  const all = reading.documents ? texts : texts[0]
  if (all.length === 0) throw new InvalidDataError('evaluate: the text is empty; there is nothing to evaluate.')
  wholeNumber('evaluate', 'begin', begin, 0, all.length)
  const last = wholeNumber('evaluate', 'end', end ?? all.length, begin + 1, all.length)
  const part = all.slice(begin, last)
  if (typeof all !== 'string') return { stretches: stretchesOf(reading, part, 'evaluate'), data: part }
  // Each by itself: no token may lie across the boundary.
  const [before, own] = [all.slice(0, begin), all.slice(begin, last)].map((text) => reading.tokenizer.encode(text))
  const tokens = new Int32Array(before.length + own.length)
  tokens.set(before)
  tokens.set(own, before.length)
  return { stretches: [{ tokens, first: before.length }], data: part }
}

/** How many tokens of stretches are meant. */
export const countTokens = (stretches: readonly Stretch[]): number => stretches.reduce((sum, { tokens, first }) => sum + tokens.length - first, 0)
