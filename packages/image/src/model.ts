/** An image model: a tokenizer, an order, a network and a head. */
import { type Condition, InvalidOptionError, type Order, raster, refuseUnknownOptions, UnsupportedError } from '@chainrule/core'
import { createModel, type Head, type Model, type Network } from '@chainrule/core/tensors'
import type { Trained } from '@chainrule/train'
import type { ImageTokenizer } from './tokenizers/index.js'

export interface ImageModelOptions {
  tokenizer: ImageTokenizer
  network: Network
  head: Head
  /** Default: `raster()`. */
  order?: Order
  /** What the model is told of each image: `label({ values })`, its class; absent: nothing. */
  condition?: Condition
}

export interface ImageModel {
  readonly modality: 'image'
  readonly tokenizer: ImageTokenizer
  readonly model: Model
}

/** A trained image model: what `fit` returns. */
export interface TrainedImage extends ImageModel, Omit<Trained, 'model'> {}

/** Binds the pieces. @throws {UnsupportedError} where two of them do not fit */
export function imageModel(options: ImageModelOptions): ImageModel {
  refuseUnknownOptions('imageModel', options, ['tokenizer', 'network', 'head', 'order', 'condition'])
  const { tokenizer, network, head, order = raster(), condition } = options
  for (const [name, piece] of Object.entries({ tokenizer, network, head })) if (!piece) throw new InvalidOptionError(`imageModel: ${name} is missing. Give a tokenizer, a network and a head: pixels({ … }), maskedConvolution({ … }), bernoulli(), for example.`)
  if (condition && condition.name !== 'label') throw new UnsupportedError(`imageModel: images carry labels, so the condition must be label({ … }), got ${condition.name}.`)
  return { modality: 'image', tokenizer, model: createModel({ domain: tokenizer.domain, order, network, head, condition }) }
}
