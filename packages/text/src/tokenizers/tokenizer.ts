/** A text tokenizer also decodes piece by piece: a character may be spread over several tokens. */
import type { DiscreteDomain, Tokenizer } from '@chainrule/core'

export interface TextTokenizer extends Tokenizer<string> {
  readonly domain: DiscreteDomain
  encode(text: string): Int32Array
  /** A decoder for a stream of tokens: `push` returns what is complete so far, `end` the rest. */
  decoder(): { push(values: ArrayLike<number>): string; end(): string }
}

/** Where a character of a text is, for people: line and column from 1, characters from 0. */
export function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  const column = offset - (before.lastIndexOf('\n') + 1) + 1
  return `line ${line}, column ${column} (character ${offset})`
}

/** A character as people can read it, with its code point. */
export function nameOf(character: string): string {
  return `${JSON.stringify(character)} (U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')})`
}
