/**
 * AdamW (Loshchilov, Hutter 2019, arXiv 1711.05101) after clipping by the global norm, as a tensor program.
 *
 * The moments are kept divided by (1 − β), which saves two passes over every parameter:
 *   m ← β₁ m + g,  v ← β₂ v + g²,  w ← w · decay − rate · m / (√v + ε′)
 * with rate = lr (1 − β₁)/(1 − β₁ᵗ) · √((1 − β₂ᵗ)/(1 − β₂)) and ε′ = ε √((1 − β₂ᵗ)/(1 − β₂)): the textbook's update, exactly.
 * Weights decay; gains, which are vectors, do not.
 */
import { type Tensors, sumOfSquares } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'

export interface AdamWOptions {
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weightDecay: number
  /** Gradients are scaled down to this global norm where theirs is larger. */
  readonly clipNorm: number
}

export interface OptimizerState {
  readonly parameters: Tensors
  readonly firstMoments: Tensors
  readonly secondMoments: Tensors
}

/** How many numbers one update takes. */
export const updateNumberCount = 6

/** The numbers of one update, made from its learning rate: [rate, decay, ε′, β₁, β₂, weight of the gradient]. `step` counts from 0. */
export function updateNumbers(step: number, learningRate: number, { beta1, beta2, epsilon, weightDecay }: AdamWOptions): number[] {
  const secondScale = Math.sqrt((1 - beta2 ** (step + 1)) / (1 - beta2))
  const rate = ((learningRate * (1 - beta1)) / (1 - beta1 ** (step + 1))) * secondScale
  return [rate, 1 - learningRate * weightDecay, epsilon * secondScale, beta1, beta2, 1]
}

/** The numbers with which `adamW` leaves everything as it is. */
export const noUpdate: readonly number[] = [0, 1, 1, 1, 1, 0]

/**
 * One update. Every new value depends on the global norm, and so on every reader of the old ones:
 * an engine may write the new values over them.
 * @param numbers float32 [6], from `updateNumbers` or `noUpdate`
 */
export function adamW(state: OptimizerState, gradients: Tensors, numbers: tf.Tensor, clipNorm: number): { state: OptimizerState; gradientNorm: tf.Tensor } {
  const [rate, decay, epsilon, beta1, beta2, weight] = tf.split(numbers, updateNumberCount)
  const gradientNorm = tf.sqrt(tf.addN(Object.values(gradients).map((gradient) => sumOfSquares(gradient))))
  const scale = tf.mul(tf.minimum(tf.div(tf.scalar(clipNorm), tf.add(gradientNorm, tf.scalar(1e-6))), tf.scalar(1)), weight)
  const next = { parameters: {} as Tensors, firstMoments: {} as Tensors, secondMoments: {} as Tensors }
  for (const [name, parameter] of Object.entries(state.parameters)) {
    const gradient = tf.mul(gradients[name], scale)
    const first = tf.add(tf.mul(state.firstMoments[name], beta1), gradient)
    const second = tf.add(tf.mul(state.secondMoments[name], beta2), tf.mul(gradient, gradient))
    const change = tf.mul(tf.div(first, tf.add(tf.sqrt(second), epsilon)), rate)
    next.parameters[name] = tf.sub(parameter.rank >= 2 ? tf.mul(parameter, decay) : parameter, change)
    next.firstMoments[name] = first
    next.secondMoments[name] = second
  }
  return { state: next, gradientNorm }
}
