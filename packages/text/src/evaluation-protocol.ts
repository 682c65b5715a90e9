/**
 * How a text is cut to be measured. A network looks back only so far, and a window has nothing before its first `previous`; so the
 * number depends on the cut, and a result says which one it was. n is the number of tokens of one window.
 *
 *   windows   side by side: each token is scored once, the i-th of a window (from 0) with i + 1 tokens before it; the default
 *   sliding   windows overlap: each token is scored once, with at least n − stride + 1 tokens before it, or all where there are fewer
 *   random    `count` windows anywhere, drawn with replacement: an estimate, with its standard error
 */
import { checkSeed, InvalidDataError, InvalidOptionError, refuseUnknownOptions, uniformIndex, UnsupportedError, wholeNumber } from '@chainrule/core'
import type { Example } from '@chainrule/train'
import type { Stretch } from './documents.js'

export type EvaluationProtocol =
  | { readonly windows: number }
  | { readonly sliding: number; readonly stride: number }
  | { readonly random: number; readonly count: number; readonly seed: number }

export interface ScoredExample extends Example {
  /** The variables before it are there to be looked back at. */
  readonly scoredFrom: number
}

export interface ScoredExamples {
  readonly length: number
  at(index: number): ScoredExample
  /** The protocol, for people. */
  readonly description: string
}

/** Tokens begin … end−1 of a stretch, scored from `from` on. */
interface Window {
  readonly stretch: Stretch
  readonly begin: number
  readonly end: number
  readonly from: number
}

/**
 * @throws {InvalidOptionError} for a protocol that is not one of the three
 * @throws {InvalidDataError} where a random window is longer than the text
 * @throws {UnsupportedError} for random windows of documents
 */
export function scoredExamples(protocol: EvaluationProtocol, stretches: readonly Stretch[], documents: boolean): ScoredExamples {
  const { windows, description } = cut(protocol, stretches, documents)
  return {
    length: windows.length,
    at(index) {
      const { stretch, begin, end, from } = windows[index]
      const x = stretch.tokens.slice(begin, end)
      return { x, ...(begin > 0 && { previous: stretch.tokens.slice(begin - 1, begin) }), scoredFrom: from - begin }
    },
    description: documents ? `each document by itself, ${description}` : description,
  }
}

function cut(protocol: EvaluationProtocol, stretches: readonly Stretch[], documents: boolean): { windows: Window[]; description: string } {
  if (typeof protocol !== 'object') throw unknownProtocol(protocol)
  if ('windows' in protocol) {
    refuseUnknownOptions('evaluate: protocol', protocol, ['windows'])
    const size = wholeNumber('evaluate', 'protocol.windows', protocol.windows)
    return { windows: stretches.flatMap((stretch) => sideBySide(stretch, size)), description: `non-overlapping windows of ${size} tokens` }
  }
  if ('sliding' in protocol) {
    refuseUnknownOptions('evaluate: protocol', protocol, ['sliding', 'stride'])
    const size = wholeNumber('evaluate', 'protocol.sliding', protocol.sliding)
    const stride = wholeNumber('evaluate', 'protocol.stride', protocol.stride, 1, size)
    return { windows: stretches.flatMap((stretch) => overlapping(stretch, size, stride)), description: `sliding windows of ${size} tokens, stride ${stride}: each token with at least ${size - stride + 1} tokens before it, or all there are` }
  }
  if ('random' in protocol) {
    refuseUnknownOptions('evaluate: protocol', protocol, ['random', 'count', 'seed'])
    const size = wholeNumber('evaluate', 'protocol.random', protocol.random)
    const count = wholeNumber('evaluate', 'protocol.count', protocol.count, 2)
    const seed = checkSeed('evaluate: protocol', protocol.seed)
    if (documents) throw new UnsupportedError('evaluate: random windows are for one long text, not for documents. Use windows or sliding.')
    return { windows: anywhere(stretches[0], size, count, seed), description: `${count} random windows of ${size} tokens, seed ${seed}: an estimate` }
  }
  throw unknownProtocol(protocol)
}

const unknownProtocol = (protocol: unknown) => new InvalidOptionError(`evaluate: protocol must be { windows }, { sliding, stride } or { random, count, seed }, got ${JSON.stringify(protocol)}.`)

function sideBySide(stretch: Stretch, size: number): Window[] {
  const windows: Window[] = []
  for (let begin = stretch.first; begin < stretch.tokens.length; begin += size) windows.push({ stretch, begin, end: Math.min(begin + size, stretch.tokens.length), from: begin })
  return windows
}

/** All windows are of one size where the text is that long: the last one ends with the text, and looks back further than it must. */
function overlapping(stretch: Stretch, size: number, stride: number): Window[] {
  const { tokens, first } = stretch
  const windows: Window[] = []
  let end = Math.max(0, first - (size - stride)) + size
  for (let from = first; from < tokens.length; end += stride) {
    const last = Math.min(end, tokens.length)
    windows.push({ stretch, begin: Math.max(0, last - size), end: last, from })
    from = last
  }
  return windows
}

/** Each has a token before it, as in nanoGPT. */
function anywhere(stretch: Stretch, size: number, count: number, seed: number): Window[] {
  const lowest = Math.max(1, stretch.first)
  const places = stretch.tokens.length - size - lowest + 1
  if (places < 1) throw new InvalidDataError(`evaluate: the text has ${stretch.tokens.length - stretch.first} tokens, too few for a random window of ${size} and the token before it. Use more text or smaller windows.`)
  return Array.from({ length: count }, (_, which) => {
    const begin = lowest + uniformIndex(places, seed, 'evaluation', which)
    return { stretch, begin, end: begin + size, from: begin }
  })
}
