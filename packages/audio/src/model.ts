/** A sound model: a tokenizer, an order, a network and a head. */
import { type Condition, leftToRight, type Order, refuseUnknownOptions } from '@chainrule/core'
import { createModel, type Head, type Model, type Network } from '@chainrule/core/tensors'
import type { Trained } from '@chainrule/train'
import type { SoundTokenizer } from './tokenizers/index.js'

export interface AudioModelOptions {
  tokenizer: SoundTokenizer
  network: Network
  head: Head
  /** Default: leftToRight(). Sounds of any length know no other. */
  order?: Order
  /** What the model is told of each sound: `label({ … })` or `controlSequence({ … })`; absent: nothing. */
  condition?: Condition
}

export interface AudioModel {
  readonly modality: 'audio'
  readonly tokenizer: SoundTokenizer
  readonly model: Model
}

/** A trained sound model: what `fit` returns. */
export interface TrainedAudio extends AudioModel, Omit<Trained, 'model'> {
  /** The frames of one training window. */
  readonly window: number
}

/** Binds the pieces. @throws {UnsupportedError} where two of them do not fit */
export function audioModel(options: AudioModelOptions): AudioModel {
  refuseUnknownOptions('audioModel', options, ['tokenizer', 'network', 'head', 'order', 'condition'])
  const { tokenizer, network, head, order = leftToRight(), condition } = options
  return { modality: 'audio', tokenizer, model: createModel({ domain: tokenizer.domain, order, network, head, condition }) }
}
