/**
 * Learning the merges of a byte-pair encoding: the most frequent pair of neighbours inside the words becomes a token, again and again.
 *
 * Of equally frequent pairs the one with the smaller left token comes first, then that with the smaller right one, so the result depends on
 * nothing but the text and the options. No two pairs spell the same: between the same ends, the same bytes are merged the same way.
 * Counts are kept up to date: a merge looks only at the words that hold its pair, and a heap finds the next one.
 */
import { InvalidDataError, refuseUnknownOptions, wholeNumber } from '@chainrule/core'
import { bytePair } from './byte-pair.js'
import { byteSymbols } from './byte-symbols.js'
import { Heap } from './heap.js'
import { compilePattern, gpt2Pattern, split } from './split-pattern.js'
import type { TextTokenizer } from './tokenizer.js'
import { refuseLoneSurrogates } from './utf8.js'

export interface TrainBytePairOptions {
  /** V, the number of tokens: 256 bytes and V − 256 merges. */
  vocabulary: number
  /** What a word is; merges never cross its ends. Default: GPT-2's; null: all of a text is one word. */
  pattern?: string | null
}

/** A pair that occurs once is not worth a token. */
const leastCount = 2

/**
 * @throws {InvalidDataError} where the texts do not have enough pairs that occur twice, with the largest vocabulary that they allow
 * @throws {InvalidOptionError} for a vocabulary below 257
 */
export function trainBytePair(texts: string | readonly string[], options: TrainBytePairOptions): TextTokenizer {
  refuseUnknownOptions('trainBytePair', options, ['vocabulary', 'pattern'])
  const { pattern = gpt2Pattern } = options
  const vocabulary = wholeNumber('trainBytePair', 'vocabulary', options.vocabulary, 257, 1 << 24)
  const pairs = new Pairs(wordsOf(typeof texts === 'string' ? [texts] : texts, pattern), vocabulary)
  const spellings = [...byteSymbols]
  const merges: string[] = []
  while (spellings.length < vocabulary) {
    const pair = pairs.mostFrequent()
    if (!pair) throw new InvalidDataError(`trainBytePair: the text has pairs for a vocabulary of ${spellings.length} tokens, not for ${vocabulary}: no other pair occurs twice. Ask for fewer tokens, or give more text.`)
    const [left, right] = pair.map((token) => spellings[token])
    merges.push(`${left} ${right}`)
    pairs.merge(pair, spellings.length)
    spellings.push(left + right)
  }
  return bytePair({ merges, pattern })
}

interface Word {
  tokens: number[]
  /** How often the texts have it. */
  readonly count: number
}

function wordsOf(texts: readonly string[], pattern: string | null): Word[] {
  const compiled = pattern === null ? undefined : compilePattern(pattern)
  const counts = new Map<string, number>()
  for (const text of texts) {
    refuseLoneSurrogates(text)
    for (const word of compiled ? split(text, compiled) : [text]) counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  return [...counts].map(([word, count]) => ({ tokens: [...new TextEncoder().encode(word)], count }))
}

interface Entry {
  readonly pair: number
  readonly count: number
}

/** Which pairs of neighbours the words have, how often, and where. */
class Pairs {
  /** left · V + right → how often. */
  readonly #counts = new Map<number, number>()
  /** In which words a pair is, or was before a merge took it. */
  readonly #places = new Map<number, number[]>()
  readonly #heap = new Heap<Entry>(comesFirst)

  constructor(
    private readonly words: readonly Word[],
    private readonly vocabulary: number,
  ) {
    words.forEach(({ tokens, count }, which) => {
      for (let at = 1; at < tokens.length; at++) this.#add(tokens[at - 1], tokens[at], count, which)
    })
    for (const pair of this.#counts.keys()) this.#push(pair)
  }

  /** The most frequent pair; undefined where none occurs twice. */
  mostFrequent(): readonly [number, number] | undefined {
    for (let top = this.#heap.pop(); top; top = this.#heap.pop()) {
      const { pair, count } = top
      // Counts fall while a pair waits in the heap; they never rise again.
      if (this.#counts.get(pair) !== count) this.#push(pair)
      else {
        const right = pair % this.vocabulary
        return [(pair - right) / this.vocabulary, right]
      }
    }
    return undefined
  }

  /** Makes `merged` of each occurrence of the pair, from the left. */
  merge([left, right]: readonly [number, number], merged: number): void {
    const pair = left * this.vocabulary + right
    const fresh = new Set<number>()
    for (const which of this.#places.get(pair)!) {
      const { tokens, count } = this.words[which]
      const rest: number[] = []
      for (let at = 0; at < tokens.length; at++) {
        if (tokens[at] !== left || tokens[at + 1] !== right) {
          rest.push(tokens[at])
          continue
        }
        if (rest.length > 0) {
          const before = rest[rest.length - 1]
          this.#remove(before, left, count)
          fresh.add(this.#add(before, merged, count, which))
        }
        if (at + 2 < tokens.length) {
          this.#remove(right, tokens[at + 2], count)
          fresh.add(this.#add(merged, tokens[at + 2], count, which))
        }
        rest.push(merged)
        at++
      }
      this.words[which].tokens = rest
    }
    this.#counts.delete(pair)
    this.#places.delete(pair)
    for (const each of fresh) this.#push(each)
  }

  #add(left: number, right: number, count: number, which: number): number {
    const pair = left * this.vocabulary + right
    this.#counts.set(pair, (this.#counts.get(pair) ?? 0) + count)
    const places = this.#places.get(pair)
    if (!places) this.#places.set(pair, [which])
    else if (places[places.length - 1] !== which) places.push(which)
    return pair
  }

  #remove(left: number, right: number, count: number): void {
    const pair = left * this.vocabulary + right
    this.#counts.set(pair, this.#counts.get(pair)! - count)
  }

  #push(pair: number): void {
    const count = this.#counts.get(pair) ?? 0
    if (count >= leastCount) this.#heap.push({ pair, count })
  }
}

/** More often; else the smaller left token, then the smaller right one. */
const comesFirst = (a: Entry, b: Entry) => a.count > b.count || (a.count === b.count && a.pair < b.pair)
