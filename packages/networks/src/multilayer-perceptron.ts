/**
 * The multilayer perceptron that never sees the future: one set of masked weights gives all conditionals in one pass.
 *
 *   input q → unit k: g(q) ≤ m_k     unit k → unit k′: m_k ≤ m_k′     unit k → output p: m_k < g(p)     direct q → p: g(q) < g(p)
 *
 * g is the group of a position (its rank in a plain chain), m_k the degree of a hidden unit: the last group it reads.
 * With hidden layers this is MADE: Germain et al. 2015 (arXiv 1502.03509), eqs. 8 and 9. Without, it is the fully visible sigmoid
 * belief network: Frey 1998. A step carries the first layer's sums, as NADE does: Larochelle, Murray 2011.
 *
 * A label c adds U c to the first layer's sums, whatever the degrees, and V c to the outputs, since those of the first group read no unit.
 *
 * Axes: B batch, d variables, C components, V values, E = C (for V = 2 and real values) or C·V input units of a variable, H units of a layer,
 * P parameters of a variable's distribution.
 */
import { groupOfPosition, InvalidOptionError, refuseUnknownOptions, UnsupportedError, wholeNumber } from '@chainrule/core'
import { type Before, type Binding, type BoundNetwork, constantInitial, embedding, extendByStep, linear, type Network, normalInitial, positionBeforeRank, positionOfRank, type Previous, type Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { conditioned, conditionInitial, fromCondition } from './condition-input.js'

export interface MultilayerPerceptronOptions {
  /** Units of each hidden layer (500); none: direct connections only. */
  hidden?: readonly number[]
  /** Connections from each variable straight to the later ones. Without hidden layers there is nothing else, so true; otherwise false. */
  direct?: boolean
}

const owner = 'multilayerPerceptron'

/**
 * A network for domains of fixed length, in any order and with groups. It emits the head's parameters itself.
 * @throws {InvalidOptionError} for options out of range, or no connections at all
 */
export function multilayerPerceptron(options: MultilayerPerceptronOptions = {}): Network {
  refuseUnknownOptions(owner, options, ['hidden', 'direct'])
  const { hidden = [500] } = options
  if (!Array.isArray(hidden)) throw new InvalidOptionError(`${owner}: hidden must be a list of whole numbers, one for each layer, got ${String(hidden)}.`)
  const layers = hidden.map((units: unknown, layer) => wholeNumber(owner, `hidden[${layer}]`, units))
  const { direct = layers.length === 0 } = options
  if (typeof direct !== 'boolean') throw new InvalidOptionError(`${owner}: direct must be true or false, got ${String(direct)}.`)
  if (!direct && layers.length === 0) throw new InvalidOptionError(`${owner}: with no hidden layer and direct: false nothing is connected. Add hidden layers or leave direct out.`)
  return { name: owner, options: { hidden: layers, direct }, bind: (binding) => bind(binding, layers, direct) }
}

/**
 * The degrees of a layer's units: 0 … G−2 again and again. A layer of fewer units has them spread evenly; then some
 * variables are out of reach of some later ones, which `dependencies` says.
 */
function degreesOf(units: number, groups: number): Int32Array {
  const degrees = Math.max(1, groups - 1)
  return Int32Array.from({ length: units }, (_, k) => (units >= degrees ? k % degrees : Math.floor(((k + 0.5) * degrees) / units)))
}

/** 1 where a ≤ b, or a < b, of the pairs of two lists: [a.length, b.length]. Computed in the program: a file need not hold d × H numbers. */
function isAtMost(a: Int32Array, b: Int32Array): tf.Tensor {
  return tf.cast(tf.lessEqual(tf.tensor2d(a, [a.length, 1], 'int32'), tf.tensor2d(b, [1, b.length], 'int32')), 'float32')
}
function isBelow(a: Int32Array, b: Int32Array): tf.Tensor {
  return tf.cast(tf.less(tf.tensor2d(a, [a.length, 1], 'int32'), tf.tensor2d(b, [1, b.length], 'int32')), 'float32')
}

function bind({ domain, order, parametersPerVariable: P, condition }: Binding, layers: readonly number[], direct: boolean): BoundNetwork {
  if (domain.length === 'variable') throw new UnsupportedError(`${owner}: has weights for each variable, so the domain must have a fixed length. Use a sequence network, such as transformer().`)
  const { length: d, components: C, values: V } = domain
  const isNumber = V === 2 || V === 'real'
  const E = isNumber ? C : C * V
  const group = groupOfPosition(order)
  const groups = Math.max(...group) + 1
  const degrees = layers.map((units) => degreesOf(units, groups))
  const isDeep = layers.length > 0
  const lastUnits = layers[layers.length - 1]

  /** x [B, d, C] → [B, d·E]: the value itself of two and of real ones, one of V otherwise. */
  const encode = (x: tf.Tensor) => tf.reshape(isNumber ? tf.cast(x, 'float32') : tf.oneHot(x as tf.Tensor1D, V, 1, 0, 'float32'), [x.shape[0], d * E])

  /** What the variable at position q (int32 [1]) with values [B, C] adds through a weight [d·E, R] → [B, R]. */
  const columnOf = (weight: tf.Tensor, q: tf.Tensor, values: tf.Tensor): tf.Tensor => {
    const R = weight.shape[1]!
    if (isNumber) return linear(tf.cast(values, 'float32'), tf.reshape(embedding(tf.reshape(weight, [d, C * R]), q), [C, R]))
    const first = tf.add(tf.mul(q, tf.scalar(E, 'int32')), tf.tensor1d(Int32Array.from({ length: C }, (_, c) => c * V), 'int32'))
    return tf.sum(embedding(weight, tf.add(values, first)), 1)
  }

  /** The layers above the first; h [B, H] of the first → [B, H] of the last. */
  const climb = (parameters: Tensors, h: tf.Tensor): tf.Tensor => {
    for (let layer = 1; layer < layers.length; layer++) {
      const weight = tf.mul(parameters[`hidden${layer}/weight`], isAtMost(degrees[layer - 1], degrees[layer]))
      h = tf.relu(tf.add(linear(h, weight), parameters[`hidden${layer}/bias`]))
    }
    return h
  }

  const forward = (parameters: Tensors, x: tf.Tensor, before?: Before, _masks?: Tensors, condition?: tf.Tensor): tf.Tensor => {
    if (before) throw new UnsupportedError(`${owner}: x has a fixed length and begins with its first variable; nothing can come before it.`)
    const input = encode(x)
    const label = condition && tf.squeeze(condition, [1])
    let logits = conditioned(parameters['output/bias'], parameters, 'output', label)
    if (isDeep) {
      const units = layers[0]
      const first = tf.mul(tf.reshape(parameters['hidden0/weight'], [d, E, units]), tf.expandDims(isAtMost(group, degrees[0]), 1))
      const sums = tf.add(linear(input, tf.reshape(first, [d * E, units])), parameters['hidden0/bias'])
      const h = climb(parameters, tf.relu(conditioned(sums, parameters, 'hidden0', label)))
      const open = tf.transpose(isBelow(degrees[layers.length - 1], group))
      const output = tf.mul(tf.reshape(parameters['output/weight'], [d, P, lastUnits]), tf.expandDims(open, 1))
      logits = tf.add(linear(h, tf.reshape(output, [d * P, lastUnits]), true), logits)
    }
    if (direct) {
      const weight = tf.mul(tf.reshape(parameters['direct/weight'], [d, E, d, P]), tf.reshape(isBelow(group, group), [d, 1, d, 1]))
      logits = tf.add(linear(input, tf.reshape(weight, [d * E, d * P])), logits)
    }
    return tf.reshape(logits, [x.shape[0], d, P])
  }

  const step = (parameters: Tensors, state: Tensors, { values, isStart, condition }: Previous): { features: tf.Tensor; state: Tensors } => {
    const [p, q] = [positionOfRank(state.index, order), positionBeforeRank(state.index, order)]
    const groupAt = (position: tf.Tensor) => tf.gather(tf.tensor1d(group, 'int32'), position as tf.Tensor1D)
    const isKnown = tf.expandDims(tf.sub(1, tf.cast(isStart, 'float32')), 1)
    const next: Tensors = { index: tf.add(state.index, tf.scalar(1, 'int32')) }
    let features = embedding(tf.reshape(parameters['output/bias'], [d, P]), p)
    if (condition) {
      const ofAll = tf.reshape(fromCondition(parameters, 'output', condition), [-1, d, P])
      features = tf.add(tf.squeeze(tf.gather(ofAll, p as tf.Tensor1D, 1), [1]), features)
    }
    if (isDeep) {
      // Units that q's group must not reach are left alone, and those that p must not read are shut: rows of the masks, not the masks.
      const reached = tf.cast(tf.lessEqual(groupAt(q), tf.tensor1d(degrees[0], 'int32')), 'float32')
      const column = tf.mul(columnOf(parameters['hidden0/weight'], q, values), reached)
      next.hidden = tf.add(state.hidden, tf.mul(column, isKnown))
      const h = climb(parameters, tf.relu(conditioned(tf.add(next.hidden, parameters['hidden0/bias']), parameters, 'hidden0', condition)))
      const open = tf.cast(tf.less(tf.tensor1d(degrees[layers.length - 1], 'int32'), groupAt(p)), 'float32')
      const output = embedding(tf.reshape(parameters['output/weight'], [d, P * lastUnits]), p)
      features = tf.add(linear(tf.mul(h, open), tf.reshape(output, [P, lastUnits]), true), features)
    }
    if (direct) {
      const batch = values.shape[0]
      const reads = tf.reshape(tf.cast(tf.less(groupAt(q), tf.tensor1d(group, 'int32')), 'float32'), [1, d, 1])
      const column = tf.mul(tf.reshape(columnOf(parameters['direct/weight'], q, values), [batch, d, P]), reads)
      next.logits = tf.add(state.logits, tf.mul(tf.reshape(column, [batch, d * P]), isKnown))
      features = tf.add(tf.reshape(tf.gather(tf.reshape(next.logits, [batch, d, P]), p as tf.Tensor1D, 1), [batch, P]), features)
    }
    return { features, state: next }
  }

  // The lowest degree through which a variable gets to the last layer: whoever is above it reads the variable.
  const reach = Array.from(group, (from) => degrees.reduce((lowest, layer) => layer.reduce((best, m) => (m >= lowest && m < best ? m : best), Infinity), from))
  const reads = (p: number, q: number) => group[q] < group[p] && (direct || reach[q] < group[p])

  return {
    width: P,
    emitsParameters: true,
    longest: d,
    conditions: ['label'],
    state: [
      { name: 'index', type: 'int32', shape: [1] },
      ...(isDeep ? [{ name: 'hidden', type: 'float32', shape: ['batch', layers[0]] } as const] : []),
      ...(direct ? [{ name: 'logits', type: 'float32', shape: ['batch', d * P] } as const] : []),
    ],
    initialize(seed) {
      // One input unit of each component is on, so that d·C inputs count, whatever V. Outputs begin small: an untrained model is nearly uniform.
      const normal = (name: string, shape: number[], deviation: number) => ({ [name]: normalInitial(seed, `network/${name}`, shape, deviation) })
      const zeros = (name: string, size: number) => ({ [name]: constantInitial([size], 0) })
      const hidden = layers.map((units, layer) => {
        const [rows, inputs] = layer === 0 ? [d * E, d * C] : [layers[layer - 1], layers[layer - 1]]
        return { ...normal(`hidden${layer}/weight`, [rows, units], Math.sqrt(2 / inputs)), ...zeros(`hidden${layer}/bias`, units) }
      })
      return Object.assign(
        {},
        ...hidden,
        isDeep && normal('output/weight', [d * P, lastUnits], 0.1 / Math.sqrt(lastUnits)),
        direct && normal('direct/weight', [d * E, d * P], 0.1 / Math.sqrt(d * C)),
        zeros('output/bias', d * P),
        conditionInitial(seed, condition, isDeep ? { hidden0: layers[0] } : {}),
        conditionInitial(seed, condition, { output: d * P }, 0.1),
      )
    },
    forward,
    step,
    extend: (parameters, state, before) => extendByStep(step, parameters, state, before),
    dependencies: (p) => Array.from(group.keys()).filter((q) => reads(p, q)),
  }
}
