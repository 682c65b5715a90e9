/** A few samples of a model in training. */
import type { ParameterArrays } from '@chainrule/core'
import { withParameters } from '@chainrule/modality'
import { modality } from './modality.js'
import type { AudioModel } from './model.js'
import { sample } from './sample.js'
import type { Sound } from './sound.js'

export interface PreviewAudioOptions {
  /** Updates between two previews. */
  readonly everySteps: number
  /** Told the samples. Training waits for it. */
  readonly show: (sounds: readonly Sound[], step: number) => void | Promise<void>
  /** How many; 1 by default. */
  readonly count?: number
  /** Of sounds of any length: frames of each; a second of sound by default. */
  readonly frames?: number
  readonly seed?: number
  readonly temperature?: number
}

export const previewOptions = ['everySteps', 'show', 'count', 'frames', 'seed', 'temperature']

/** Samples of these parameters; of a model with labels, one label after the other. */
export function previewOf(audioModel: AudioModel, parameters: ParameterArrays, { count = 1, frames, seed, temperature }: PreviewAudioOptions, threads?: number): Promise<Sound[]> {
  const { tokenizer, model: { domain, condition } } = audioModel
  const length = domain.length === 'variable' ? { frames: frames ?? Math.ceil(tokenizer.sampleRateHz / tokenizer.frameLength) } : {}
  const label = condition && { label: Array.from({ length: count }, (_, which) => which % condition.size) }
  return withParameters(modality, audioModel, parameters, threads, (loaded) => sample(loaded, { count, ...length, ...label, seed, temperature }))
}
