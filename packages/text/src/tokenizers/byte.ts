/**
 * One token for each byte of the UTF-8 text: 256 values, any text. Bytes that a model generates may not be valid UTF-8;
 * decoding replaces what is not by U+FFFD, the one error of this tokenizer.
 */
import { InvalidDataError, refuseUnknownOptions } from '@chainrule/core'
import { placeOf, type TextTokenizer } from './tokenizer.js'

export function byte(options: Record<never, never> = {}): TextTokenizer {
  refuseUnknownOptions('byte', options, [])
  return {
    name: 'byte',
    options: {},
    domain: { length: 'variable', components: 1, values: 256 },
    encode(text) {
      const lone = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.exec(text)
      if (lone) throw new InvalidDataError(`${placeOf(text, lone.index)}: half of a surrogate pair, which UTF-8 cannot hold. Remove it.`)
      return Int32Array.from(new TextEncoder().encode(text))
    },
    decode: (values) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(values)),
    decoder() {
      const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
      return { push: (values) => decoder.decode(Uint8Array.from(values), { stream: true }), end: () => decoder.decode() }
    },
  }
}
