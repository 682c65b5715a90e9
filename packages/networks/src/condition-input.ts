/**
 * How a condition enters a network: its K numbers add c U to the sums of a layer. Of a label that is a learned vector, a row of U.
 * Without a condition there is no U, and nothing is added.
 *
 * Axes: K numbers of the condition, E sums of a layer.
 */
import { type Condition, type ParameterArrays } from '@chainrule/core'
import { linear, normalInitial, type Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'

const nameOf = (layer: string) => `${layer}/condition`

/**
 * Fresh U of some layers.
 * @param layers how many sums each has
 * @param deviation about that of what is added to a sum
 */
export function conditionInitial(seed: number, condition: Condition | undefined, layers: Readonly<Record<string, number>>, deviation = 0.3): ParameterArrays {
  if (!condition) return {}
  const { size, values } = condition
  // Of categories one number is 1; K real numbers are each of about that size.
  const scale = values === undefined ? Math.sqrt(size) : 1
  return Object.fromEntries(Object.entries(layers).map(([layer, sums]) => [nameOf(layer), normalInitial(seed, `network/${nameOf(layer)}`, [size, sums], deviation / scale)]))
}

/** What the condition [..., K] adds to the sums of a layer: [..., E]. */
export const fromCondition = (parameters: Tensors, layer: string, condition: tf.Tensor): tf.Tensor => linear(condition, parameters[nameOf(layer)])

/** The sums of a layer [..., E], with what the condition adds. */
export const conditioned = (sums: tf.Tensor, parameters: Tensors, layer: string, condition?: tf.Tensor): tf.Tensor => (condition ? tf.add(sums, fromCondition(parameters, layer, condition)) : sums)
