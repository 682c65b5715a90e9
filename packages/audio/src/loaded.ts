/** Opening what has been exported, to sample, stream and score. */
import { type Loaded, openAs, type OpenOptions, type Reader } from '@chainrule/modality/loaded'
import type { ModelSource } from '@chainrule/runtime'
import { type SoundTokenizer, tokenizerFromName } from './tokenizers/index.js'

export type { OpenOptions } from '@chainrule/modality/loaded'

export interface Reading {
  readonly tokenizer: SoundTokenizer
}

/** An exported sound model, opened. */
export interface LoadedAudio extends Reading, Loaded<'audio'> {}

export const reader: Reader<'audio', Reading> = { modality: 'audio', of: 'sound', reading: (tokenizer) => ({ tokenizer: tokenizerFromName(tokenizer) }), domainOf: ({ tokenizer }) => tokenizer.domain }

/**
 * Opens an exported model: a directory or a single file by path or URL, or the bytes of them.
 * @throws {InvalidModelError} where a file is damaged, missing, or not of a sound model
 */
export function loadModel(source: ModelSource, options: OpenOptions = {}): Promise<LoadedAudio> {
  return openAs(reader, source, options)
}
