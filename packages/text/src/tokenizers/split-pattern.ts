/**
 * How a text is cut into words before bytes are merged: by a regular expression. Files write it for Oniguruma; what means something
 * else in JavaScript is translated (\s, which there is the property White_Space, and (?i:…) of letters), and whatever is not known to
 * mean the same is refused.
 */
import { UnsupportedError } from '@chainrule/core'

/** GPT-2's: contractions, letters, digits, other signs, each with the space before; runs of spaces up to the last one. */
export const gpt2Pattern = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

const classItem = String.raw`\\[pP]\{[LMNPSZC][a-z]?\}|\\[sSrnt]|\\[^A-Za-z0-9]|[^\\\[\]&]`

/** What is known to mean the same: groups, looking ahead, classes, quantifiers that are not possessive, escapes, literals. */
const known = new RegExp(
  [String.raw`(?<insensitive>\(\?i:[A-Za-z'|]*\))`, String.raw`\(\?[:!=]|\)|\|`, String.raw`\[\^?(?:${classItem})+\]`, String.raw`(?:[*+?]|\{\d+(?:,\d*)?\})\??(?![*+?{])`, String.raw`\\[pP]\{[LMNPSZC][a-z]?\}|\\[sSrnt]|\\[^A-Za-z0-9]`, String.raw`[^\\\[\](){}*+?|.^$]`].join('|'),
  'uy',
)

const otherCases: Record<string, string> = { s: 'ſ', k: '\u212A' }

const translated = (part: string) =>
  part.replaceAll(/\\(.)/gsu, (escape, sign: string) => {
    if (sign === 's') return String.raw`\p{White_Space}`
    if (sign === 'S') return String.raw`\P{White_Space}`
    return /[A-Za-z]/.test(sign) ? escape : `\\u{${sign.codePointAt(0)!.toString(16)}}`
  })

const insensitive = (group: string) => `(?:${group.slice('(?i:'.length, -1).replaceAll(/[a-z]/gi, (letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}${otherCases[letter.toLowerCase()] ?? ''}]`)})`

/** @throws {UnsupportedError} naming the place of what may mean something else in JavaScript */
export function compilePattern(source: string): RegExp {
  let compiled = ''
  for (let at = 0; at < source.length; at = known.lastIndex) {
    known.lastIndex = at
    const match = known.exec(source)
    if (!match) throw new UnsupportedError(`The pattern ${source} has at character ${at} "${source.slice(at, at + 12)}", which is not supported: it may mean something else in JavaScript. Use another tokenizer.`)
    compiled += match.groups!.insensitive ? insensitive(match[0]) : translated(match[0])
  }
  try {
    return new RegExp(compiled, 'gu')
  } catch (error) {
    throw new UnsupportedError(`The pattern ${source} is no regular expression: ${(error as Error).message}`, { cause: error })
  }
}

/** The words of a text, in order; nothing is lost: what the pattern does not match is a word, too. */
export function* split(text: string, pattern: RegExp): Generator<string, void> {
  let end = 0
  for (const { 0: word, index } of text.matchAll(pattern)) {
    if (index > end) yield text.slice(end, index)
    if (word) yield word
    end = index + word.length
  }
  if (end < text.length) yield text.slice(end)
}
