/** The tokenizer: raw data ↔ variables x. Free of tensors. Law: decode(encode(raw)) = raw, encode(decode(x)) = x. */
import type { Domain, Values } from './domain.js'
import type { Piece } from './piece.js'

export interface Tokenizer<Raw> extends Piece {
  readonly domain: Domain
  /** @throws {InvalidDataError} naming the place of what has no value */
  encode(raw: Raw): Values
  decode(values: ArrayLike<number>): Raw
}
