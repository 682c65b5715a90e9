/**
 * Which exact sampler of a model is the fastest: wave by wave, or one variable after the other.
 *
 * Axes: B batch, M slots of a wave (the widest has M variables), C components, D features of a map, K numbers of a condition, W width of the features.
 */
import type * as tf from '@tensorflow/tfjs-core'
import type { StateTensor } from '../exported-model.js'
import type { Waves } from '../waves.js'
import type { Model } from './model.js'
import type { Tensors } from './network.js'

/** How a network speaks of all the variables of a wave at once. */
export interface WaveSteps {
  readonly waves: Waves
  /** What a step carries to the next: maps of the waves before, all zeros at first. */
  readonly state: readonly StateTensor[]
  /** The waves that the rows of a map of the state are made in, M each, the newest last. */
  readonly wavesOfMaps: Readonly<Record<string, Waves>>
  /** What the slots of each wave read of the state: of every wave `width` indices, one wave after the other. */
  readonly places: Readonly<Record<string, { readonly width: number; readonly indices: Int32Array }>>
  /**
   * values int32 [B, M, C] of the wave before, places int32 [width] of this one → features [B, M, W] of its variables, by slot; what a slot
   * without a variable gets means nothing, and no variable reads it.
   * @param condition [B, 1, K], or [B, M, K] by slot, where the network is bound with one
   */
  step(parameters: Tensors, state: Tensors, values: tf.Tensor, places: Tensors, condition?: tf.Tensor): { features: tf.Tensor; state: Tensors }
}

export interface SamplingPlan {
  /** Absent: one variable after the other. */
  readonly steps?: WaveSteps
  /** One line for people: which sampler, and why. */
  readonly reason: string
}

const written = (count: number) => count.toLocaleString('en-US')

export function planSampling({ domain, network, boundNetwork }: Pick<Model, 'domain' | 'network' | 'boundNetwork'>): SamplingPlan {
  const oneByOne = 'one variable after the other'
  if (domain.length === 'variable') return { reason: `${oneByOne}: of a variable length, each depends on the one before it` }
  const steps = boundNetwork.waves?.()
  if (!steps) return { reason: `${oneByOne}: ${network.name} carries a state from each variable to the next` }
  const { count, widest } = steps.waves
  if (2 * count > domain.length) return { reason: `${oneByOne}: what depends on what leaves ${written(count)} waves for ${written(domain.length)} variables, fewer than two in each` }
  return { steps, reason: `waves: ${written(count)} in place of ${written(domain.length)} steps, up to ${written(widest)} variables that do not depend on each other at once` }
}
