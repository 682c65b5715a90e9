/**
 * One token for each byte of the UTF-8 text: 256 values, any text. Bytes that a model generates may not be valid UTF-8;
 * decoding replaces what is not by U+FFFD, the one error of this tokenizer.
 */
import { InvalidDataError, refuseUnknownOptions } from '@chainrule/core'
import type { TextTokenizer } from './tokenizer.js'
import { decodingBytes, refuseLoneSurrogates } from './utf8.js'

export function byte(options: Record<never, never> = {}): TextTokenizer {
  refuseUnknownOptions('byte', options, [])
  return {
    name: 'byte',
    options: {},
    domain: { length: 'variable', components: 1, values: 256 },
    encode(text) {
      refuseLoneSurrogates(text)
      return Int32Array.from(new TextEncoder().encode(text))
    },
    ...decodingBytes((values) => {
      const wrong = Array.prototype.findIndex.call(values, (value: number) => !(value >= 0 && value < 256))
      if (wrong >= 0) throw new InvalidDataError(`byte: token ${wrong} is ${values[wrong]}, expected 0 … 255.`)
      return Uint8Array.from(values)
    }),
  }
}
