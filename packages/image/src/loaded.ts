/** Opening what has been exported, to sample, stream, score and complete. */
import { type Loaded, openAs, type OpenOptions, type Reader } from '@chainrule/modality/loaded'
import type { ModelSource } from '@chainrule/runtime'
import { type ImageTokenizer, tokenizerFromName } from './tokenizers/index.js'

export type { OpenOptions } from '@chainrule/modality/loaded'

export interface Reading {
  readonly tokenizer: ImageTokenizer
}

/** An exported image model, opened. */
export interface LoadedImage extends Reading, Loaded<'image'> {}

export const reader: Reader<'image', Reading> = { modality: 'image', of: 'images', reading: (tokenizer) => ({ tokenizer: tokenizerFromName(tokenizer) }), domainOf: ({ tokenizer }) => tokenizer.domain }

/**
 * Opens an exported model: a directory or a single file by path or URL, or the bytes of them.
 * @throws {InvalidModelError} where a file is damaged, missing, or not of an image model
 */
export function loadModel(source: ModelSource, options: OpenOptions = {}): Promise<LoadedImage> {
  return openAs(reader, source, options)
}
