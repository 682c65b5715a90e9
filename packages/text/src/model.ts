/** A language model: a tokenizer, an order, a network and a head. */
import { InvalidOptionError, leftToRight, type Order, type Piece, refuseUnknownOptions, UnsupportedError } from '@chainrule/core'
import { categorical, createModel, type Head, type Model, type Network } from '@chainrule/core/tensors'
import type { Trained } from '@chainrule/train'
import { domainOf, type Reading } from './documents.js'
import type { TextTokenizer } from './tokenizers/index.js'

export interface TextModelOptions {
  tokenizer: TextTokenizer
  network: Network
  /** Default: `categorical()`. */
  head?: Head
  /** Texts are documents, which end: the model learns where, samples end by themselves, and `fit` takes a list of texts. Default: false, one endless text. */
  documents?: boolean
  /** Text has a variable length, so left to right is the only order. */
  order?: Order
}

export interface TextModel extends Reading {
  readonly modality: 'text'
  readonly model: Model
}

/** A trained language model: what `fit` returns. */
export interface TrainedText extends TextModel, Omit<Trained, 'model'> {
  /** The tokens of one training window, and of one window of evaluation. */
  readonly window: number
}

/** Binds the pieces. @throws {UnsupportedError} where two of them do not fit */
export function textModel(options: TextModelOptions): TextModel {
  refuseUnknownOptions('textModel', options, ['tokenizer', 'network', 'head', 'documents', 'order'])
  const { tokenizer, network, head = categorical(), documents = false, order = leftToRight() } = options
  if (typeof tokenizer?.encode !== 'function') throw new InvalidOptionError('textModel: tokenizer must be one, such as character({ characters: text }) or byte().')
  if (typeof network?.bind !== 'function') throw new InvalidOptionError('textModel: network must be one, such as transformer({ layers: 2, heads: 2, width: 64, context: 64 }).')
  if (typeof documents !== 'boolean') throw new InvalidOptionError(`textModel: documents must be true or false, got ${String(documents)}.`)
  const model = createModel({ domain: domainOf({ tokenizer, documents }), order, network, head })
  if (!model.resolvedOrder.isLeftToRight) throw new UnsupportedError('textModel: text has a variable length, which allows left to right only.')
  return { modality: 'text', tokenizer, documents, model }
}

/** The context of a network that has one, the longest of those in a mixture: the natural window. */
export function contextOf({ network: { options } }: Pick<Model, 'network'>): number | undefined {
  const inside = (options.networks ?? []) as unknown as readonly Piece[]
  const contexts = [options, ...inside.map((piece) => piece.options)].flatMap(({ context }) => (typeof context === 'number' ? [context] : []))
  return contexts.length > 0 ? Math.max(...contexts) : undefined
}
