/**
 * Byte-pair encoding of bytes: a text is cut into words by a pattern, a word into its bytes, and neighbours are merged in the order in
 * which the merges were learned. Any text has tokens, and decode(encode(text)) = text.
 *
 * Sennrich, Haddow, Birch 2016 (arXiv 1508.07909), on bytes as in GPT-2 (Radford et al. 2019). Tokens are spelled in byte symbols.
 */
import { InvalidDataError, InvalidOptionError, type JsonObject, refuseUnknownOptions } from '@chainrule/core'
import { byteSymbols, spell, unspell } from './byte-symbols.js'
import { type Merges, mergeWord } from './merge-word.js'
import { compilePattern, gpt2Pattern, split } from './split-pattern.js'
import { placeOf, type TextTokenizer } from './tokenizer.js'
import { decodingBytes, refuseLoneSurrogates } from './utf8.js'

export interface BytePairOptions {
  /** Which neighbours become one token, "left right" in byte symbols, the first learned first. */
  merges: readonly string[]
  /** How each token is spelled; by default the 256 bytes, then what the merges give, then the special tokens. */
  vocabulary?: readonly string[]
  /** Tokens that are found in a text as they stand, before it is cut into words; the longest first. */
  special?: readonly string[]
  /** What a word is, as a regular expression in the syntax of tokenizer files; null: all of a text is one. Default: GPT-2's. */
  pattern?: string | null
  /** A word that is a token becomes that token, whatever the merges say. */
  ignoreMerges?: boolean
  /** A space is put before a text that has none, and before what follows a special token. Decoding does not take it away again. */
  prefixSpace?: boolean
  /** The tokenizer was made for texts in this normal form: others are refused, never changed. */
  normalForm?: 'NFC'
}

/** Words whose tokens are remembered, and how long one may be in UTF-16 units. */
const remembered = { words: 1 << 16, length: 32 }

const optionNames = ['merges', 'vocabulary', 'special', 'pattern', 'ignoreMerges', 'prefixSpace', 'normalForm']

/**
 * @throws {InvalidOptionError} where merges, vocabulary and special tokens do not fit together
 * @throws {UnsupportedError} for a pattern that may mean something else in JavaScript
 */
export function bytePair(options: BytePairOptions): TextTokenizer {
  refuseUnknownOptions('bytePair', options, optionNames)
  const { merges, special = [], pattern = gpt2Pattern, ignoreMerges = false, prefixSpace = false, normalForm } = options
  if (normalForm !== undefined && normalForm !== 'NFC') throw new InvalidOptionError(`bytePair: normalForm must be NFC or absent, got ${String(normalForm)}.`)
  for (const [name, list] of Object.entries({ merges, vocabulary: options.vocabulary ?? [], special })) {
    if (!Array.isArray(list) || list.some((each) => typeof each !== 'string' || each === '')) throw new InvalidOptionError(`bytePair: ${name} must be a list of texts, none of them empty.`)
  }
  const vocabulary = options.vocabulary ?? [...byteSymbols, ...merges.map((merge) => merge.replace(' ', '')), ...special]
  const tokenOf = tokensOf(vocabulary)
  const bytes = bytesOfTokens(vocabulary, special, tokenOf)
  const byteTokens = Int32Array.from(byteSymbols, (symbol, byte) => tokenOf.get(symbol) ?? refuse(`the vocabulary has no token for byte 0x${byte.toString(16).padStart(2, '0')} ("${symbol}")`))
  const mergeTable = mergeTableOf(merges, vocabulary, tokenOf)
  const wordPattern = pattern === null ? undefined : compilePattern(pattern)
  const specialPattern = special.length > 0 ? new RegExp([...special].sort((a, b) => b.length - a.length).map(escaped).join('|'), 'gu') : undefined
  const known = new Map<string, Int32Array>()

  function tokensOfWord(word: string): Int32Array {
    const found = known.get(word)
    if (found) return found
    const utf8 = new TextEncoder().encode(word)
    const whole = ignoreMerges ? tokenOf.get(spell(utf8)) : undefined
    const tokens = whole !== undefined ? Int32Array.of(whole) : mergeWord(Int32Array.from(utf8, (byte) => byteTokens[byte]), mergeTable)
    if (word.length <= remembered.length) {
      if (known.size === remembered.words) known.clear()
      known.set(word, tokens)
    }
    return tokens
  }

  function* tokensOfText(text: string): Generator<Int32Array, void> {
    if (text === '') return
    const whole = prefixSpace && !text.startsWith(' ') ? ` ${text}` : text
    for (const word of wordPattern ? split(whole, wordPattern) : [whole]) yield tokensOfWord(word)
  }

  function* piecesOf(text: string): Generator<Int32Array, void> {
    let end = 0
    for (const { 0: found, index } of specialPattern ? text.matchAll(specialPattern) : []) {
      yield* tokensOfText(text.slice(end, index))
      yield Int32Array.of(tokenOf.get(found)!)
      end = index + found.length
    }
    yield* tokensOfText(text.slice(end))
  }

  return {
    name: 'bytePair',
    options: {
      merges,
      pattern,
      ...(options.vocabulary && { vocabulary }),
      ...(special.length > 0 && { special }),
      ...(ignoreMerges && { ignoreMerges }),
      ...(prefixSpace && { prefixSpace }),
      ...(normalForm && { normalForm }),
    } satisfies JsonObject,
    domain: { length: 'variable', components: 1, values: vocabulary.length },
    encode(text) {
      refuseLoneSurrogates(text)
      if (normalForm) refuseOtherForms(text)
      return joined(piecesOf(text), text.length)
    },
    ...decodingBytes((values) => {
      const wrong = Array.prototype.findIndex.call(values, (value: number) => bytes[value] === undefined)
      if (wrong >= 0) throw new InvalidDataError(`bytePair: token ${wrong} is ${values[wrong]}, expected 0 … ${vocabulary.length - 1}.`)
      const whole = new Uint8Array(Array.prototype.reduce.call(values, (sum, value) => (sum as number) + bytes[value].length, 0) as number)
      for (let which = 0, at = 0; which < values.length; at += bytes[values[which++]].length) whole.set(bytes[values[which]], at)
      return whole
    }),
  }
}

