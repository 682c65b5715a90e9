/**
 * Bytes as printable symbols: how the files of byte-level tokenizers spell tokens. A printable byte of Latin-1 is itself, the others are
 * numbered from U+0100 on: a space is Ġ, a line break Ċ.
 *
 * Radford et al. 2019 (GPT-2).
 */
const isPrintable = (byte: number) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad)

function symbolsOfAllBytes(): string[] {
  let hidden = 0x100
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : hidden++))
}

/** The symbol of each byte. */
export const byteSymbols: readonly string[] = symbolsOfAllBytes()

const byteOf = new Map(byteSymbols.map((symbol, byte) => [symbol, byte]))

export function spell(bytes: Uint8Array): string {
  let spelled = ''
  for (const byte of bytes) spelled += byteSymbols[byte]
  return spelled
}

/** The bytes that a token spells; undefined where one of its characters is no symbol of a byte. */
export function unspell(token: string): Uint8Array | undefined {
  const bytes = new Uint8Array(token.length)
  for (let at = 0; at < token.length; at++) {
    const byte = byteOf.get(token[at])
    if (byte === undefined) return undefined
    bytes[at] = byte
  }
  return bytes
}
