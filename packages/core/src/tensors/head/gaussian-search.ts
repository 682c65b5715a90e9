/**
 * One value from a mixture of Gaussians, x = F⁻¹(u), F(x) = Σₖ πₖ Φ((x − μₖ)/σₖ): exact, by one uniform.
 *
 * F lies between 0 and 1 within 5.5 σ of all means, for every u that float32 noise has. That stretch is cut into 64 parts three times, always
 * the part kept that u lies in; two steps of Newton from its middle do the rest. For u > ½ all is done with 1 − F and 1 − u: the upper tail
 * is as fine as the lower one.
 *
 * The distance of a value kept is how far it lies from the one drawn, or how far F of it lies from u, whichever is less: between two modes
 * F is flat, and rounding moves x a long way; within a narrow one F is steep, and rounding of the mean moves F. Axes: B batch, K Gaussians, S parts.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { DrawRequest } from '../head.js'
import { normalCumulative } from '../primitives/normal-distribution.js'

/** Each [B, K]. */
export interface Gaussians {
  readonly logits: tf.Tensor
  readonly mean: tf.Tensor
  readonly logScale: tf.Tensor
}

/** Φ(−5.5) is below 2⁻²⁴, the least uniform. */
const reach = 5.5
const parts = 64
const stages = 3
const stepsOfNewton = 2
/** Keeps a quotient finite where there is no density at all. */
const leastDensity = 1e-30

/** values, drawn, distance: [B, 1]. */
export function drawFromGaussians({ logits, mean, logScale }: Gaussians, { uniforms, given, isGiven }: DrawRequest): { values: tf.Tensor; drawn: tf.Tensor; distance: tf.Tensor } {
  const scale = tf.exp(logScale)
  const u = tf.reshape(uniforms, [mean.shape[0], 1])
  const isLower = tf.lessEqual(u, 0.5)
  const side = tf.where(isLower, tf.onesLike(u), tf.fill(u.shape as number[], -1))
  const target = tf.minimum(u, tf.sub(1, u))
  const [weights, means, rates] = [tf.softmax(logits), mean, tf.reciprocal(scale)].map((tensor) => tf.expandDims(tensor, 1))
  const sides = tf.expandDims(side, 1)

  /** x [B, S] → (x − μₖ)/σₖ [B, S, K]. */
  const standardized = (x: tf.Tensor) => tf.mul(tf.sub(tf.expandDims(x, 2), means), rates)
  /** F, or 1 − F: of z [B, S, K] → [B, S]. */
  const sums = (z: tf.Tensor) => tf.sum(tf.mul(normalCumulative(tf.mul(z, sides)), weights), 2)

  let low = tf.min(tf.sub(mean, tf.mul(scale, reach)), 1, true)
  let width = tf.sub(tf.max(tf.add(mean, tf.mul(scale, reach)), 1, true), low)
  const inner = tf.tensor2d(Float32Array.from({ length: parts - 1 }, (_, i) => i + 1), [1, parts - 1])
  for (let stage = 0; stage < stages; stage++) {
    width = tf.mul(width, 1 / parts)
    const isBelow = tf.lessEqual(tf.mul(tf.sub(sums(standardized(tf.add(tf.mul(inner, width), low))), target), side), 0)
    low = tf.add(low, tf.mul(width, tf.sum(tf.cast(isBelow, 'float32'), 1, true)))
  }
  const high = tf.add(low, width)
  const heights = tf.mul(rates, tf.mul(weights, 1 / Math.sqrt(2 * Math.PI)))
  let drawn: tf.Tensor = tf.add(low, tf.mul(width, 0.5))
  for (let step = 0; step < stepsOfNewton; step++) {
    const z = standardized(drawn)
    const density = tf.sum(tf.mul(tf.exp(tf.mul(tf.square(z), -0.5)), heights), 2)
    const missing = tf.div(tf.mul(tf.sub(target, sums(z)), side), tf.maximum(density, leastDensity))
    drawn = tf.minimum(tf.maximum(tf.add(drawn, missing), low), high)
  }

  const values = tf.where(tf.expandDims(isGiven, 1), given, drawn)
  const distance = tf.minimum(tf.abs(tf.sub(values, drawn)), tf.abs(tf.sub(sums(standardized(values)), target)))
  return { values, drawn, distance }
}
