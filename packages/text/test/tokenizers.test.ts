import { InvalidDataError, InvalidOptionError, UnknownPieceError } from '@chainrule/core'
import { describe, expect, test } from 'vitest'
import { byte, character, tokenizerFromName } from '../src/tokenizers/index.js'

const hostile = ['a', 'To be, or not to be\n', 'naïve café', '日本語テキスト', '👩‍👩‍👧‍👦 family', '\u0000\u0007\t\r\n', 'e\u0301', '\uFEFFmark', '𝕏'.repeat(3)]

describe('character', () => {
  test('decode(encode(x)) = x and encode(decode(t)) = t, by code points', () => {
    const tokenizer = character({ characters: hostile.join('') })
    for (const text of [...hostile, '']) {
      const tokens = tokenizer.encode(text)
      expect(tokens.length).toBe([...text].length)
      expect(tokenizer.decode(tokens)).toBe(text)
      expect([...tokenizer.encode(tokenizer.decode(tokens))]).toEqual([...tokens])
    }
  })

  test('the alphabet is sorted, without repetitions, and is the option that a file keeps', () => {
    const tokenizer = character({ characters: 'banana' })
    expect(tokenizer.options).toEqual({ characters: 'abn' })
    expect(tokenizer.domain).toEqual({ length: 'variable', components: 1, values: 3 })
    expect([...tokenizer.encode('nab')]).toEqual([2, 0, 1])
    expect(tokenizerFromName(JSON.parse(JSON.stringify({ name: tokenizer.name, options: tokenizer.options }))).encode('nab')).toEqual(tokenizer.encode('nab'))
  })

  test('an unknown character is an error with its place', () => {
    const tokenizer = character({ characters: 'ab\n' })
    expect(() => tokenizer.encode('ab\nabéa')).toThrow(InvalidDataError)
    expect(() => tokenizer.encode('ab\nabéa')).toThrow(/line 2, column 3 \(character 5\): the character "é" \(U\+00E9\) is not among the 3/)
    expect(() => tokenizer.decode([0, 3])).toThrow(/token 1 is 3, expected 0 … 2/)
  })

  test('an alphabet of one character, or unknown options, are refused', () => {
    expect(() => character({ characters: 'aaa' })).toThrow(InvalidOptionError)
    expect(() => character({ characters: 'ab', ...{ lower: true } })).toThrow(/unknown option "lower"/)
  })
})

describe('byte', () => {
  test('decode(encode(x)) = x for any text', () => {
    for (const text of [...hostile, '']) expect(byte().decode(byte().encode(text))).toBe(text)
    expect([...byte().encode('é')]).toEqual([0xc3, 0xa9])
  })

  test('half a surrogate pair is an error with its place', () => {
    expect(() => byte().encode('ab\uD83D!')).toThrow(/line 1, column 3 \(character 2\)/)
    expect(() => byte().encode('\uDE00')).toThrow(InvalidDataError)
  })

  test('a stream gives a character only when all of its bytes have come', () => {
    const decoder = byte().decoder()
    const bytes = [...byte().encode('a👩é')]
    const pieces = bytes.map((value) => decoder.push([value]))
    expect(pieces).toEqual(['a', '', '', '', '👩', '', 'é'])
    expect(decoder.end()).toBe('')
    const cut = byte().decoder()
    expect(cut.push([0xf0, 0x9f])).toBe('')
    expect(cut.end()).toBe('\uFFFD')
  })
})

test('an unknown name is an error that lists the known ones', () => {
  expect(() => tokenizerFromName({ name: 'words', options: {} })).toThrow(UnknownPieceError)
  expect(() => tokenizerFromName({ name: 'words', options: {} })).toThrow(/Known: byte, bytePair, character/)
})
