/** Opening what has been exported, to sample, stream and score. */
import { InvalidModelError, type ModelManifest } from '@chainrule/core'
import { type ModelSource, type OpenModel, openModel, type OpenModelOptions } from '@chainrule/runtime'
import { type SoundTokenizer, tokenizerFromName } from './tokenizers/index.js'

/** Where and how its graphs run. */
export type OpenOptions = OpenModelOptions

/** An exported sound model, opened. */
export interface LoadedAudio {
  readonly modality: 'audio'
  readonly tokenizer: SoundTokenizer
  readonly manifest: ModelManifest
  readonly opened: OpenModel
  /** What runs it and why, in one line. */
  readonly reason: string
  /** Frees its sessions; ends their thread where there is one. */
  release(): Promise<void>
}

/**
 * Opens an exported model: a directory or a single file by path or URL, or the bytes of them.
 * @throws {InvalidModelError} where a file is damaged, missing, or not of a sound model
 */
export async function loadModel(source: ModelSource, options: OpenOptions = {}): Promise<LoadedAudio> {
  const opened = await openModel(source, options)
  const { manifest } = opened
  try {
    if (manifest.modality !== 'audio') throw new InvalidModelError(`${typeof source === 'string' || source instanceof URL ? String(source) : 'The model'} is a model of ${manifest.modality}, not of sound.`)
    const tokenizer = tokenizerFromName(manifest.tokenizer)
    if (JSON.stringify(tokenizer.domain) !== JSON.stringify(manifest.domain)) throw new InvalidModelError('model.json: the tokenizer and the domain do not agree. The file is damaged.')
    return { modality: 'audio', tokenizer, manifest, opened, reason: opened.reason, release: () => opened.release() }
  } catch (error) {
    await opened.release()
    throw error
  }
}
