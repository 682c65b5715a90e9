import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { InvalidDataError, UnsupportedError } from '@chainrule/core'
import fc from 'fast-check'
import { Tiktoken } from 'js-tiktoken/lite'
import cl100k from 'js-tiktoken/ranks/cl100k_base'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readTokenizerJson } from '../src/index.js'
import { spell } from '../src/tokenizers/byte-symbols.js'
import { byte, bytePair, character, parseTokenizerJson, type TextTokenizer, tokenizerJson, trainBytePair } from '../src/tokenizers/index.js'
import { gpt2TokenizerJson } from './gpt2.js'

/** A small byte-level file to change. */
const small = () => tokenizerJson(bytePair({ merges: ['a b', 'Ġ ab'] })) as { [key: string]: any }

describe('reading', () => {
  test('the tokens of newer files: a pattern of their own, pairs as lists, words that are tokens whatever the merges say', () => {
    const tokenizer = parseTokenizerJson(cl100kTokenizerJson())
    const tiktoken = new Tiktoken(cl100k)
    const texts = fc.array(fc.oneof(fc.string({ unit: 'binary', maxLength: 10 }), fc.string({ unit: 'grapheme', maxLength: 10 }), fc.stringMatching(/^[ \n\ra-cA-C'SstLld019.]{0,16}$/)), { maxLength: 4 })
    fc.assert(
      fc.property(texts, (pieces) => {
        const text = pieces.join('').replaceAll(/[\uFEFF\u0085]/g, '')
        expect([...tokenizer.encode(text)]).toEqual(tiktoken.encode(text, [], []))
      }),
      { numRuns: 500, seed: 5 },
    )
  })

  test('both forms of merges are the same', () => {
    const file = gpt2TokenizerJson()
    const pairs = { ...file, model: { ...file.model, merges: file.model.merges.map((merge: string) => merge.split(' ')) } }
    const text = 'Friends, Romans, countrymen'
    expect(parseTokenizerJson(pairs).encode(text)).toEqual(parseTokenizerJson(file).encode(text))
    expect(parseTokenizerJson(pairs).options).toEqual(parseTokenizerJson(file).options)
  })

  test('what a file says is obeyed', () => {
    const tokens = (change: (file: { [key: string]: any }) => void, text: string) => {
      const file = small()
      change(file)
      return [...parseTokenizerJson(file).encode(text)]
    }
    expect(tokens(() => undefined, 'ab ab')).toEqual([256, 257])
    expect(tokens((file) => (file.pre_tokenizer.add_prefix_space = true), 'ab ab')).toEqual([257, 257])
    expect(tokens((file) => (file.pre_tokenizer.use_regex = false), 'ab ab')).toEqual([256, 257])
    expect(tokens((file) => file.added_tokens.push({ id: 258, content: 'b a', normalized: false, special: false }), 'ab ab')).toEqual([97, 258, 98])
    expect(() => tokens((file) => (file.normalizer = { type: 'NFC' }), 'e\u0301')).toThrow(/NFC/)
    expect(tokens((file) => (file.model.merges = []), 'ab')).toEqual([97, 98])
    expect(tokens((file) => Object.assign(file.model, { merges: [], ignore_merges: true }), 'ab')).toEqual([256])
  })

  test.each<[string, (file: { [key: string]: any }) => void, RegExp]>([
    ['Unigram', (file) => (file.model.type = 'Unigram'), /its model is Unigram, expected BPE/],
    ['no model', (file) => delete file.model, /it has no "model"/],
    ['dropout', (file) => (file.model.dropout = 0.1), /"dropout" of its model is 0.1/],
    ['suffix', (file) => (file.model.end_of_word_suffix = '</w>'), /"end_of_word_suffix" of its model is <\/w>/],
    ['normalizer', (file) => (file.normalizer = { type: 'Lowercase' }), /its normalizer is Lowercase/],
    ['normalizers', (file) => (file.normalizer = { type: 'Sequence', normalizers: [] }), /its normalizer is Sequence/],
    ['Metaspace', (file) => (file.pre_tokenizer = { type: 'Metaspace' }), /its pre-tokenizer is Metaspace/],
    ['no pre-tokenizer', (file) => (file.pre_tokenizer = null), /its pre-tokenizer is absent/],
    ['Digits', (file) => (file.pre_tokenizer = { type: 'Sequence', pretokenizers: [{ type: 'Digits' }, file.pre_tokenizer] }), /its pre-tokenizer is Digits, ByteLevel/],
    ['behavior', (file) => (file.pre_tokenizer = { type: 'Sequence', pretokenizers: [{ type: 'Split', pattern: { Regex: 'a' }, behavior: 'Removed' }, { type: 'ByteLevel', add_prefix_space: false, use_regex: false }] }), /behavior Removed/],
    ['two patterns', (file) => (file.pre_tokenizer = { type: 'Sequence', pretokenizers: [{ type: 'Split', pattern: { Regex: 'a' }, behavior: 'Isolated' }, { type: 'ByteLevel', add_prefix_space: false }] }), /splits twice/],
    ['a space before each word', (file) => (file.pre_tokenizer = { type: 'Sequence', pretokenizers: [{ type: 'Split', pattern: { Regex: 'a' }, behavior: 'Isolated' }, { type: 'ByteLevel', use_regex: false }] }), /a space before each word/],
    ['decoder', (file) => (file.decoder = { type: 'WordPiece' }), /its decoder is WordPiece/],
    ['truncation', (file) => (file.truncation = { max_length: 8 }), /"truncation" is set/],
    ['padding', (file) => (file.padding = { strategy: 'BatchLongest' }), /"padding" is set/],
    ['stripping', (file) => file.added_tokens.push({ id: 258, content: '<m>', lstrip: true }), /"<m>" takes in what is around it/],
    ['added twice', (file) => file.added_tokens.push({ id: 5, content: '<m>' }), /"<m>" has the value 5, which is no free whole number/],
    ['a gap', (file) => file.added_tokens.push({ id: 300, content: '<m>' }), /no token 258/],
    ['overlap', (file) => file.added_tokens.push({ id: 258, content: '<m>', normalized: true }, { id: 259, content: '>x', normalized: false }), /can overlap/],
    ['merge', (file) => (file.model.merges = [['a']]), /merge 0 is \["a"\]/],
  ])('what it cannot do exactly is refused by name: %s', (_, change, message) => {
    const file = small()
    change(file)
    expect(() => parseTokenizerJson(file)).toThrow(UnsupportedError)
    expect(() => parseTokenizerJson(file)).toThrow(message)
  })

  test('what is not JSON is refused', () => expect(() => parseTokenizerJson('{')).toThrow(/it is not JSON/))

  describe('from', () => {
    let folder: string
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'chainrule-tokenizer-'))
    })
    afterAll(() => rm(folder, { recursive: true }))

    test('a path, a URL, bytes; what cannot be read is named', async () => {
      const content = JSON.stringify(small())
      const path = join(folder, 'tokenizer.json')
      await writeFile(path, content)
      const server = createServer((request, response) => response.writeHead(request.url === '/tokenizer.json' ? 200 : 404).end(content))
      const port = await new Promise<number>((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))
      try {
        for (const source of [path, pathToFileURL(path), new TextEncoder().encode(content), new URL(`http://127.0.0.1:${port}/tokenizer.json`)]) {
          expect([...(await readTokenizerJson(source)).encode('ab ab')]).toEqual([256, 257])
        }
        expect([...(await readTokenizerJson(`http://127.0.0.1:${port}/tokenizer.json`)).encode('ab ab')]).toEqual([256, 257])
        await expect(readTokenizerJson(new URL(`http://127.0.0.1:${port}/other.json`))).rejects.toThrow(/the server answers 404/)
      } finally {
        await new Promise((resolve) => server.close(resolve))
      }
      await expect(readTokenizerJson(new URL(`http://127.0.0.1:${port}/tokenizer.json`))).rejects.toThrow(/cannot be fetched/)
      await expect(readTokenizerJson(join(folder, 'absent.json'))).rejects.toThrow(/absent\.json: there is no such file/)
      await expect(readTokenizerJson(folder)).rejects.toThrow(InvalidDataError)
    })
  })
})

