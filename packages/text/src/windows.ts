/** Texts as examples: windows of a fixed number of tokens, each with the token before it as its first `previous`. */
import { InvalidDataError } from '@chainrule/core'
import type { Data, Example } from '@chainrule/train'
import type { Stretch } from './documents.js'

function windowAt(tokens: Int32Array, begin: number, end: number): Example {
  return begin === 0 ? { x: tokens.slice(0, end) } : { x: tokens.slice(begin, end), previous: tokens.slice(begin - 1, begin) }
}

/**
 * Every window of `length` tokens, for training. One example in `length` hides what came before, so that `start` is learned too:
 * it stands for a place in the text of which nothing is known.
 */
export function trainingWindows(tokens: Int32Array, length: number): Data {
  const offsets = tokens.length - length + 1
  if (offsets < 1) throw new InvalidDataError(`The text has ${tokens.length} tokens, a training window needs ${length}. Use more text or a smaller context.`)
  return {
    length: offsets * length,
    at(index) {
      const begin = Math.floor(index / length)
      return index % length === 0 ? { x: tokens.slice(begin, begin + length) } : windowAt(tokens, begin, begin + length)
    },
  }
}

/**
 * Documents for training, one after the other in the order given, and after the last the first again: every window of `length` tokens of
 * that circle. So each token is as likely in a window as any other, and a window holds several documents where they are short. They do not
 * see each other, so their order decides nothing but which share a window. A window that begins inside a document goes on from the token
 * before it.
 * @param tokens of all documents, each with its `end`
 */
export function documentWindows(tokens: Int32Array, end: number, length: number): Data {
  const total = tokens.length
  return {
    length: total,
    at(begin) {
      const x = Int32Array.from({ length }, (_, i) => tokens[(begin + i) % total])
      const previous = Int32Array.of(tokens[(begin + total - 1) % total])
      return { x, previous, isStart: Uint8Array.from(x, (_, i) => ((i === 0 ? previous[0] : x[i - 1]) === end ? 1 : 0)) }
    },
  }
}

/** Windows side by side that cover what is meant of each stretch once, for evaluation; the last of a stretch may be shorter. */
export function evaluationWindows(stretches: readonly Stretch[], length: number): Data {
  const places = stretches.flatMap(({ tokens, first }) => Array.from({ length: Math.ceil((tokens.length - first) / length) }, (_, which) => ({ tokens, begin: first + which * length })))
  return {
    length: places.length,
    at(index) {
      const { tokens, begin } = places[index]
      return windowAt(tokens, begin, Math.min(begin + length, tokens.length))
    },
  }
}
