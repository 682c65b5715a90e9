/** A few samples of a model in training: recorded in memory and run as an exported model is, so they cost about as much as an export. */
import { describe, type ParameterArrays } from '@chainrule/core'
import { recordModel } from '@chainrule/onnx'
import type { Image } from './image.js'
import { loadModel } from './loaded.js'
import type { ImageModel } from './model.js'
import { sample } from './sample.js'

export interface PreviewImageOptions {
  /** Updates between two previews. */
  readonly everySteps: number
  /** Told the samples. Training waits for it. */
  readonly show: (images: readonly Image[], step: number) => void | Promise<void>
  /** How many; 16 by default. */
  readonly count?: number
  readonly seed?: number
  readonly temperature?: number
}

export const previewOptions = ['everySteps', 'show', 'count', 'seed', 'temperature']

/** Samples of these parameters. */
export async function previewOf({ model, tokenizer }: ImageModel, parameters: ParameterArrays, { count = 16, seed, temperature }: PreviewImageOptions, threads?: number): Promise<Image[]> {
  const card = { data: {}, results: {}, training: {}, exportedAt: '' }
  const loaded = await loadModel(await recordModel({ model, parameters, modality: 'image', tokenizer: describe(tokenizer), card }), { provider: 'cpu', threads })
  try {
    return await sample(loaded, { count, seed, temperature })
  } finally {
    await loaded.release()
  }
}
