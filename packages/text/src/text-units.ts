/** The units of a text's likelihood. */
import { bitsPerByte, bitsPerCharacter } from '@chainrule/core'
import type { TextData } from './documents.js'

export interface TextEvaluation {
  readonly totalNats: number
  /** Of documents, with the end of each. */
  readonly tokens: number
  readonly characters: number
  /** Of the text in UTF-8. */
  readonly bytes: number
  readonly natsPerToken: number
  readonly natsPerCharacter: number
  /** Does not depend on what a token is, as bitsPerByte. */
  readonly natsPerByte: number
  readonly bitsPerCharacter: number
  /** Does not depend on what a token is. */
  readonly bitsPerByte: number
  /** How many documents there are; absent where the text has no end. */
  readonly documents?: number
  readonly natsPerDocument?: number
  /** Of random windows: the standard error of `natsPerToken`; the other numbers are estimates, too, then. */
  readonly natsPerTokenStandardError?: number
  /** How the text was cut. */
  readonly protocol: string
}

/** All units of a total, for a text or documents. */
export function textUnits(totalNats: number, data: TextData, tokens: number): Omit<TextEvaluation, 'protocol'> {
  let [characters, bytes] = [0, 0]
  for (const each of typeof data === 'string' ? [data] : data) {
    for (const _ of each) characters++
    bytes += new TextEncoder().encode(each).length
  }
  return {
    totalNats,
    tokens,
    characters,
    bytes,
    natsPerToken: totalNats / tokens,
    natsPerCharacter: totalNats / characters,
    natsPerByte: totalNats / bytes,
    bitsPerCharacter: bitsPerCharacter(totalNats, characters),
    bitsPerByte: bitsPerByte(totalNats, bytes),
    ...(typeof data !== 'string' && { documents: data.length, natsPerDocument: totalNats / data.length }),
  }
}
