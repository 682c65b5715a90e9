/** Opening what has been exported, to sample, stream and score. */
import { type Loaded, openAs, type OpenOptions, type Reader } from '@chainrule/modality/loaded'
import type { ModelSource } from '@chainrule/runtime'
import { domainOf, type Reading } from './documents.js'
import { tokenizerFromName } from './tokenizers/index.js'

export type { OpenOptions } from '@chainrule/modality/loaded'

/** An exported language model, opened. */
export interface LoadedText extends Reading, Loaded<'text'> {}

export const reader: Reader<'text', Reading> = { modality: 'text', of: 'text', reading: (tokenizer, documents) => ({ tokenizer: tokenizerFromName(tokenizer), documents }), domainOf }

/**
 * Opens an exported model: a directory or a single file by path or URL, or the bytes of them.
 * @throws {InvalidModelError} where a file is damaged, missing, or not of a text model
 */
export function loadModel(source: ModelSource, options: OpenOptions = {}): Promise<LoadedText> {
  return openAs(reader, source, options)
}
