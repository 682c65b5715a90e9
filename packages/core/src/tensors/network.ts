/**
 * The network f_θ: h at a position depends on earlier variables only.
 *
 * Axes: B batch, N variables, C components, K numbers of a condition, W width of the features, U steps of a block.
 */
import type * as tf from '@tensorflow/tfjs-core'
import type { Condition } from '../condition.js'
import type { Domain } from '../domain.js'
import type { StateTensor } from '../exported-model.js'
import type { ResolvedOrder } from '../order.js'
import type { ParameterArrays } from '../parameters.js'
import type { Piece } from '../piece.js'
import type { Dropout } from './dropout.js'
import type { Before, Previous } from './factorization.js'
import type { WaveSteps } from './waves.js'

export type Tensors = Record<string, tf.Tensor>

/** What a network is bound to, once, by the model. */
export interface Binding {
  readonly domain: Domain
  readonly order: ResolvedOrder
  /** How many numbers the head wants for each variable. */
  readonly parametersPerVariable: number
  /** What the network is told beside x; absent: nothing. */
  readonly condition?: Condition
}

/** A specification: name and options. */
export interface Network extends Piece {
  /** @throws {UnsupportedError} where the network cannot work with this order, length or head */
  bind(binding: Binding): BoundNetwork
}

/** Steps in a row, begun from a state. */
export interface Block {
  /** The next of them, as `BoundNetwork.step`: features [B, W]; the condition is that which the block began with. */
  step(previous: Previous): tf.Tensor
  /** The state after all of them. */
  state(): Tensors
}

/** Steps that cost less in a row than one by one. */
export interface Blocks {
  /** U, how many steps a block has. */
  readonly length: number
  /** @param condition [B, 1, K], or [B, U, K], where the network is bound with one */
  begin(parameters: Tensors, state: Tensors, condition?: tf.Tensor): Block
}

export interface BoundNetwork {
  /** W. */
  readonly width: number
  /** True: the features of a variable are its head's parameters themselves, and the head brings no projection. */
  readonly emitsParameters: boolean
  /** The tensors that `step` and `extend` carry, one of them `index`, int32 [1]. All begin as zeros, with a past of 0. */
  readonly state: readonly StateTensor[]
  /** The most variables that forward can take; undefined: any number. */
  readonly longest?: number
  /** True: `forward` takes documents side by side (a `before` with isStart [B, N]) and begins anew with each. */
  readonly packs?: boolean
  /** The conditions that it takes; absent: none, and the model refuses to have one. */
  readonly conditions?: readonly Condition['name'][]
  /** What `forward` may be given in training (dropout.ts). Absent: it drops nothing. */
  readonly dropout?: Dropout
  /** Whether no gradient changes this parameter: it is counted, or of a model trained before. Its shape may depend on data. Absent: never. */
  isFixed?(name: string): boolean
  initialize(seed: number): ParameterArrays
  /**
   * All the parameters, by counting: of a network that has nothing else to learn.
   * @param sequences values, by position; each a whole x, from its beginning
   */
  count?(sequences: Iterable<ArrayLike<number>>): ParameterArrays
  /**
   * The whole of x [B, N, C] at once, teacher forcing → features [B, N, W] by position. Without masks nothing is dropped.
   * @param condition [B, 1, K], or [B, N, K] by position, where the network is bound with one
   */
  forward(parameters: Tensors, x: tf.Tensor, before?: Before, masks?: Tensors, condition?: tf.Tensor): tf.Tensor
  /** One variable: reads the variable before (values [B, C], isStart [B]) → features [B, W] of the position of rank `index`. */
  step(parameters: Tensors, state: Tensors, previous: Previous): { features: tf.Tensor; state: Tensors }
  /** A chunk of known variables (values [B, S, C], isStart [B, S], in the order of generation) → features [B, S, W]. */
  extend(parameters: Tensors, state: Tensors, previous: Previous): { features: tf.Tensor; state: Tensors }
  /** Several steps in a row, where a network has them for less. Absent: one by one. */
  readonly blocks?: Blocks
  /** Several variables at once, where what depends on what leaves some independent. Absent: one after the other. */
  waves?(): WaveSteps
  /** The earlier positions that h at `position` reads, its whole receptive field. */
  dependencies(position: number): readonly number[]
}
