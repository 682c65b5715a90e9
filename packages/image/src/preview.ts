/** A few samples of a model in training. */
import type { ParameterArrays } from '@chainrule/core'
import { withParameters } from '@chainrule/modality'
import type { Image } from './image.js'
import { modality } from './modality.js'
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

/** Samples of these parameters; of a model with labels, one label after the other. */
export function previewOf(imageModel: ImageModel, parameters: ParameterArrays, { count = 16, seed, temperature }: PreviewImageOptions, threads?: number): Promise<Image[]> {
  const { condition } = imageModel.model
  return withParameters(modality, imageModel, parameters, threads, (loaded) => sample(loaded, { count, seed, temperature, ...(condition && { label: Array.from({ length: count }, (_, which) => which % condition.size) }) }))
}
