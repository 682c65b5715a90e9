/**
 * A tokenizer of ours as the tokenizer.json that Hugging Face's tokenizers and transformers.js load. The same text has the same tokens
 * there, with two differences: `special` tokens and the ones added here are found in texts, and characters that a character tokenizer
 * does not know are left out instead of refused.
 */
import { type JsonObject, refuseUnknownOptions, UnsupportedError } from '@chainrule/core'
import type { BytePairOptions } from './byte-pair.js'
import { byteSymbols } from './byte-symbols.js'
import type { CharacterOptions } from './character.js'
import { gpt2Pattern } from './split-pattern.js'
import type { TextTokenizer } from './tokenizer.js'

export interface TokenizerJsonOptions {
  /** A special token `<|end|>` after the last value V − 1, as models of documents have it: its value is V. */
  end?: boolean
  /** A special token `<|start|>` after all others: what a model that begins with nothing is fed first. */
  start?: boolean
}

export const endToken = '<|end|>'
export const startToken = '<|start|>'

/**
 * The content of a tokenizer.json.
 * @throws {UnsupportedError} where a special token of the tokenizer has the name of one that is to be added
 */
export function tokenizerJson(tokenizer: Pick<TextTokenizer, 'name' | 'options' | 'domain'>, options: TokenizerJsonOptions = {}): JsonObject {
  refuseUnknownOptions('tokenizerJson', options, ['end', 'start'])
  const { special, ...parts } = partsOf(tokenizer)
  const added = [...(options.end ? [endToken] : []), ...(options.start ? [startToken] : [])]
  for (const token of added) if (special.some(([content]) => content === token)) throw new UnsupportedError(`tokenizerJson: the tokenizer has a special token "${token}" of its own. Train one without it.`)
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [...special, ...added.map((token, which) => [token, tokenizer.domain.values + which] as const)].map(([content, id]) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true })),
    post_processor: null,
    ...parts,
  }
}

interface Parts {
  readonly special: readonly (readonly [content: string, id: number])[]
  readonly normalizer: JsonObject | null
  readonly pre_tokenizer: JsonObject | null
  readonly decoder: JsonObject
  readonly model: JsonObject
}

function partsOf({ name, options }: Pick<TextTokenizer, 'name' | 'options'>): Parts {
  if (name === 'byte') return bytePairParts({ merges: [] })
  if (name === 'bytePair') return bytePairParts(options as unknown as BytePairOptions)
  if (name === 'character') return characterParts(options as unknown as CharacterOptions)
  throw new UnsupportedError(`tokenizerJson: the tokenizer "${name}" has no form in a tokenizer.json. Known: byte, bytePair, character.`)
}

function bytePairParts({ merges, vocabulary, special = [], pattern = gpt2Pattern, ignoreMerges = false, prefixSpace = false, normalForm }: BytePairOptions): Parts {
  const tokens = vocabulary ?? [...byteSymbols, ...merges.map((merge) => merge.replace(' ', '')), ...special]
  const byteLevel = { type: 'ByteLevel', add_prefix_space: prefixSpace, trim_offsets: false, use_regex: pattern === gpt2Pattern }
  const isSplit = pattern !== null && pattern !== gpt2Pattern
  return {
    special: special.map((token) => [token, tokens.indexOf(token)]),
    normalizer: normalForm ? { type: normalForm } : null,
    pre_tokenizer: isSplit ? { type: 'Sequence', pretokenizers: [{ type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false }, byteLevel] } : byteLevel,
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
    model: bpeModel(tokens, merges, ignoreMerges),
  }
}

/** No merges: every character is a word's token by itself. */
function characterParts({ characters }: CharacterOptions): Parts {
  return { special: [], normalizer: null, pre_tokenizer: null, decoder: { type: 'Fuse' }, model: bpeModel([...characters], [], false) }
}

function bpeModel(tokens: readonly string[], merges: readonly string[], ignoreMerges: boolean): JsonObject {
  return {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: ignoreMerges,
    vocab: Object.fromEntries(tokens.map((token, value) => [token, value])),
    merges,
  }
}
