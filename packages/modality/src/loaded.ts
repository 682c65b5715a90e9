/** Opening what has been exported, whatever its modality: the graphs, and the tokenizer that model.json names. No tensors: also for browsers. */
import { type Domain, InvalidModelError, type ModelManifest, type Piece } from '@chainrule/core'
import { type ModelSource, type OpenModel, openModel, type OpenModelOptions } from '@chainrule/runtime'

/** Where and how its graphs run. */
export type OpenOptions = OpenModelOptions

/** How a modality reads what a file says of its tokenizer. */
export interface Reader<Name extends string, Reading> {
  readonly modality: Name
  /** What its models are of, in messages: text, images, sound. */
  readonly of: string
  /** @param ends whether the domain has a value that ends x */
  reading(tokenizer: Piece, ends: boolean): Reading
  domainOf(reading: Reading): Domain
}

/** What every opened model has beside its tokenizer. */
export interface Loaded<Name extends string = string> {
  readonly modality: Name
  readonly manifest: ModelManifest
  readonly opened: OpenModel
  /** What runs it and why, in one line. */
  readonly reason: string
  /** Frees its sessions; ends their thread where there is one. */
  release(): Promise<void>
}

/**
 * Opens an exported model: a directory or a single file by path or URL, or the bytes of them.
 * @throws {InvalidModelError} where a file is damaged, missing, or of another modality
 */
export async function openAs<Name extends string, Reading extends object>(reader: Reader<Name, Reading>, source: ModelSource, options: OpenOptions = {}): Promise<Reading & Loaded<Name>> {
  const opened = await openModel(source, options)
  const { manifest } = opened
  const { modality } = reader
  try {
    if (manifest.modality !== modality) throw new InvalidModelError(`${typeof source === 'string' || source instanceof URL ? String(source) : 'The model'} is a model of ${manifest.modality}, not of ${reader.of}.`)
    const reading = reader.reading(manifest.tokenizer, manifest.domain.end !== undefined)
    if (JSON.stringify(reader.domainOf(reading)) !== JSON.stringify(manifest.domain)) throw new InvalidModelError('model.json: the tokenizer and the domain do not agree. The file is damaged.')
    return { ...reading, modality, manifest, opened, reason: opened.reason, release: () => opened.release() }
  } catch (error) {
    await opened.release()
    throw error
  }
}
