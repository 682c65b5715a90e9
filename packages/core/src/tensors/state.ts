/** The state that a network carries from one variable to the next. */
import * as tf from '@tensorflow/tfjs-core'
import type { StateTensor } from '../exported-model.js'
import type { Previous } from './factorization.js'
import type { BoundNetwork, Tensors } from './network.js'

/** The state before the first variable: zeros with a past of 0. */
export function begin(state: readonly StateTensor[], batch: number): Tensors {
  return Object.fromEntries(
    state.map(({ name, type, shape }) => [name, tf.zeros(shape.map((axis) => (axis === 'batch' ? batch : axis === 'past' ? 0 : axis)), type)]),
  )
}

/** The default of `extend`: one step after the other. */
export function extendByStep(step: BoundNetwork['step'], parameters: Tensors, state: Tensors, { values, isStart, condition }: Previous): { features: tf.Tensor; state: Tensors } {
  const features: tf.Tensor[] = []
  const allValues = tf.unstack(values, 1)
  const allIsStart = tf.unstack(isStart, 1)
  const allConditions = condition && tf.unstack(condition, 1)
  for (let i = 0; i < allValues.length; i++) {
    const result = step(parameters, state, { values: allValues[i], isStart: allIsStart[i], condition: allConditions?.[Math.min(i, allConditions.length - 1)] })
    features.push(result.features)
    state = result.state
  }
  return { features: tf.stack(features, 1), state }
}
