/** Values as numbers that a network can read: whole ones evenly in −1 … 1, 2 v / (V − 1) − 1; real ones as they are. */
import * as tf from '@tensorflow/tfjs-core'
import type { Domain } from '../domain.js'

/** Values of any shape, int32 or float32 → the same shape, float32. */
export const scaledValues = (values: tf.Tensor, { values: V }: Pick<Domain, 'values'>): tf.Tensor => (V === 'real' ? values : tf.sub(tf.mul(tf.cast(values, 'float32'), 2 / (V - 1)), 1))
