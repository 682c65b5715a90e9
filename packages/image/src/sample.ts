/** `sample` and `stream` of an opened model: exact, by the exported graphs. No tensors: also for browsers (`runtime.ts`). */
import { InvalidOptionError, refuseUnknownOptions, samplingFilterNames, type SamplingFilters } from '@chainrule/core'
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
  /** How many images. */
  count?: number
  /** Told how many variables of all images are drawn. */
  onProgress?: (progress: Progress) => void
}

/** Values of several images, one image after the other → the images. */
export function decodeAll({ tokenizer }: Pick<LoadedImage, 'tokenizer'>, values: Int32Array, count: number): Image[] {
  const each = values.length / count
  return Array.from({ length: count }, (_, which) => tokenizer.decode(values.subarray(which * each, (which + 1) * each)))
}

/** Images from the model. The same seed gives the same images. */
export async function sample(model: LoadedImage, options: SampleImageOptions = {}): Promise<Image[]> {
  refuseUnknownOptions('sample', options, [...drawOptions, 'count', 'onProgress'])
  const { count = 1, seed = 0, ...rest } = options
  const { values } = await model.opened.sample({ ...rest, seed, count })
  return decodeAll(model, values, count)
}

export interface StreamImageOptions extends DrawImageOptions {
  /** What pixels that are not drawn yet look like in `picture`: an intensity, 0 … 255 (128). */
  unknown?: number
}

/** One variable has been drawn. */
export interface DrawnVariable {
  /** How many came before it. */
  readonly rank: number
  /** Where it is: its place in the grid of variables, row by row. */
  readonly position: number
  /** Its components. */
  readonly values: Int32Array
  /** −log p of it given those before. */
  readonly nats: number
  /** The image as far as it is drawn. */
  picture(): Image
}

/** One image from the model, variable by variable in the order of generation: the first one that `sample` draws with the same seed. */
export async function* stream(model: LoadedImage, options: StreamImageOptions = {}): AsyncGenerator<DrawnVariable, void> {
  refuseUnknownOptions('stream', options, [...drawOptions, 'unknown'])
  if (!('opened' in model)) throw new InvalidOptionError('stream: needs an opened model. Open the trained one with openTrained, or an exported one with loadModel.')
  const { unknown = 128, seed = 0, ...rest } = options
  if (!Number.isInteger(unknown) || unknown < 0 || unknown > 255) throw new InvalidOptionError(`stream: unknown must be an intensity from 0 to 255, got ${String(unknown)}.`)
  const { tokenizer, opened } = model
  const { components: C } = tokenizer.domain
  const pixels = pixelsOfVariables(tokenizer)
  const x = new Int32Array(pixels.length * C)
  for await (const { firstRank, values, nats } of opened.stream({ ...rest, seed })) {
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
