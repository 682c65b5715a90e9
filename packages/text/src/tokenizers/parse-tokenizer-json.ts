/**
 * A Hugging Face tokenizer.json as a byte-pair tokenizer: the byte-level ones (GPT-2, RoBERTa, Llama 3, Qwen, …). The tokens of a text are
 * those that Hugging Face's library gives without the special tokens of a template (add_special_tokens = False). What would not be
 * exactly so is refused by name.
 */
import { type Json, type JsonObject, UnsupportedError } from '@chainrule/core'
import { bytePair } from './byte-pair.js'
import { gpt2Pattern } from './split-pattern.js'
import type { TextTokenizer } from './tokenizer.js'

/**
 * @param content the file's text, its bytes, or the object that it holds
 * @throws {UnsupportedError} naming the part of the file that is not supported
 * @throws {InvalidOptionError} where vocabulary and merges do not fit together
 */
export function parseTokenizerJson(content: string | Uint8Array | JsonObject): TextTokenizer {
  const file = objectOf(content)
  if (file.model === undefined) refuse('it has no "model"', 'Is it a tokenizer.json?')
  for (const part of ['truncation', 'padding'] as const) if (isSet(file[part])) refuse(`"${part}" is set`, 'Remove it from the file.')
  const decoder = asObject(file.decoder).type
  if (decoder !== 'ByteLevel') refuse(`its decoder is ${named(decoder)}, expected ByteLevel`)
  const { merges, vocab, ignoreMerges } = modelOf(asObject(file.model))
  const { special, vocabulary } = withAdded(vocab, asList(file.added_tokens ?? []).map(asObject))
  const { pattern, prefixSpace } = preTokenizerOf(asObject(file.pre_tokenizer))
  return bytePair({
    merges,
    vocabulary,
    pattern,
    ...(special.length > 0 && { special }),
    ...(ignoreMerges && { ignoreMerges }),
    ...(prefixSpace && { prefixSpace }),
    ...(isNormalized(file.normalizer) && { normalForm: 'NFC' }),
  })
}

function refuse(what: string, remedy = 'Only byte-level byte-pair tokenizers can be loaded.'): never {
  throw new UnsupportedError(`The tokenizer is not supported: ${what}. ${remedy}`)
}

const isSet = (value: Json | undefined): boolean => value !== undefined && value !== null && value !== false && value !== ''
const named = (value: Json | undefined): string => (typeof value === 'string' ? value : value === undefined || value === null ? 'absent' : JSON.stringify(value))
const asObject = (value: Json | undefined): JsonObject => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {})
const asList = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : [])

function objectOf(content: string | Uint8Array | JsonObject): JsonObject {
  if (typeof content !== 'string' && !(content instanceof Uint8Array)) return content
  try {
    return asObject(JSON.parse(typeof content === 'string' ? content : new TextDecoder('utf-8', { fatal: true }).decode(content)) as Json)
  } catch (error) {
    return refuse(`it is not JSON: ${(error as Error).message}`, 'Is it a tokenizer.json?')
  }
}

function modelOf(model: JsonObject): { merges: string[]; vocab: JsonObject; ignoreMerges: boolean } {
  const { type = 'BPE', vocab, merges } = model // older files do not name the type
  if (type !== 'BPE') refuse(`its model is ${named(type)}, expected BPE`)
  for (const option of ['dropout', 'continuing_subword_prefix', 'end_of_word_suffix'] as const) if (isSet(model[option])) refuse(`"${option}" of its model is ${named(model[option])}`)
  if (!Array.isArray(merges) || typeof vocab !== 'object') refuse('its model has no vocabulary or no merges')
  return {
    merges: merges.map((merge: Json, rank) => {
      if (typeof merge === 'string') return merge
      if (Array.isArray(merge) && merge.length === 2 && merge.every((token) => typeof token === 'string')) return merge.join(' ')
      return refuse(`merge ${rank} is ${JSON.stringify(merge)}, expected two tokens`)
    }),
    vocab: asObject(vocab),
    ignoreMerges: isSet(model.ignore_merges),
  }
}

