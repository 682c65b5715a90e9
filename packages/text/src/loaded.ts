/** Opening what has been exported, or what has just been trained, to sample, stream and score. */
import { InvalidModelError, type ModelManifest, orderFromName, type ParameterArrays } from '@chainrule/core'
import { headFromName } from '@chainrule/core/tensors'
import { networkFromName } from '@chainrule/networks'
import { type OpenModel, openModel, type Provider } from '@chainrule/runtime'
import { recordTrained } from './export.js'
import { type TextModel, textModel, type TrainedText } from './model.js'
import { type TextTokenizer, tokenizerFromName } from './tokenizers/index.js'

export interface OpenOptions {
  /** 'auto' (default): CUDA where it works, else the CPU. */
  provider?: Provider | 'auto'
  threads?: number
}

/** An exported language model, opened. */
export interface LoadedText {
  readonly modality: 'text'
  readonly tokenizer: TextTokenizer
  readonly manifest: ModelManifest
  readonly opened: OpenModel
  /** What runs it and why, in one line. */
  readonly reason: string
  /** Frees its sessions. */
  release(): Promise<void>
}

/**
 * Opens an exported model: a directory, a URL of one, or its files as bytes.
 * @throws {InvalidModelError} where a file is damaged, missing, or not of a text model
 */
export async function loadModel(source: string | URL | Record<string, Uint8Array>, options: OpenOptions = {}): Promise<LoadedText> {
  const opened = await openModel(source, options)
  const { manifest } = opened
  try {
    if (manifest.modality !== 'text') throw new InvalidModelError(`${typeof source === 'object' && !(source instanceof URL) ? 'The model' : String(source)} is a model of ${manifest.modality}, not of text.`)
    const tokenizer = tokenizerFromName(manifest.tokenizer)
    if (JSON.stringify(tokenizer.domain) !== JSON.stringify(manifest.domain)) throw new InvalidModelError('model.json: the tokenizer and the domain do not agree. The file is damaged.')
    return { modality: 'text', tokenizer, manifest, opened, reason: opened.reason, release: () => opened.release() }
  } catch (error) {
    await opened.release()
    throw error
  }
}

/** Opens a trained model without writing it to disk: recorded in memory, then as any exported one. */
export async function openTrained(trained: TrainedText, options: OpenOptions = {}): Promise<LoadedText> {
  return loadModel(await recordTrained(trained), options)
}

/** The pieces and the parameters of an opened model, to train on from. @throws {UnknownPieceError} for a piece that nothing here answers to */
export async function modelOf({ tokenizer, manifest, opened }: LoadedText): Promise<TextModel & { readonly parameters: ParameterArrays }> {
  const { order, network, head } = manifest
  const model = textModel({ tokenizer, order: orderFromName(order), network: networkFromName(network), head: headFromName(head) })
  return { ...model, parameters: await opened.parameters() }
}

/** Runs `use` on an opened model: the one given, or a trained one opened for it and released afterwards. */
export async function withOpened<Result>(model: TrainedText | LoadedText, options: OpenOptions, use: (opened: LoadedText) => Promise<Result>): Promise<Result> {
  if ('opened' in model) return use(model)
  const loaded = await openTrained(model, { provider: options.provider, threads: options.threads })
  try {
    return await use(loaded)
  } finally {
    await loaded.release()
  }
}