function refuse(what: string): never {
  throw new InvalidOptionError(`bytePair: ${what}. The options are damaged or of another kind of tokenizer.`)
}

function tokensOf(vocabulary: readonly string[]): Map<string, number> {
  const tokenOf = new Map<string, number>()
  vocabulary.forEach((token, value) => {
    if (tokenOf.has(token)) refuse(`the tokens ${tokenOf.get(token)} and ${value} are both spelled "${token}"`)
    tokenOf.set(token, value)
  })
  return tokenOf
}

/** What each token decodes to. */
function bytesOfTokens(vocabulary: readonly string[], special: readonly string[], tokenOf: ReadonlyMap<string, number>): readonly Uint8Array[] {
  for (const name of special) if (!tokenOf.has(name)) refuse(`the special token "${name}" is not in the vocabulary`)
  const isSpecial = new Set(special)
  return vocabulary.map((token, value) => (isSpecial.has(token) ? new TextEncoder().encode(token) : unspell(token) ?? refuse(`token ${value}, "${token}", is not spelled in byte symbols`)))
}

function mergeTableOf(merges: readonly string[], vocabulary: readonly string[], tokenOf: ReadonlyMap<string, number>): Merges {
  const values = vocabulary.length
  const ranks = new Map<number, number>()
  const results = Int32Array.from(merges, (merge, rank) => {
    const [left, right, ...more] = merge.split(' ')
    if (!left || !right || more.length > 0) refuse(`merge ${rank}, "${merge}", is not two tokens with a space between them`)
    const [first, second, result] = [left, right, left + right].map((token) => tokenOf.get(token) ?? refuse(`merge ${rank}, "${merge}", needs the token "${token}", which the vocabulary lacks`))
    const pair = first * values + second
    if (ranks.has(pair)) refuse(`merge ${rank}, "${merge}", is there twice`)
    ranks.set(pair, rank)
    return result
  })
  return { values, ranks, results }
}

const escaped = (literal: string) => literal.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)

function refuseOtherForms(text: string): void {
  const normal = text.normalize('NFC')
  if (normal === text) return
  let at = 0
  while (text[at] === normal[at]) at++
  throw new InvalidDataError(`${placeOf(text, at)}: the text is not in the normal form NFC, which this tokenizer needs. Normalize it first: text.normalize('NFC').`)
}

function joined(pieces: Iterable<Int32Array>, expected: number): Int32Array {
  let values = new Int32Array(expected + 16)
  let count = 0
  for (const piece of pieces) {
    if (count + piece.length > values.length) {
      const larger = new Int32Array(2 * (count + piece.length))
      larger.set(values)
      values = larger
    }
    values.set(piece, count)
    count += piece.length
  }
  return values.slice(0, count)
}
