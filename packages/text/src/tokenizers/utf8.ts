/**
 * Text ↔ UTF-8, for tokens that are bytes or runs of bytes. Bytes that a model generates may not be valid UTF-8: as by every
 * TextDecoder, each maximal part of a broken character becomes one U+FFFD, and a stream never gives half a character.
 */
import { InvalidDataError } from '@chainrule/core'
import { placeOf, type TextTokenizer } from './tokenizer.js'

/** @throws {InvalidDataError} naming the place of half a surrogate pair, which has no bytes */
export function refuseLoneSurrogates(text: string): void {
  const lone = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.exec(text)
  if (lone) throw new InvalidDataError(`${placeOf(text, lone.index)}: half of a surrogate pair, which UTF-8 cannot hold. Remove it.`)
}

const textDecoder = () => new TextDecoder('utf-8', { ignoreBOM: true })

/** `decode` and `decoder` of a tokenizer whose tokens stand for bytes. */
export function decodingBytes(bytesOf: (values: ArrayLike<number>) => Uint8Array): Pick<TextTokenizer, 'decode' | 'decoder'> {
  return {
    decode: (values) => textDecoder().decode(bytesOf(values)),
    decoder() {
      const decoder = textDecoder()
      return { push: (values) => decoder.decode(bytesOf(values), { stream: true }), end: () => decoder.decode() }
    },
  }
}
