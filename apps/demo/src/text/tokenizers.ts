/** --tokenizer: character, byte, byte-pair, or the path of a tokenizer.json. */
import { describe, InvalidDataError, InvalidOptionError } from '@chainrule/core'
import { byte, character, readTokenizerJson, type TextData, type TextTokenizer, trainBytePair } from '@chainrule/text'

export interface TokenizerOptions {
  tokenizer?: string
  /** How many tokens a byte-pair tokenizer learns. */
  vocabulary?: number
}

const names = ['character', 'byte', 'byte-pair']
const defaultVocabulary = 1000

const isFile = (tokenizer: string) => tokenizer.endsWith('.json')

/** What a tokenizer is called on the command line. */
export const labelOf = ({ name }: { readonly name: string }): string => (name === 'bytePair' ? 'byte-pair' : name)

/** @throws {InvalidOptionError} for a name that is none, and a vocabulary that nothing is done with */
export function checkTokenizerOptions({ tokenizer = 'character', vocabulary }: TokenizerOptions): void {
  if (!names.includes(tokenizer) && !isFile(tokenizer)) throw new InvalidOptionError(`--tokenizer ${tokenizer}: expected ${names.join(', ')}, or the path of a tokenizer.json.`)
  if (vocabulary !== undefined && tokenizer !== 'byte-pair') throw new InvalidOptionError(`--vocabulary belongs to --tokenizer byte-pair, which learns so many tokens; this one is ${tokenizer}.`)
}

/**
 * @param all every text; a character tokenizer must know their characters
 * @param toTrainOn those that byte pairs are learned from
 */
export async function tokenizerFor(options: TokenizerOptions, path: string, all: TextData, toTrainOn: TextData): Promise<TextTokenizer> {
  checkTokenizerOptions(options)
  const { tokenizer = 'character', vocabulary = defaultVocabulary } = options
  if (isFile(tokenizer)) return readTokenizerJson(tokenizer)
  if (tokenizer === 'byte') return byte()
  if (tokenizer === 'byte-pair') return trainBytePair(toTrainOn, { vocabulary })
  const characters = new Set<string>()
  for (const text of typeof all === 'string' ? [all] : all) for (const each of text) characters.add(each)
  if (characters.size < 2) throw new InvalidDataError(`${path}: the text is one character over and over; there is nothing to learn. Use a text of at least 2 different characters.`)
  return character({ characters: [...characters].join('') })
}

/** What of `--tokenizer` and `--vocabulary` is not so of this tokenizer, or nothing. */
export async function contradictionOf(options: TokenizerOptions, known: TextTokenizer): Promise<'tokenizer' | 'vocabulary' | undefined> {
  checkTokenizerOptions({ ...options, tokenizer: options.tokenizer ?? labelOf(known) })
  const { tokenizer, vocabulary } = options
  const isSame = tokenizer === undefined || (isFile(tokenizer) ? JSON.stringify(describe(await readTokenizerJson(tokenizer))) === JSON.stringify(describe(known)) : tokenizer === labelOf(known))
  if (!isSame) return 'tokenizer'
  return vocabulary !== undefined && vocabulary !== known.domain.values ? 'vocabulary' : undefined
}
