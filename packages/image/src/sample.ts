/** `sample` and `stream` of an opened model: exact, by the exported graphs. No tensors: also for browsers (`runtime.ts`). */
import { emptyValues, InvalidOptionError, type Label, labelValues, manifestCondition, refuseUnknownOptions, samplingFilterNames, type SamplingFilters, type Values } from '@chainrule/core'
import type { Progress } from '@chainrule/runtime'
import type { Image } from './image.js'
import type { LoadedImage } from './loaded.js'
import { pixelsOfVariables } from './pixels-of-variables.js'

export interface DrawImageOptions extends SamplingFilters {
  seed?: number
  /** Below 1: likelier images; above 1: more varied; 1 samples from the model. */
  temperature?: number
  signal?: AbortSignal
}

export const drawOptions = ['seed', 'temperature', ...samplingFilterNames, 'signal']

export interface SampleImageOptions extends DrawImageOptions {
  /** How many images; as many as there are labels, where `label` is a list, else 1. */
  count?: number
  /** Of models with a condition: the label of all images, by its name or number, or a list with one for each. */
  label?: Label | readonly Label[]
  /** Told how many variables of all images are drawn. */
  onProgress?: (progress: Progress) => void
}

/** Values of several images, one image after the other → the images. */
export function decodeAll({ tokenizer }: Pick<LoadedImage, 'tokenizer'>, values: Values, count: number): Image[] {
  const each = values.length / count
  return Array.from({ length: count }, (_, which) => tokenizer.decode(values.subarray(which * each, (which + 1) * each)))
}

/** Images from the model. The same seed gives the same images. */
export async function sample(model: LoadedImage, options: SampleImageOptions = {}): Promise<Image[]> {
  refuseUnknownOptions('sample', options, [...drawOptions, 'count', 'label', 'onProgress'])
  const { label, count = typeof label === 'object' ? label.length : 1, seed = 0, ...rest } = options
  const condition = labelValues('sample', manifestCondition(model.manifest), label, count)
  const { values } = await model.opened.sample({ ...rest, seed, count, condition })
  return decodeAll(model, values, count)
}

export interface StreamImageOptions extends DrawImageOptions {
  /** What pixels that are not drawn yet look like in `picture`: an intensity, 0 … 255 (128). */
  unknown?: number
  /** Of models with a condition: the label of the image, by its name or number. */
  label?: Label
}

/** One variable has been drawn. */
export interface DrawnVariable {
  /** How many came before it. */
  readonly rank: number
  /** Where it is: its place in the grid of variables, row by row. */
  readonly position: number
  /** Its components. */
  readonly values: Values
  /** −log p of it given those before. */
  readonly nats: number
  /** The image as far as it is drawn. */
  picture(): Image
}

/** One image from the model, variable by variable in the order of generation: the first one that `sample` draws with the same seed. */
export async function* stream(model: LoadedImage, options: StreamImageOptions = {}): AsyncGenerator<DrawnVariable, void> {
  refuseUnknownOptions('stream', options, [...drawOptions, 'unknown', 'label'])
  if (!('opened' in model)) throw new InvalidOptionError('stream: needs an opened model. Open the trained one with openTrained, or an exported one with loadModel.')
  const { unknown = 128, seed = 0, label, ...rest } = options
  if (!Number.isInteger(unknown) || unknown < 0 || unknown > 255) throw new InvalidOptionError(`stream: unknown must be an intensity from 0 to 255, got ${String(unknown)}.`)
  const { tokenizer, opened, manifest } = model
  const condition = labelValues('stream', manifestCondition(manifest), label, 1)
  const { components: C } = tokenizer.domain
  const pixels = pixelsOfVariables(tokenizer)
  const x = emptyValues(tokenizer.domain, pixels.length * C)
  for await (const { firstRank, values, nats } of opened.stream({ ...rest, seed, condition })) {
    for (let step = 0; step < nats.length; step++) {
      const rank = firstRank + step
      const position = opened.order.permutation[rank]
      const own = values.slice(step * C, (step + 1) * C)
      x.set(own, position * C)
      const picture = () => {
        const image = tokenizer.decode(x)
        const { channels, data } = image
        opened.order.permutation.subarray(rank + 1).forEach((later) => pixels[later].forEach((pixel) => data.fill(unknown, pixel * channels, (pixel + 1) * channels)))
        return image
      }
      yield { rank, position, values: own, nats: nats[step], picture }
    }
  }
}
