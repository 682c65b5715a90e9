import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { InvalidDataError, InvalidOptionError, UnsupportedError } from '@chainrule/core'
import fc from 'fast-check'
import { Tiktoken } from 'js-tiktoken/lite'
import gpt2Ranks from 'js-tiktoken/ranks/gpt2'
import { describe, expect, test } from 'vitest'
import { byteSymbols } from '../src/tokenizers/byte-symbols.js'
import { bytePair, byte, parseTokenizerJson, tokenizerFromName, trainBytePair } from '../src/tokenizers/index.js'
import { type Merges, mergeWord } from '../src/tokenizers/merge-word.js'
import { compilePattern, gpt2Pattern, split } from '../src/tokenizers/split-pattern.js'
import { gpt2TokenizerJson } from './gpt2.js'

const gpt3Encoder = createRequire(import.meta.url)('gpt-3-encoder') as { encode(text: string): number[] }
const tiktoken = new Tiktoken(gpt2Ranks)
const gpt2 = parseTokenizerJson(gpt2TokenizerJson())
const plays = readFileSync(new URL('../../../apps/demo/data/shakespeare.txt', import.meta.url), 'utf8')

const hostile = [
  '',
  ' ',
  '\n',
  '     a  b\t\tc   \n\n  d \r\n\r\n',
  "I'll don't WE'RE y'all's 'tis ''s 'x",
  'naïve café e\u0301\u0323 a\u0300\u0301\u0302\u0303\u0304',
  '日本語テキスト 中文字符，标点。',
  'שלום עולם مرحبا بالعالم \u202Eabc\u202C',
  '👩‍👩‍👧‍👦👍🏽🇩🇪 1️⃣',
  '\u0000\u0001\u0007\u001b[31m\u007f',
  '١٢٣ ½ ² Ⅷ 1234567890',
  '\u00a0\u2003\u3000\u2028\u2029x\u200b\u200d',
  'constructor __proto__ toString hasOwnProperty',
  '\uD835\uDD4F\u{10FFFF}\uFFFD\uFFFE',
  'a'.repeat(500),
  'abcdefghij'.repeat(60),
  ' '.repeat(300),
  '\n'.repeat(300),
  'http://example.com/?q=%20&x=[1,2](3)#--->>>...!!!',
]

