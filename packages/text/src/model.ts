/** A language model: a tokenizer, an order, a network and a head. */
import { leftToRight, type Order, refuseUnknownOptions, UnsupportedError } from '@chainrule/core'
import { categorical, createModel, type Head, type Model, type Network } from '@chainrule/core/tensors'
import type { Trained } from '@chainrule/train'
import type { TextTokenizer } from './tokenizers/index.js'

export interface TextModelOptions {
  tokenizer: TextTokenizer
  network: Network
  /** Default: `categorical()`. */
  head?: Head
  /** Text has a variable length, so left to right is the only order. */
  order?: Order
}

export interface TextModel {
  readonly modality: 'text'
  readonly tokenizer: TextTokenizer
  readonly model: Model
}

/** A trained language model: what `fit` returns. */
export interface TrainedText extends TextModel, Omit<Trained, 'model'> {
  /** The tokens of one training window, and of one window of evaluation. */
  readonly window: number
}

/** Binds the pieces. @throws {UnsupportedError} where two of them do not fit */
export function textModel(options: TextModelOptions): TextModel {
  refuseUnknownOptions('textModel', options, ['tokenizer', 'network', 'head', 'order'])
  const { tokenizer, network, head = categorical(), order = leftToRight() } = options
  const model = createModel({ domain: tokenizer.domain, order, network, head })
  if (!model.resolvedOrder.isLeftToRight) throw new UnsupportedError('textModel: text has a variable length, which allows left to right only.')
  return { modality: 'text', tokenizer, model }
}

/** The context of a network that has one: the natural window. */
export function contextOf(model: Model): number | undefined {
  const { context } = model.network.options
  return typeof context === 'number' ? context : undefined
}
