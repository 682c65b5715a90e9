/** A short sample of a model in training: recorded in memory and run as an exported model is, so it costs about as much as an export. */
import { describe, type ParameterArrays } from '@chainrule/core'
import { recordModel } from '@chainrule/onnx'
import { loadModel } from './loaded.js'
import type { TextModel } from './model.js'
import { sample } from './sample.js'

export interface PreviewTextOptions {
  /** Updates between two samples. */
  readonly everySteps: number
  /** Told each sample, the prompt included. Training waits for it. */
  readonly show: (text: string, step: number) => void | Promise<void>
  /** The text to go on from. */
  readonly prompt?: string
  /** Tokens after the prompt; 80 by default. */
  readonly length?: number
  readonly seed?: number
  readonly temperature?: number
}

export const previewOptions = ['everySteps', 'show', 'prompt', 'length', 'seed', 'temperature']

/** One sample of these parameters. */
export async function previewOf({ model, tokenizer }: TextModel, parameters: ParameterArrays, { prompt, length = 80, seed, temperature }: PreviewTextOptions, threads?: number): Promise<string> {
  const card = { data: {}, results: {}, training: {}, exportedAt: '' }
  const loaded = await loadModel(await recordModel({ model, parameters, modality: 'text', tokenizer: describe(tokenizer), card }), { provider: 'cpu', threads })
  try {
    const [text] = await sample(loaded, { prompt, length, seed, temperature })
    return text
  } finally {
    await loaded.release()
  }
}
