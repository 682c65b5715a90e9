/** A piece (order, network, head, tokenizer) is named and its options are JSON, so that a file can say what a model is made of. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

export interface Piece {
  readonly name: string
  readonly options: JsonObject
}

/** The name and options of a piece, nothing else: what goes into a file. */
export function describe(piece: Piece): Piece {
  return { name: piece.name, options: piece.options }
}
