/** Text ↔ tokens; no tensors, no native code: also for browsers. */
import { type Piece, UnknownPieceError } from '@chainrule/core'
import { byte } from './byte.js'
import { bytePair } from './byte-pair.js'
import { character } from './character.js'
import type { TextTokenizer } from './tokenizer.js'

export { byte } from './byte.js'
export { bytePair, type BytePairOptions } from './byte-pair.js'
export { character, type CharacterOptions } from './character.js'
export { parseTokenizerJson } from './parse-tokenizer-json.js'
export { tokenizerJson, type TokenizerJsonOptions } from './tokenizer-json.js'
export { trainBytePair, type TrainBytePairOptions } from './train-byte-pair.js'
export type { TextTokenizer } from './tokenizer.js'

const byName: Record<string, (options: never) => TextTokenizer> = { byte, bytePair, character }

/** The tokenizer that a file names. @throws {UnknownPieceError} */
export function tokenizerFromName({ name, options }: Piece): TextTokenizer {
  const make = Object.hasOwn(byName, name) ? byName[name] : undefined
  if (!make) throw new UnknownPieceError(`No text tokenizer is called "${name}". Known: ${Object.keys(byName).join(', ')}.`)
  return make(options as never)
}
