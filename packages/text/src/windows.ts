/** A text as examples: windows of a fixed number of tokens, each with the token before it as its first `previous`. */
import { InvalidDataError } from '@chainrule/core'
import type { Data, Example } from '@chainrule/train'

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

/** Windows side by side that cover tokens begin … end−1 once, for evaluation; the last may be shorter. */
export function evaluationWindows(tokens: Int32Array, length: number, begin = 0, end = tokens.length): Data {
  return {
    length: Math.ceil((end - begin) / length),
    at(index) {
      const first = begin + index * length
      return windowAt(tokens, first, Math.min(first + length, end))
    },
  }
}
