/**
 * The neural autoregressive distribution estimator: one hidden layer for each variable, all of them with the same weights, so that the
 * sums of the next one are those of the last one and one variable more: O(d H) for all conditionals.
 *
 *   a_i = c + Σ_q<i W_q x_q (by rank)     h_i = σ(a_i)     output_i = V_i h_i + b_i     with a label y: c + U y in place of c
 *
 * Larochelle, Murray 2011. All hidden units of a whole x would be B d H numbers; a scan goes over chunks of K variables instead, which
 * carries the sum of all earlier chunks and finds the sums within one as a single product, of inputs masked for each variable. What
 * lies within a chunk is computed again for the gradient.
 *
 * Axes: B batch, d variables, C components, V values, E = C (for V = 2 and real values) or C·V input units of a variable, H units, P parameters of a
 * variable's distribution, T chunks of K variables.
 */
import { fixedLength, refuseUnknownOptions, UnsupportedError, wholeNumber } from '@chainrule/core'
import { type Binding, type BoundNetwork, constantInitial, embedding, extendByStep, linear, type Network, normalInitial, positionBeforeRank, positionOfRank, type Previous, restore, scan, type Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { conditioned, conditionInitial } from './condition-input.js'

export interface NadeOptions {
  /** H (500). */
  hidden?: number
}

const owner = 'nade'
/** K: products of a chunk are large enough to be fast, and what they do in vain, half of them, is little. */
const longestChunk = 16

/**
 * A network for domains of fixed length, in any order without groups. It emits the head's parameters itself.
 * @throws {InvalidOptionError} for options unknown or out of range
 */
export function nade(options: NadeOptions = {}): Network {
  refuseUnknownOptions(owner, options, ['hidden'])
  const hidden = wholeNumber(owner, 'hidden', options.hidden ?? 500)
  return { name: owner, options: { hidden }, bind: (binding) => bind(binding, hidden) }
}

function bind({ domain, order, parametersPerVariable: P, condition }: Binding, H: number): BoundNetwork {
  if (order.groups) throw new UnsupportedError(`${owner}: an order with groups is not supported. Use groups of one, or a multilayer perceptron.`)
  const d = fixedLength(domain, owner)
  const { components: C, values: V } = domain
  const isNumber = V === 2 || V === 'real'
  const E = isNumber ? C : C * V
  const K = Math.min(d, longestChunk)
  const T = Math.ceil(d / K)

  /** int32 [..., C] → [..., E]: the value itself of two and of real ones, one of V otherwise. */
  const encode = (values: tf.Tensor) => tf.reshape(isNumber ? tf.cast(values, 'float32') : tf.oneHot(values as tf.Tensor1D, V, 1, 0, 'float32'), [...values.shape.slice(0, -1), E])
  /** Rows of something for each variable, by position [d, …] → by rank, in chunks [T, K, …]; zeros fill the last one. */
  const chunked = (x: tf.Tensor, shape: number[]) => {
    const byPosition = tf.reshape(x, [d, -1])
    const ranked = order.isLeftToRight ? byPosition : tf.gather(byPosition, tf.tensor1d(order.permutation, 'int32'))
    return tf.reshape(tf.pad(ranked as tf.Tensor2D, [[0, T * K - d], [0, 0]]), [T, K, ...shape])
  }
  /** 1 where the variable of a chunk's row reads the input unit of the column: [K, 1, K·E]. */
  const isEarlier = () => tf.tensor3d(Float32Array.from({ length: K * K * E }, (_, at) => (Math.floor((at % (K * E)) / E) < Math.floor(at / (K * E)) ? 1 : 0)), [K, 1, K * E])

  const step = (parameters: Tensors, state: Tensors, { values, isStart, condition }: Previous): { features: tf.Tensor; state: Tensors } => {
    const [p, q] = [positionOfRank(state.index, order), positionBeforeRank(state.index, order)]
    const isKnown = tf.expandDims(tf.sub(1, tf.cast(isStart, 'float32')), 1)
    const weight = tf.reshape(embedding(tf.reshape(parameters['hidden/weight'], [d, E * H]), q), [E, H])
    const sums = tf.add(state.sums, tf.mul(linear(encode(values), weight), isKnown))
    const output = tf.reshape(embedding(tf.reshape(parameters['output/weight'], [d, P * H]), p), [P, H])
    const units = tf.sigmoid(conditioned(tf.add(sums, parameters['hidden/bias']), parameters, 'hidden', condition))
    const features = tf.add(linear(units, output, true), embedding(tf.reshape(parameters['output/bias'], [d, P]), p))
    return { features, state: { index: tf.add(state.index, tf.scalar(1, 'int32')), sums } }
  }

  return {
    width: P,
    emitsParameters: true,
    longest: d,
    conditions: ['label'],
    state: [
      { name: 'index', type: 'int32', shape: [1] },
      { name: 'sums', type: 'float32', shape: ['batch', H] },
    ],
    initialize: (seed) => ({
      'hidden/weight': normalInitial(seed, 'network/hidden/weight', [d * E, H], 1 / Math.sqrt(d * C)),
      'hidden/bias': constantInitial([H], 0),
      ...conditionInitial(seed, condition, { hidden: H }),
      'output/weight': normalInitial(seed, 'network/output/weight', [d * P, H], 0.1 / Math.sqrt(H)),
      'output/bias': constantInitial([d * P], 0),
    }),
    forward(parameters, x, before, _, condition) {
      if (before) throw new UnsupportedError(`${owner}: x has a fixed length and begins with its first variable; nothing can come before it.`)
      const B = x.shape[0]
      const { outputs } = scan(
        ({ state, inputs: { values, hidden, output }, constants }) => {
          const earlier = tf.reshape(tf.mul(tf.expandDims(values, 0), isEarlier()), [K * B, K * E])
          const within = tf.reshape(linear(earlier, hidden), [K, B, H])
          const units = tf.sigmoid(tf.add(within, tf.add(state.sums, constants.bias)))
          return { state: { sums: tf.add(state.sums, linear(values, hidden)) }, outputs: { products: tf.matMul(units, output, false, true) } }
        },
        {
          state: { sums: tf.zeros([B, H]) },
          inputs: {
            values: tf.reshape(tf.transpose(chunked(tf.transpose(encode(x), [1, 0, 2]), [B, E]), [0, 2, 1, 3]), [T, B, K * E]),
            hidden: tf.reshape(chunked(parameters['hidden/weight'], [E, H]), [T, K * E, H]),
            output: chunked(parameters['output/weight'], [P, H]),
          },
          constants: { bias: conditioned(parameters['hidden/bias'], parameters, 'hidden', condition && tf.squeeze(condition, [1])) },
        },
      )
      const products = tf.slice(tf.reshape(outputs.products, [T * K, B, P]), [0, 0, 0], [d, B, P])
      return tf.add(restore(tf.transpose(products, [1, 0, 2]), order), tf.reshape(parameters['output/bias'], [d, P]))
    },
    step,
    extend: (parameters, state, before) => extendByStep(step, parameters, state, before),
    dependencies: (position) => [...order.permutation.subarray(0, order.inverse[position])].sort((a, b) => a - b),
  }
}