describe("GPT-2's tokens", () => {
  const expectGpt2 = (text: string) => {
    const tokens = [...gpt2.encode(text)]
    expect(tokens).toEqual(tiktoken.encode(text, [], []))
    expect(tokens).toEqual(gpt3Encoder.encode(text))
    expect(gpt2.decode(tokens)).toBe(text)
  }

  test('are those of two other implementations on hostile texts', () => hostile.forEach(expectGpt2))

  test('and on random Unicode, with text of every kind of word around it', () => {
    const piece = fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.string({ unit: 'grapheme', maxLength: 12 }), fc.stringMatching(/^[ \n\ta-c'stlrevmd01.]{0,16}$/), fc.constantFrom(...hostile.filter((text) => text.length < 80)))
    // The others take JavaScript's \s for white space, which has U+FEFF and lacks U+0085; see below.
    const texts = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join('').replaceAll(/[\uFEFF\u0085]/g, ''))
    fc.assert(fc.property(texts, expectGpt2), { numRuns: 1500, seed: 1 })
  })

  test('white space is the property White_Space, as in the original: U+0085 is, U+FEFF is not', () => {
    expect([...split('a \u0085b', compilePattern(gpt2Pattern))]).toEqual(['a', ' ', '\u0085', 'b'])
    expect([...split('a \uFEFFb', compilePattern(gpt2Pattern))]).toEqual(['a', ' \uFEFF', 'b'])
    for (const text of ['a \u0085b', '\uFEFFa \uFEFF!']) expect(gpt2.decode(gpt2.encode(text))).toBe(text)
  })

  test('a special token is found in a text; the bytes around it are not touched', () => {
    const text = ' a<|endoftext|>b'
    expect([...gpt2.encode(text)]).toEqual(tiktoken.encode(text, 'all'))
    expect(gpt2.encode('<|endoftext|>')).toEqual(Int32Array.of(50256))
    expect(gpt2.decode(gpt2.encode(text))).toBe(text)
  })
})

test('half a surrogate pair is an error with its place: UTF-8 has no bytes for it', () => {
  expect(() => gpt2.encode('ab\n\uD83D!')).toThrow(InvalidDataError)
  expect(() => gpt2.encode('ab\n\uD83D!')).toThrow(/line 2, column 1 \(character 3\)/)
  expect(() => trainBytePair('\uDE00', { vocabulary: 257 })).toThrow(/half of a surrogate pair/)
})

/** The lowest rank anywhere in the word, the leftmost first, one merge at a time. */
function mergeSlowly(word: Int32Array, { values, ranks, results }: Merges): number[] {
  const tokens = [...word]
  for (;;) {
    let [best, at] = [Infinity, -1]
    for (let i = 1; i < tokens.length; i++) {
      const rank = ranks.get(tokens[i - 1] * values + tokens[i]) ?? Infinity
      if (rank < best) [best, at] = [rank, i - 1]
    }
    if (at < 0) return tokens
    tokens.splice(at, 2, results[best])
  }
}

test('merging with a heap = merging by looking at all pairs each time, for any table', () => {
  const merge = fc.tuple(fc.nat(5), fc.nat(5), fc.nat(5))
  const word = fc.array(fc.nat(5), { maxLength: 40 }).map((tokens) => Int32Array.from(tokens))
  fc.assert(
    fc.property(fc.uniqueArray(merge, { selector: ([a, b]) => a * 6 + b, maxLength: 20 }), word, (merges, tokens) => {
      const table = { values: 6, ranks: new Map(merges.map(([a, b], rank) => [a * 6 + b, rank])), results: Int32Array.from(merges, ([, , c]) => c) }
      expect([...mergeWord(tokens, table)]).toEqual(mergeSlowly(tokens, table))
    }),
    { numRuns: 2000, seed: 2 },
  )
})

describe('training', () => {
  /** Counts all pairs anew for each merge, as the definition says. */
  function trainSlowly(texts: readonly string[], vocabulary: number, pattern: string | null = gpt2Pattern): string[] {
    const spellings = [...byteSymbols]
    const words = texts.flatMap((text) => (pattern === null ? [text] : [...split(text, compilePattern(pattern))])).map((word) => [...new TextEncoder().encode(word)])
    const merges: string[] = []
    while (spellings.length < vocabulary) {
      const counts = new Map<string, number>()
      for (const word of words) for (let i = 1; i < word.length; i++) counts.set(`${word[i - 1]} ${word[i]}`, (counts.get(`${word[i - 1]} ${word[i]}`) ?? 0) + 1)
      const candidates = [...counts].map(([pair, count]) => ({ pair: pair.split(' ').map(Number), count })).filter(({ count }) => count > 1)
      const [best] = candidates.sort((a, b) => b.count - a.count || a.pair[0] - b.pair[0] || a.pair[1] - b.pair[1])
      if (!best) return merges
      const [left, right] = best.pair
      for (const word of words) for (let i = 0; i + 1 < word.length; i++) if (word[i] === left && word[i + 1] === right) word.splice(i, 2, spellings.length)
      merges.push(`${spellings[left]} ${spellings[right]}`)
      spellings.push(spellings[left] + spellings[right])
    }
    return merges
  }

  test('finds the same merges as counting all pairs anew each time', () => {
    const texts = fc.array(fc.stringMatching(/^[abc ]{0,60}$/), { maxLength: 4 })
    fc.assert(
      fc.property(texts, fc.boolean(), (all, isWhole) => {
        const pattern = isWhole ? null : gpt2Pattern
        const merges = trainSlowly(all, 300, pattern)
        if (merges.length === 0) return
        expect(trainBytePair(all, { vocabulary: 256 + merges.length, pattern }).options.merges).toEqual(merges)
      }),
      { numRuns: 300, seed: 3 },
    )
    const play = plays.slice(0, 8000)
    expect(trainBytePair(play, { vocabulary: 400 }).options.merges).toEqual(trainSlowly([play], 400))
  })

  test('equally frequent pairs come in the order of their tokens', () => {
    expect(trainBytePair('ba ba ca ca', { vocabulary: 258, pattern: String.raw`\p{L}+` }).options.merges).toEqual(['b a', 'c a'])
  })

  test('too large a vocabulary is refused with the largest possible', () => {
    expect(() => trainBytePair('abab', { vocabulary: 300 })).toThrow(InvalidDataError)
    expect(() => trainBytePair('abab', { vocabulary: 300 })).toThrow(/257 tokens, not for 300/)
    expect(() => trainBytePair('abab', { vocabulary: 256 })).toThrow(InvalidOptionError)
    expect(() => trainBytePair('abab', { vocabulary: 257, ...{ size: 1 } })).toThrow(/unknown option "size"/)
  })

  const trained = trainBytePair(plays, { vocabulary: 1256 })

  test('a thousand merges of three plays shorten them; decoding gives them back', () => {
    const tokens = trained.encode(plays)
    expect(tokens.length).toBeLessThan(plays.length / 2.5)
    expect(trained.decode(tokens)).toBe(plays)
    expect(trained.domain).toEqual({ length: 'variable', components: 1, values: 1256 })
    for (const text of hostile) expect(trained.decode(trained.encode(text))).toBe(text)
  })

  test('the options rebuild it', () => {
    const rebuilt = tokenizerFromName(JSON.parse(JSON.stringify({ name: trained.name, options: trained.options })))
    expect(rebuilt.encode(plays.slice(0, 5000))).toEqual(trained.encode(plays.slice(0, 5000)))
    expect(rebuilt.options).toEqual(trained.options)
  })
})

describe('options', () => {
  const merges = ['Ġ a', 'a b', 'Ġa b']

  test('without merges it is the byte tokenizer', () => {
    for (const text of hostile) expect(bytePair({ merges: [] }).encode(text)).toEqual(byte().encode(text))
  })

  test('the pattern decides where merges end', () => {
    const spaces = ['Ġ Ġ', 'b Ġ']
    expect([...bytePair({ merges: spaces }).encode('ab  a')]).toEqual([97, 98, 32, 32, 97])
    expect([...bytePair({ merges: spaces, pattern: null }).encode('ab  a')]).toEqual([97, 98, 256, 97])
    expect([...bytePair({ merges: spaces, pattern: 'b ' }).encode('ab  a')]).toEqual([97, 257, 32, 97])
  })

  test('special tokens: the longest is found, and none of their text is merged', () => {
    const tokenizer = bytePair({ merges, special: ['<a>', '<a><b>'] })
    expect([...tokenizer.encode(' ab<a><b> a<a>')]).toEqual([258, 260, 256, 259])
    expect(tokenizer.decode([258, 260, 256, 259])).toBe(' ab<a><b> a<a>')
    expect(tokenizer.domain.values).toBe(261)
    const accented = bytePair({ merges: [], special: ['éé'] }) // spelled like two bytes
    expect(accented.decode([97, 256, 97])).toBe('aééa')
  })

  test('vocabulary: which value a token has', () => {
    const vocabulary = [...byteSymbols, 'Ġa', 'ab', 'Ġab'].reverse()
    expect([...bytePair({ merges, vocabulary }).encode(' abab')]).toEqual([0, 1])
    expect(bytePair({ merges, vocabulary }).decode([0, 1, 2])).toBe(' abab a')
  })

  test('ignoreMerges: a word that is a token becomes it', () => {
    const vocabulary = [...byteSymbols, 'ab', 'abc']
    expect([...bytePair({ merges: ['a b'], vocabulary }).encode('abc')]).toEqual([256, 99])
    expect([...bytePair({ merges: ['a b'], vocabulary, ignoreMerges: true }).encode('abc abcd')]).toEqual([257, 32, 256, 99, 100])
  })

  test('prefixSpace: a text begins like a word inside it', () => {
    const tokenizer = bytePair({ merges, special: ['<a>'], prefixSpace: true })
    expect(tokenizer.encode('ab')).toEqual(tokenizer.encode(' ab'))
    expect([...tokenizer.encode('ab<a>ab')]).toEqual([258, 259, 258])
    expect(tokenizer.encode('')).toEqual(new Int32Array())
  })

  test('normalForm: other texts are refused, with the place', () => {
    const tokenizer = bytePair({ merges, normalForm: 'NFC' })
    expect(tokenizer.decode(tokenizer.encode('caf\u00e9'))).toBe('caf\u00e9')
    expect(() => tokenizer.encode('cafe\u0301')).toThrow(/character 3\): the text is not in the normal form NFC/)
    expect(() => bytePair({ merges, normalForm: 'NFKC' as 'NFC' })).toThrow(InvalidOptionError)
  })

  test.each([
    [{ merges: ['ab'] }, /merge 0, "ab", is not two tokens/],
    [{ merges: ['a b', 'a b'] }, /both spelled "ab"/],
    [{ merges: ['a b', 'a b'], vocabulary: [...byteSymbols, 'ab'] }, /merge 1, "a b", is there twice/],
    [{ merges: ['ab c'] }, /needs the token "ab"/],
    [{ merges: [], vocabulary: byteSymbols.slice(1) }, /no token for byte 0x00/],
    [{ merges: [], vocabulary: [...byteSymbols, '日'] }, /token 256, "日", is not spelled in byte symbols/],
    [{ merges: [], vocabulary: [...byteSymbols], special: ['<a>'] }, /"<a>" is not in the vocabulary/],
    [{ merges: [''] }, /none of them empty/],
    [{ merges: [], lower: true }, /unknown option "lower"/],
  ])('options that do not fit together are refused: %#', (options, message) => {
    expect(() => bytePair(options)).toThrow(InvalidOptionError)
    expect(() => bytePair(options)).toThrow(message)
  })

  test('a value outside the vocabulary has no text', () => {
    expect(() => bytePair({ merges: [] }).decode([65, 256])).toThrow(/token 1 is 256, expected 0 … 255/)
    expect(() => byte().decode([65, 256])).toThrow(/token 1 is 256, expected 0 … 255/)
  })
})

