/**
 * The head F_β: turns features into a distribution of one variable. Likelihood and sampling are one object, so they cannot disagree.
 *
 * Axes: B batch, N variables, C components, W width of the features, K uniforms per component, V values.
 */
import type * as tf from '@tensorflow/tfjs-core'
import type { Domain } from '../domain.js'
import type { ParameterArrays } from '../parameters.js'
import type { Piece } from '../piece.js'
import type { SamplingFilterName } from '../sampling-filters.js'
import type { Tensors } from './network.js'

export interface HeadBinding {
  readonly domain: Domain
  /** W. */
  readonly width: number
  /** True: features are the distribution's parameters already; there is no projection. */
  readonly receivesParameters: boolean
}

/** A specification: name and options. */
export interface Head extends Piece {
  /** How many numbers describe the distribution of one variable. @throws {UnsupportedError} where the domain does not suit */
  parametersPerVariable(domain: Domain): number
  /** @throws {UnsupportedError} where the head cannot work with this domain or network */
  bind(binding: HeadBinding): BoundHead
}

/** What narrows the distribution that is sampled, all of it together; core's sampling-filters.ts has the definitions. */
export interface DrawFilters {
  /** int32 [1]; 0: off. */
  readonly topK: tf.Tensor
  /** float32 [1], above 0; 1: off. */
  readonly topP: tf.Tensor
  /** float32 [1]; 0: off. */
  readonly minP: tf.Tensor
  /** Of heads that know it, and together with `seen`: float32 [1], above 0; 1: off. */
  readonly repetitionPenalty?: tf.Tensor
  /** bool [B, V]: which values occurred before. */
  readonly seen?: tf.Tensor
}

/** One draw from the distribution, or a value given. */
export interface DrawRequest {
  /** float32 [B, C, K] in (0, 1). */
  readonly uniforms: tf.Tensor
  /** float32 [1]; 1 samples from the model. */
  readonly temperature: tf.Tensor
  /** int32 [B, C] (float32 of real values), kept where `isGiven`. */
  readonly given: tf.Tensor
  /** bool [B]. */
  readonly isGiven: tf.Tensor
  /** For heads that know them. */
  readonly filters?: DrawFilters
}

export interface Draw {
  /** int32 [B, C] (float32 of real values): the values kept, given or drawn. */
  readonly values: tf.Tensor
  /** The same: what the uniforms pick, given or not. */
  readonly drawn: tf.Tensor
  /** float32 [B]: how far the uniforms lie outside the CDF interval of the values kept; 0 = inside, 1 for values that cannot be drawn at all. Of real values: gaussian-search.ts. */
  readonly distance: tf.Tensor
  /** float32 [B]: log p of the values kept (real ones: their density), at temperature 1, in nats. */
  readonly logProbability: tf.Tensor
  /** float32 [B, V] at temperature 1: heads of one discrete component only. */
  readonly logProbabilities?: tf.Tensor
}

export interface BoundHead {
  /** K. */
  readonly uniformsPerComponent: number
  /** True: reads the network's value embedding (`embedding` among its parameters) in place of a matrix of its own. */
  readonly isTied: boolean
  /** What it knows of `DrawFilters`: all of them, those that need nothing but probabilities (core's `truncations`), or (absent) none. */
  readonly samplingFilters?: readonly SamplingFilterName[]
  initialize(seed: number): ParameterArrays
  /** features [B, N, W], x [B, N, C] → log p of each component given the ones before it, in nats: [B, N, C]. */
  logProbability(parameters: Tensors, features: tf.Tensor, x: tf.Tensor): tf.Tensor
  /** features [B, W] → one variable, by inverse CDF. */
  draw(parameters: Tensors, features: tf.Tensor, request: DrawRequest): Draw
}
