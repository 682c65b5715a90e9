/**
 * The exponential average of the parameters (Polyak, Juditsky 1992): often better than the last ones, whose noise it takes out.
 *
 *   a ← a + (1 − d_t) (w − a),  d_t = min(d, (1 + t) / (10 + t))       t = 0, 1, … counts updates
 *
 * At first it forgets faster, so that the parameters that training began with do not stay in it for long.
 */
import type { Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'

/** 1 − d_t; 0 where nothing is averaged. `step` counts from 0. */
export function averageRate(step: number, decay: number): number {
  return decay === 0 ? 0 : 1 - Math.min(decay, (1 + step) / (10 + step))
}

/** The average after an update; rate is a scalar. */
export function averaged(average: Tensors, parameters: Tensors, rate: tf.Tensor): Tensors {
  return Object.fromEntries(Object.entries(average).map(([name, old]) => [name, tf.add(old, tf.mul(tf.sub(parameters[name], old), rate))]))
}