describe('patterns', () => {
  test.each([String.raw`\w+`, String.raw`a++`, '[[:alpha:]]', '[a&&b]', '^a', 'a$', '.', String.raw`(?<=a)b`, String.raw`(a)`, String.raw`\bx`, String.raw`(?i:\p{L})`, String.raw`\p{Alpha}`, String.raw`a{2}{3}`])('%s may mean something else and is refused', (pattern) => {
    expect(() => compilePattern(pattern)).toThrow(UnsupportedError)
  })

  test('what is no regular expression is refused', () => expect(() => compilePattern('(?:a')).toThrow(UnsupportedError))

  test('escapes, classes and letters of either case are translated', () => {
    const words = (pattern: string, text: string) => [...split(text, compilePattern(pattern))]
    expect(words(String.raw`[^\s\-]+`, 'a-b c')).toEqual(['a', '-', 'b', ' ', 'c'])
    expect(words("(?i:'s|'k)", "a'Sb'sc'ſd'\u212A")).toEqual(['a', "'S", 'b', "'s", 'c', "'ſ", 'd', "'\u212A"])
    expect(words(String.raw`\\s`, String.raw`a\sb`)).toEqual(['a', String.raw`\s`, 'b'])
  })
})

describe('a stream', () => {
  const text = 'a👩‍👧é日 \u0000z'
  test.each([
    ['byte', byte()],
    ['byte-pair', gpt2],
  ])('of %s tokens gives a character when all of its bytes have come', (_, tokenizer) => {
    const decoder = tokenizer.decoder()
    const pieces = [...tokenizer.encode(text)].map((value) => decoder.push([value]))
    expect(pieces.join('') + decoder.end()).toBe(text)
    for (const piece of pieces) expect(piece).not.toContain('\uFFFD')
  })

  test('of any tokens gives in the end what decoding them together gives', () => {
    const values = fc.array(fc.nat(255), { maxLength: 30 })
    fc.assert(
      fc.property(values, (tokens) => {
        for (const tokenizer of [byte(), bytePair({ merges: [] })]) {
          const decoder = tokenizer.decoder()
          const streamed = tokens.map((value) => decoder.push([value])).join('') + decoder.end()
          expect(streamed).toBe(tokenizer.decode(tokens))
          expect(streamed).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(tokens)))
        }
      }),
      { numRuns: 500, seed: 4 },
    )
  })
})
