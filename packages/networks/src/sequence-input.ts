/**
 * How what came before enters a network that reads variables one after the other, as a vector of the network's width; `start` has one
 * of its own.
 *
 *   embedding   the sum of one learned vector for each component's value: rows of length ½ or so
 *   scaled      a linear map of one number for each component: in [−1, 1], 2 v / (V − 1) − 1, or a real value as it is
 *
 * Axes: C components, V values, W width.
 */
import { type Domain, InvalidOptionError, type ParameterArrays, UnsupportedError } from '@chainrule/core'
import { embedding, linear, normalInitial, type Previous, scaledValues, type Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'

export type InputKind = 'scaled' | 'embedding'

export interface SequenceInput {
  /** About the sum of the squares of a vector's entries, at the beginning. */
  readonly energy: number
  initialize(seed: number): ParameterArrays
  /** values [..., C], isStart [...] → [..., W]. */
  encode(parameters: Tensors, before: Previous): tf.Tensor
}

/** What refuses a learned vector for each of infinitely many values. */
export const noVectors = (): UnsupportedError => new UnsupportedError("input 'embedding' has a vector for each value; the domain's values are real. Use input: 'scaled', which takes them as numbers.")

/** @throws {InvalidOptionError} */
export function checkSequenceInput(owner: string, kind: unknown): InputKind {
  if (kind !== 'scaled' && kind !== 'embedding') throw new InvalidOptionError(`${owner}: input must be 'scaled' or 'embedding', got ${JSON.stringify(kind)}.`)
  return kind
}

/** @throws {UnsupportedError} for learned vectors of real values */
export function sequenceInput(kind: InputKind, domain: Domain, width: number): SequenceInput {
  const { components: C, values: V } = domain
  if (kind === 'embedding') {
    if (V === 'real') throw noVectors()
    const startRow = C * V
    return {
      energy: C / 4,
      // Short rows, so that a tied head begins nearly uniform.
      initialize: (seed) => ({ embedding: normalInitial(seed, 'network/embedding', [startRow + 1, width], 0.5 / Math.sqrt(width)) }),
      encode(parameters, { values, isStart }) {
        const vectors = tf.unstack(values, values.rank - 1).map((component, c) => {
          const row = c === 0 ? component : tf.add(component, tf.scalar(c * V, 'int32'))
          return embedding(parameters.embedding, tf.where(isStart, tf.mul(tf.onesLike(row), tf.scalar(startRow, 'int32')), row))
        })
        return vectors.length === 1 ? vectors[0] : tf.addN(vectors)
      },
    }
  }
  return {
    energy: (1 + C / 3) * width,
    // Rows: one for each component, one of known variables, one of `start`.
    initialize: (seed) => ({ input: normalInitial(seed, 'network/input', [C + 2, width], 1) }),
    encode(parameters, { values, isStart }) {
      const starts = tf.expandDims(tf.cast(isStart, 'float32'), -1)
      const known = tf.sub(1, starts)
      return linear(tf.concat([tf.mul(scaledValues(values, domain), known), known, starts], -1), parameters.input)
    },
  }
}