/** The tokens by value: those of the model and the added ones, which are found in a text as they stand. */
function withAdded(vocab: JsonObject, added: readonly JsonObject[]): { special: string[]; vocabulary: string[] } {
  const special = added.map(({ content, single_word, lstrip, rstrip, normalized }) => {
    if (typeof content !== 'string') return refuse('an added token has no content')
    if (isSet(single_word) || isSet(lstrip) || isSet(rstrip)) refuse(`the added token "${content}" takes in what is around it (single_word, lstrip or rstrip)`)
    if (content !== content.normalize('NFC')) refuse(`the added token "${content}" is not in the normal form NFC`)
    return { content, isNormalized: isSet(normalized) }
  })
  // The library looks for those that are not normalized first, in all of the text; here all are found at once.
  for (const first of special) {
    for (const second of special) if (!first.isNormalized && second.isNormalized && canOverlap(first.content, second.content)) refuse(`the added tokens "${first.content}" and "${second.content}" can overlap, and only one of them is normalized`)
  }
  const vocabulary: string[] = []
  const place = (token: string, value: Json | undefined) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || (vocabulary[value] ?? token) !== token) refuse(`the token "${token}" has the value ${named(value)}, which is no free whole number`)
    vocabulary[value as number] = token
  }
  for (const [token, value] of Object.entries(vocab)) place(token, value)
  for (const { content, id } of added) place(content as string, id)
  const gap = vocabulary.findIndex((token) => token === undefined)
  if (gap >= 0) refuse(`its vocabulary has no token ${gap}, though it has larger ones`)
  return { special: special.map(({ content }) => content), vocabulary }
}

function canOverlap(a: string, b: string): boolean {
  for (let length = 1; length <= Math.min(a.length, b.length); length++) if (a.endsWith(b.slice(0, length)) || b.endsWith(a.slice(0, length))) return true
  return a.includes(b) || b.includes(a)
}

function preTokenizerOf(preTokenizer: JsonObject): { pattern: string | null; prefixSpace: boolean } {
  const steps = preTokenizer.type === 'Sequence' ? asList(preTokenizer.pretokenizers).map(asObject) : [preTokenizer]
  const types = steps.map(({ type }) => named(type)).join(', ')
  const byteLevel = steps[steps.length - 1] ?? {}
  if (byteLevel.type !== 'ByteLevel' || steps.length > 2 || (steps.length === 2 && steps[0].type !== 'Split')) refuse(`its pre-tokenizer is ${types}, expected ByteLevel, or Split and ByteLevel`)
  const prefixSpace = byteLevel.add_prefix_space !== false // true where the file does not say
  const usesOwnPattern = byteLevel.use_regex !== false
  if (steps.length === 1) return { pattern: usesOwnPattern ? gpt2Pattern : null, prefixSpace }
  const { pattern, behavior, invert } = steps[0]
  const regularExpression = asObject(pattern).Regex
  if (usesOwnPattern) refuse('its pre-tokenizer splits twice (Split, then ByteLevel with use_regex)')
  if (prefixSpace) refuse('its pre-tokenizer puts a space before each word (Split, then ByteLevel with add_prefix_space)')
  if (typeof regularExpression !== 'string' || behavior !== 'Isolated' || isSet(invert)) refuse(`its Split has the pattern ${JSON.stringify(pattern)}, behavior ${named(behavior)}, invert ${named(invert)}; expected a Regex, Isolated, false`)
  return { pattern: regularExpression as string, prefixSpace }
}

function isNormalized(normalizer: Json | undefined): boolean {
  if (normalizer === undefined || normalizer === null) return false
  const { type } = asObject(normalizer)
  if (type !== 'NFC') refuse(`its normalizer is ${named(type)}, expected NFC or none`)
  return true
}
