/** A modality: what text, image and audio each bring, so that opening, training, runs and export are made from it, once. */
import { type Condition, conditionFromName, type Domain, manifestCondition, type Order, orderFromName, type ParameterArrays, type Piece } from '@chainrule/core'
import { type Head, headFromName, type Model, type Network } from '@chainrule/core/tensors'
import { networkFromName } from '@chainrule/networks'
import type { Trained } from '@chainrule/train'
import type { Loaded, Reader } from './loaded.js'

/** A tokenizer, of whatever data. */
export interface TokenizerPiece extends Piece {
  readonly domain: Domain
}

/** A model with its tokenizer. */
export interface Bound<Name extends string = string> {
  readonly modality: Name
  readonly tokenizer: TokenizerPiece
  readonly model: Model
}

/** A trained model with its tokenizer: what `fit` returns. */
export interface TrainedBound<Name extends string = string> extends Bound<Name>, Omit<Trained, 'model'> {
  /** The variables of one training window, where it was trained on windows. */
  readonly window?: number
}

/** Pieces as values, as a modality binds them. */
export interface Pieces {
  readonly order: Order
  readonly network: Network
  readonly head: Head
  readonly condition?: Condition
}

/** Pieces as a file has them. */
export interface DescribedPieces {
  readonly order: Piece
  readonly network: Piece
  readonly head: Piece
  readonly condition?: Piece
}

export interface Modality<Name extends string = string, Reading extends object = object, B extends Bound<Name> = Bound<Name>> extends Reader<Name, Reading> {
  /** What one variable is called in the names of results: validationNatsPerToken. */
  readonly variable: string
  /** @throws {UnsupportedError} where two pieces do not fit */
  bind(pieces: Reading & Pieces): B
}

/** A model from what a file says of its pieces. @throws {UnknownPieceError} for a piece that nothing here answers to */
export function boundFrom<Name extends string, Reading extends object, B extends Bound<Name>>(modality: Modality<Name, Reading, B>, reading: Reading, { order, network, head, condition }: DescribedPieces): B {
  return modality.bind({ ...reading, order: orderFromName(order), network: networkFromName(network), head: headFromName(head), ...(condition && { condition: conditionFromName(condition) }) })
}

/** What a trained or an opened model is told beside x; undefined: nothing. */
export const conditionOf = (model: Pick<Bound, 'model'> | Pick<Loaded, 'manifest'>): Condition | undefined => ('manifest' in model ? manifestCondition(model.manifest) : model.model.condition)

/** The pieces and the parameters of an opened model, to train on from. @throws {UnknownPieceError} for a piece that nothing here answers to */
export async function modelOf<Name extends string, Reading extends object, B extends Bound<Name>>(modality: Modality<Name, Reading, B>, { manifest, opened }: Loaded<Name>): Promise<B & { readonly parameters: ParameterArrays }> {
  const bound = boundFrom(modality, modality.reading(manifest.tokenizer, manifest.domain.end !== undefined), manifest)
  return { ...bound, parameters: await opened.parameters() }
}
