/** One token for each character (Unicode code point) of a fixed alphabet, in the order of the code points. */
import { InvalidDataError, InvalidOptionError, refuseUnknownOptions } from '@chainrule/core'
import { nameOf, placeOf, type TextTokenizer } from './tokenizer.js'

export interface CharacterOptions {
  /** A text that holds every character of the alphabet; repetitions and order do not matter. */
  characters: string
}

/** @throws {InvalidOptionError} for an alphabet of fewer than 2 characters */
export function character(options: CharacterOptions): TextTokenizer {
  refuseUnknownOptions('character', options, ['characters'])
  if (typeof options.characters !== 'string') throw new InvalidOptionError('character: characters must be a text.')
  const alphabet = [...new Set(options.characters)].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!)
  if (alphabet.length < 2) throw new InvalidOptionError(`character: the alphabet needs at least 2 different characters, got ${alphabet.length}.`)
  const valueOf = new Map(alphabet.map((symbol, value) => [symbol, value]))
  const decode = (values: ArrayLike<number>): string =>
    Array.from(values, (value, at) => {
      if (alphabet[value] === undefined) throw new InvalidDataError(`character: token ${at} is ${value}, expected 0 … ${alphabet.length - 1}.`)
      return alphabet[value]
    }).join('')
  return {
    name: 'character',
    options: { characters: alphabet.join('') },
    domain: { length: 'variable', components: 1, values: alphabet.length },
    encode(text) {
      const values = new Int32Array(text.length)
      let count = 0
      let offset = 0
      for (const symbol of text) {
        const value = valueOf.get(symbol)
        if (value === undefined) {
          throw new InvalidDataError(`${placeOf(text, offset)}: the character ${nameOf(symbol)} is not among the ${alphabet.length} that the model knows. Remove it, or train with a text that has it.`)
        }
        values[count++] = value
        offset += symbol.length
      }
      return values.slice(0, count)
    },
    decode,
    decoder: () => ({ push: decode, end: () => '' }),
  }
}
