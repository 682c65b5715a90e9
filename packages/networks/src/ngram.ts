/**
 * The n-gram model: the next variable given the n − 1 before it, by counting (ngram-counts.ts, ngram-tables.ts).
 *
 * Its tables are a finite automaton over contexts: reading what came before from the empty context on, one look-up a variable, ends in the
 * row of the longest context kept, which holds log p of every value. So a variable costs n − 1 look-ups of one number and one of V
 * numbers, however many contexts there are. A start leads to a row of its own, from anywhere: no context crosses it.
 *
 * Axes: B batch, S sequence, V values, R rows. A symbol is 0 (nothing known), 1 (start) or 2 + a value.
 */
import { InvalidOptionError, type ParameterArrays, refuseUnknownOptions, UnsupportedError, valueCount, wholeNumber } from '@chainrule/core'
import { type Binding, type BoundNetwork, constantInitial, embedding, type Network, nextPosition, type Previous, previous, restore, type Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { countNgrams } from './ngram-counts.js'
import { mostNumbers, ngramTables } from './ngram-tables.js'

export interface NgramOptions {
  /** n (6): how many variables are counted together, the predicted one among them; from 2 to 32. */
  order?: number
  /** A context that was followed fewer times (2) has no row: the shorter one speaks for it. */
  minimumCount?: number
}

const owner = 'ngram'
/** Fresh tables have every context of as many variables as this allows. */
const mostFreshRows = 4096

/** A network that is counted, not trained: `fit` asks for no steps. Its head is `categorical()`. */
export function ngram(options: NgramOptions = {}): Network {
  refuseUnknownOptions(owner, options, ['order', 'minimumCount'])
  const order = wholeNumber(owner, 'order', options.order ?? 6, 2, 32)
  const minimumCount = wholeNumber(owner, 'minimumCount', options.minimumCount ?? 2)
  return { name: owner, options: { order, minimumCount }, bind: (binding) => bind(binding, order, minimumCount) }
}

function bind({ domain, order, parametersPerVariable }: Binding, n: number, minimumCount: number): BoundNetwork {
  const { components, length } = domain
  const V = valueCount(domain, owner)
  if (components !== 1) throw new UnsupportedError(`${owner}: variables must have one component, these have ${components}.`)
  if (order.groups) throw new UnsupportedError(`${owner}: an order with groups is not supported. Use groups of one, or a multilayer perceptron.`)
  if (parametersPerVariable !== V) throw new UnsupportedError(`${owner}: its rows hold ${V} log-probabilities, the head wants ${parametersPerVariable} numbers. Use categorical().`)
  if (V > mostNumbers / 2) throw new InvalidOptionError(`${owner}: ${V} values are too many for tables with a number for each, at most ${mostNumbers / 2} are allowed.`)

  const whole = (value: number) => tf.scalar(value, 'int32')
  const symbolsOf = ({ values, isStart }: Previous) => tf.where(isStart, whole(1), tf.add(tf.squeeze(values, [-1]), whole(2)))

  /** symbols [B, n − 1 + S] int32 → log-probabilities [B, S, V], each given the n − 1 symbols up to its own. */
  const read = ({ next, logits }: Tensors, symbols: tf.Tensor): tf.Tensor => {
    const [batch, S] = [symbols.shape[0], symbols.shape[1]! - (n - 1)]
    const lastRow = whole(logits.shape[0] - 1)
    let row: tf.Tensor = whole(0)
    for (let j = 1; j < n; j++) {
      const symbol = tf.slice(symbols, [0, j], [batch, S])
      const value = tf.maximum(tf.sub(symbol, whole(2)), whole(0))
      const after = tf.cast(tf.round(tf.gather(next, tf.add(tf.mul(row, whole(V)), value) as tf.Tensor1D)), 'int32')
      // Symbols 0 and 1 name their rows. Others stay within the table, whatever the parameters are.
      row = tf.where(tf.less(symbol, whole(2)), symbol, tf.minimum(tf.maximum(after, whole(0)), lastRow))
    }
    return embedding(logits, row)
  }

  const extend = (parameters: Tensors, state: Tensors, before: Previous) => {
    const symbols = tf.concat([state.recent, symbolsOf(before)], 1)
    const [batch, count] = symbols.shape as [number, number]
    return {
      features: read(parameters, symbols),
      state: { index: nextPosition(before.values, state.index), recent: tf.slice(symbols, [0, count - (n - 1)], [batch, n - 1]) },
    }
  }

  return {
    width: V,
    emitsParameters: true,
    ...(length !== 'variable' && { longest: length }),
    packs: true,
    isFixed: () => true,
    state: [
      { name: 'index', type: 'int32', shape: [1] },
      { name: 'recent', type: 'int32', shape: ['batch', n - 1] },
    ],
    initialize: () => freshTables(V, n),
    count: (sequences) => ngramTables(countNgrams(inOrder(sequences, order.isLeftToRight ? undefined : order.permutation), n, V), n, V, minimumCount),
    forward(parameters, x, before) {
      const symbols = symbolsOf(previous(x, order, before)) as tf.Tensor2D
      return restore(read(parameters, tf.pad(symbols, [[0, 0], [n - 1, 0]])), order)
    },
    step(parameters, state, { values, isStart }) {
      const result = extend(parameters, state, { values: tf.expandDims(values, 1), isStart: tf.expandDims(isStart, 1) })
      return { features: tf.squeeze(result.features, [1]), state: result.state }
    },
    extend,
    dependencies(position) {
      const rank = order.isLeftToRight ? position : order.inverse[position]
      const earliest = Math.max(0, rank - (n - 1))
      return Array.from({ length: rank - earliest }, (_, i) => (order.isLeftToRight ? earliest + i : order.permutation[earliest + i]))
    },
  }
}

/** Sequences by position, in the order of generation. */
function* inOrder(sequences: Iterable<ArrayLike<number>>, permutation?: Int32Array): Iterable<ArrayLike<number>> {
  for (const sequence of sequences) yield permutation ? permutation.map((position) => sequence[position]) : sequence
}

/** The uniform distribution, with a row for every context of up to n − 1 values, or of as many as `mostFreshRows` hold. */
function freshTables(V: number, n: number): ParameterArrays {
  // begins[L]: the first row of the contexts of L values; those of length 0 are the empty one and the start.
  const begins = [0, 2]
  for (let L = 1; L < n && begins[L] + V ** L <= mostFreshRows; L++) begins.push(begins[L] + V ** L)
  const [longest, R] = [begins.length - 2, begins.at(-1)!]
  const next = new Float32Array(R * V)
  for (let row = 0, L = 0; row < R; row++) {
    if (row === begins[L + 1]) L++
    // The context as a number of L digits; what follows is a digit more, without the first where there would be too many.
    const digits = L === 0 ? 0 : row - begins[L]
    const length = Math.min(L + 1, longest)
    for (let v = 0; v < V; v++) next[row * V + v] = length === 0 ? 0 : begins[length] + ((digits * V + v) % V ** length)
  }
  return { next: { shape: [R * V], data: next }, logits: constantInitial([R, V], 0) }
}
