/** A short sample of a model in training. */
import type { ParameterArrays } from '@chainrule/core'
import { withParameters } from '@chainrule/modality'
import { modality } from './modality.js'
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
export function previewOf(textModel: TextModel, parameters: ParameterArrays, { prompt, length = 80, seed, temperature }: PreviewTextOptions, threads?: number): Promise<string> {
  return withParameters(modality, textModel, parameters, threads, async (loaded) => (await sample(loaded, { prompt, length, seed, temperature }))[0])
}
