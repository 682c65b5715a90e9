/**
 * Dropout (Srivastava et al. 2014): in training some activations are 0, and the others larger, so that the mean stays.
 *
 *   y = x · mask / (1 − rate)
 *
 * A network declares its masks and is given them; what draws them (a function of seed and step) is the business of training.
 */
import * as tf from '@tensorflow/tfjs-core'

/** The masks of a network. */
export interface Dropout {
  /** How much is dropped: whole 256ths, in which masks are drawn. */
  readonly rate: number
  /** The shape of each mask, by name, for B examples of N variables. */
  masks(batch: number, length: number): Readonly<Record<string, readonly number[]>>
}

/** The nearest rate that masks are drawn with. */
export const drawnRate = (rate: number): number => Math.round(rate * 256) / 256

/** x, and the mask of its shape: bool, false where x is dropped. */
export function dropped(x: tf.Tensor, mask: tf.Tensor, rate: number): tf.Tensor {
  return tf.mul(x, tf.mul(tf.cast(mask, 'float32'), tf.scalar(1 / (1 - rate))))
}
