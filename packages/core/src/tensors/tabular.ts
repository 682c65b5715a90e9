/**
 * The tabular model: unshared conditionals P_{w₁} … P_{w_d}, one table each, with a row for every context. Exact by counting;
 * any joint distribution of a small domain is one of these, in any order. Axes: B batch, V values, d variables.
 *
 *   row of rank i = Vⁱ-ary number of x_π(0) … x_π(i−1);  the tables stand one after the other: rank i begins at (Vⁱ − 1)/(V − 1)
 */
import * as tf from '@tensorflow/tfjs-core'
import { type Domain, fixedLength, valueCount } from '../domain.js'
import { finiteNumber, InvalidDataError, InvalidOptionError, refuseUnknownOptions, UnsupportedError } from '../errors.js'
import type { ResolvedOrder } from '../order.js'
import type { ParameterArrays } from '../parameters.js'
import { previous, type Previous, restore } from './factorization.js'
import { constantInitial } from './initial.js'
import type { BoundNetwork, Network, Tensors } from './network.js'
import { embedding } from './primitives/embedding.js'
import { extendByStep } from './state.js'

/** More rows than this are refused: the table is exponential in d. */
const mostRows = 4_000_000

/** Where the table of each rank begins; the last entry is the number of rows. */
function tableStarts(domain: Domain, order: ResolvedOrder): number[] {
  const d = fixedLength(domain, 'tabular')
  if (domain.components !== 1) throw new UnsupportedError('tabular: variables must have one component.')
  if (order.groups) throw new UnsupportedError('tabular: groups are not supported; a table conditions on everything before.')
  const V = valueCount(domain, 'tabular')
  const starts = [0]
  for (let rank = 0; rank < d; rank++) starts.push(starts[rank] + V ** rank)
  if (starts[d] > mostRows) throw new InvalidOptionError(`tabular: ${V} values and ${d} variables need ${starts[d]} rows, at most ${mostRows} are allowed. Use a model with shared parameters.`)
  return starts
}

/** A network that is nothing but tables; its head is `categorical()`. */
export function tabular(options: Record<never, never> = {}): Network {
  refuseUnknownOptions('tabular', options, [])
  return {
    name: 'tabular',
    options: {},
    bind({ domain, order, parametersPerVariable }) {
      const starts = tableStarts(domain, order)
      const d = starts.length - 1
      const V = valueCount(domain, 'tabular')
      if (parametersPerVariable !== V) throw new UnsupportedError(`tabular: its rows hold ${V} logits, the head wants ${parametersPerVariable} numbers. Use categorical().`)
      /** The context of the next variable: the one before appended as the last digit. */
      const append = (context: tf.Tensor, { values, isStart }: Previous): tf.Tensor =>
        tf.where(isStart, tf.zerosLike(context), tf.add(tf.mul(context, tf.scalar(V, 'int32')), tf.squeeze(values, [1])))
      const step = (parameters: Tensors, state: Tensors, before: Previous) => {
        const context = append(state.context, before)
        const first = tf.gather(tf.tensor1d(starts.slice(0, d), 'int32'), state.index as tf.Tensor1D)
        return {
          features: embedding(parameters.logits, tf.add(context, first)),
          state: { index: tf.add(state.index, tf.scalar(1, 'int32')), context },
        }
      }
      const bound: BoundNetwork = {
        width: V,
        emitsParameters: true,
        longest: d,
        state: [
          { name: 'index', type: 'int32', shape: [1] },
          { name: 'context', type: 'int32', shape: ['batch'] },
        ],
        initialize: () => ({ logits: constantInitial([starts[d], V], 0) }),
        forward(parameters, x, before) {
          if (before) throw new UnsupportedError('tabular: x has a fixed length and begins with its first variable; nothing can come before it.')
          const { values, isStart } = previous(x, order)
          const allValues = tf.unstack(values, 1)
          const allIsStart = tf.unstack(isStart, 1)
          let context = tf.zerosLike(tf.squeeze(allValues[0], [1]))
          const rows = allValues.map((values, rank) => {
            context = append(context, { values, isStart: allIsStart[rank] })
            return tf.add(context, tf.scalar(starts[rank], 'int32'))
          })
          return restore(embedding(parameters.logits, tf.stack(rows, 1)), order)
        },
        step,
        extend: (parameters, state, before) => extendByStep(step, parameters, state, before),
        dependencies: (position) => Array.from(order.permutation.subarray(0, order.inverse[position])),
      }
      return bound
    },
  }
}

/**
 * The maximum-likelihood tables, by counting: the logits of a row are the logarithms of its relative frequencies.
 * A context that never occurs is uniform. Parameters of a model with network `tabular()` and head `categorical()`.
 * @param examples each of d values, by position
 * @param smoothing added to every count, ≥ 0
 */
export function countTabular(domain: Domain, order: ResolvedOrder, examples: readonly ArrayLike<number>[], smoothing = 0): ParameterArrays {
  finiteNumber('countTabular', 'smoothing', smoothing, 0)
  const starts = tableStarts(domain, order)
  const d = starts.length - 1
  const V = valueCount(domain, 'tabular')
  const counts = new Float64Array(starts[d] * V).fill(smoothing)
  examples.forEach((example, which) => {
    if (example.length !== d) throw new InvalidDataError(`countTabular: example ${which} has ${example.length} variables, expected ${d}.`)
    let context = 0
    order.permutation.forEach((position, rank) => {
      const value = example[position]
      if (!Number.isInteger(value) || value < 0 || value >= V) throw new InvalidDataError(`countTabular: example ${which} holds ${value} at position ${position}, expected 0 … ${V - 1}.`)
      counts[(starts[rank] + context) * V + value]++
      context = context * V + value
    })
  })
  const data = new Float32Array(counts.length)
  for (let row = 0; row < starts[d]; row++) {
    const total = counts.subarray(row * V, (row + 1) * V).reduce((sum, count) => sum + count, 0)
    // A frequency of 0 becomes the lowest logit whose softmax is exactly 0 without an infinity.
    for (let v = 0; v < V; v++) data[row * V + v] = total === 0 ? 0 : Math.max(Math.log(counts[row * V + v] / total), -1e30)
  }
  return { 'network/logits': { shape: [starts[d], V], data } }
}