describe('writing', () => {
  const text = 'ab abab  "a" é👩‍👧\u0000\n__proto__ 0 1'
  const reread = (tokenizer: TextTokenizer, options = {}) => parseTokenizerJson(JSON.stringify(tokenizerJson(tokenizer, options)))

  test.each<[string, TextTokenizer]>([
    ['byte', byte()],
    ['trained', trainBytePair(text.repeat(9), { vocabulary: 275 })],
    ['another pattern', trainBytePair(text.repeat(9), { vocabulary: 262, pattern: String.raw`\s?\S` })],
    ['no pattern', trainBytePair(text.repeat(9), { vocabulary: 270, pattern: null })],
    ['all options', bytePair({ merges: ['a b'], special: ['<a>'], prefixSpace: true, normalForm: 'NFC', ignoreMerges: true })],
    ['GPT-2', parseTokenizerJson(gpt2TokenizerJson())],
  ])('what is written and read again gives the same tokens: %s', (_, tokenizer) => {
    expect(reread(tokenizer).encode(text)).toEqual(tokenizer.encode(text))
    expect(reread(tokenizer).domain).toEqual(tokenizer.domain)
    expect(tokenizerJson(reread(tokenizer))).toEqual(tokenizerJson(tokenizer))
  })

  test('characters are a vocabulary without merges', () => {
    const { model, decoder, pre_tokenizer } = tokenizerJson(character({ characters: 'cab👩' })) as { [key: string]: any }
    expect(model.vocab).toEqual({ a: 0, b: 1, c: 2, '👩': 3 })
    expect([model.type, model.merges, pre_tokenizer, decoder]).toEqual(['BPE', [], null, { type: 'Fuse' }])
  })

  test('the tokens that models add come after all values', () => {
    const added = (options: object) => (tokenizerJson(byte(), options) as { [key: string]: any }).added_tokens.map(({ id, content }: { id: number; content: string }) => [id, content])
    expect(added({})).toEqual([])
    expect(added({ end: true })).toEqual([[256, '<|end|>']])
    expect(added({ start: true })).toEqual([[256, '<|start|>']])
    expect(added({ end: true, start: true })).toEqual([[256, '<|end|>'], [257, '<|start|>']])
    expect([...reread(byte(), { end: true }).encode('a<|end|>')]).toEqual([97, 256])
    expect(() => tokenizerJson(bytePair({ merges: [], special: ['<|end|>'] }), { end: true })).toThrow(UnsupportedError)
    expect(() => tokenizerJson(byte(), { stop: true } as object)).toThrow(/unknown option "stop"/)
    expect(() => tokenizerJson({ ...byte(), name: 'words' })).toThrow(/"words" has no form/)
  })
})

