/**
 * How the values of a grid's variables enter a network: as numbers, or as vectors of their own.
 *
 *   scaled      one number for each component: in [−1, 1], 2 v / (V − 1) − 1, or a real value as it is; and a 1, so that beyond the edge
 *               (zeros) is no value
 *   embedding   the sum of one learned vector for each component's value
 *
 * Axes: C components, V values, W width.
 */
import { type Domain, InvalidOptionError, type ParameterArrays } from '@chainrule/core'
import { embedding, normalInitial, scaledValues, type Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { noVectors } from './sequence-input.js'

export type InputKind = 'scaled' | 'embedding'

export interface GridInput {
  /** How many numbers a variable becomes. */
  readonly size: number
  /** About the sum of the squares of a variable's numbers. */
  readonly energy: number
  initialize(seed: number): ParameterArrays
  /** values [..., C] → [..., size]. */
  encode(parameters: Tensors, values: tf.Tensor): tf.Tensor
}

/** @throws {InvalidOptionError} */
export function checkInputKind(owner: string, kind: unknown): InputKind {
  if (kind !== 'scaled' && kind !== 'embedding') throw new InvalidOptionError(`${owner}: input must be 'scaled' or 'embedding', got ${JSON.stringify(kind)}.`)
  return kind
}

/** @throws {UnsupportedError} for learned vectors of real values */
export function gridInput(kind: InputKind, domain: Domain, width: number): GridInput {
  const { components: C, values: V } = domain
  if (kind === 'embedding') {
    if (V === 'real') throw noVectors()
    return {
      size: width,
      energy: width,
      initialize: (seed) => ({ embedding: normalInitial(seed, 'network/embedding', [C * V, width], 1 / Math.sqrt(C)) }),
      encode(parameters, values) {
        const firstRows = tf.tensor1d(Int32Array.from({ length: C }, (_, c) => c * V), 'int32')
        return tf.sum(embedding(parameters.embedding, tf.add(values, firstRows)), -2)
      },
    }
  }
  return {
    size: C + 1,
    energy: (C + 2) / 2,
    initialize: () => ({}),
    encode(_, values) {
      return tf.concat([scaledValues(values, domain), tf.ones([...values.shape.slice(0, -1), 1])], -1)
    },
  }
}