/** GPT-4's tokens in the layout of the newer files: merges are found again as the last step of encoding each token by the ones before it. */
function cl100kTokenizerJson(): { [key: string]: any } {
  const bytesOf = cl100k.bpe_ranks.split('\n').filter(Boolean).flatMap((line) => {
    const [, offset, ...tokens] = line.split(' ')
    return tokens.map((token, which) => [Number(offset) + which, Buffer.from(token, 'base64').toString('latin1')] as const)
  })
  const rankOf = new Map(bytesOf.map(([rank, bytes]) => [bytes, rank]))
  const spelled = (bytes: string) => spell(Buffer.from(bytes, 'latin1'))
  const merges = bytesOf.flatMap(([rank, bytes]) => {
    const parts = [...bytes]
    while (parts.length > 2) {
      let [best, at] = [rank, -1]
      for (let i = 1; i < parts.length; i++) {
        const found = rankOf.get(parts[i - 1] + parts[i])
        if (found !== undefined && found < best) [best, at] = [found, i]
      }
      if (at < 0) return [] // no merges lead here: reached as a whole word only
      parts.splice(at - 1, 2, parts[at - 1] + parts[at])
    }
    return parts.length === 2 ? [parts.map(spelled)] : []
  })
  const pattern = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
  return {
    version: '1.0',
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false }, { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false }] },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: 'BPE', dropout: null, ignore_merges: true, vocab: Object.fromEntries(bytesOf.map(([rank, bytes]) => [spelled(bytes), rank])), merges },
  }
}
