/**
 * The diagonal bidirectional LSTM: two LSTMs sweep the grid in diagonals, one from the left and one from the right, and together see
 * everything earlier with one layer, but for the last place of the line above: at no place of that line does h₀ read it, so only
 * the first kernel of the own line does, where it reaches that far.
 *
 *   [i f g o] = Z h(y, x) + U [s(y−1, x), s(y, x∓1)] + b     c(y, x) = σ(f) c(y, x∓1) + σ(i) tanh(g)     s(y, x) = σ(o) tanh(c(y, x))
 *   added(y, x) = O→ s→(y, x) + O← s←(y−1, x)                ← one line late: from the right, its own line holds what comes later
 *
 * van den Oord, Kalchbrenner, Kavukcuoglu 2016 (arXiv 1601.06759), 3.2. In skewed coordinates, diagonal t = y + x (or y + M−1−x), each state
 * reads the diagonal before only. Where no place is, everything is zero and an LSTM without bias stays exactly zero.
 * In a step the way from the left costs one position; the way back over a line is done at the first place of the next one.
 *
 * Axes: B batch, N = Y·M variables, Y lines, M places of a line, T = Y + M − 1 diagonals, W width, H = W of the state.
 */
import type { Grid } from '@chainrule/core'
import { conditional, constantInitial, linear, neighborhood, neighborLinear, type Network, normalInitial, scan, scoped, type Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { gridNeighbors, readThrough } from './grid-neighbors.js'
import { closure, columnsOf, type LineLayer, lineRecurrent, type LineRecurrentOptions, rowsOf } from './line-recurrent.js'
import { byRank } from './lines.js'
import { recall, recentRows, remember, withZeros } from './recent-rows.js'
import { cells } from './recurrent-cells.js'

const owner = 'diagonalLstm'

/**
 * A network for variables on a grid, in orders that go line by line.
 * @throws {InvalidOptionError} for options unknown or out of range
 */
export const diagonalLstm = (options: LineRecurrentOptions): Network => lineRecurrent(owner, options, {}, diagonalLayer)

const ways = ['fromLeft', 'fromRight'] as const
type Way = (typeof ways)[number]

function diagonalLayer(lines: Grid, H: number): LineLayer {
  const { height: Y, width: M } = lines
  const T = Y + M - 1
  const diagonals: Grid = { height: T, width: Y }
  const place = (way: Way, t: number, y: number) => (way === 'fromLeft' ? t - y : M - 1 - (t - y))
  const diagonal = (way: Way, y: number, x: number) => y + (way === 'fromLeft' ? x : M - 1 - x)
  /** For each entry [T, Y] of the diagonals the rank that stands there. */
  const skewed = (way: Way) =>
    neighborhood(Int32Array.from({ length: T * Y }, (_, at) => {
      const [t, y] = [Math.floor(at / Y), at % Y]
      const x = place(way, t, y)
      return x >= 0 && x < M ? y * M + x : -1
    }), 1, Y * M)
  /** For each rank the entry of the diagonals that it reads: its own, or the one of the line above. */
  const straight = (way: Way) =>
    neighborhood(Int32Array.from({ length: Y * M }, (_, rank) => {
      const y = Math.floor(rank / M) - (way === 'fromLeft' ? 0 : 1)
      return y < 0 ? -1 : diagonal(way, y, rank % M) * Y + y
    }), 1, T * Y)
  const tables = Object.fromEntries(ways.map((way) => [way, { skewed: skewed(way), straight: straight(way) }]))
  const beside = gridNeighbors(lines, [[-1, 0], [0, -1]])
  const [recentStates, recentCell] = [recentRows(beside, byRank(Y * M), 0), recentRows(gridNeighbors(lines, [[0, -1]]), byRank(Y * M), 0)]

  const sweep = (parameters: Tensors, way: Way, h: tf.Tensor): tf.Tensor => {
    const B = h.shape[0]
    const { skewed, straight } = tables[way]
    const isThere = tf.tensor2d(Float32Array.from(skewed.reads, (rank) => (rank < 0 ? 0 : 1)), [T * Y, 1])
    const fromInput = tf.add(neighborLinear(h, tf.expandDims(parameters['input/weight'], 0), tf.zeros([4 * H]), skewed), tf.mul(isThere, parameters.bias))
    const { outputs } = scan(
      ({ state, inputs, multiply }) => {
        const above = Y === 1 ? tf.zeros([H, B]) : tf.concat([tf.zeros([H, B]), tf.slice(state.hidden, [0, 0], [H, (Y - 1) * B])], 1)
        const fromHidden = multiply('recurrent', tf.concat([above, state.hidden], 0))
        const next = cells.lstm.advance({ fromInput: inputs.columns, fromHidden, state, constants: {}, axis: 0 })
        return { state: next, outputs: { hidden: next.hidden } }
      },
      { state: { hidden: tf.zeros([H, Y * B]), cell: tf.zeros([H, Y * B]) }, inputs: { columns: columnsOf(fromInput, diagonals) }, weights: { recurrent: parameters['recurrent/weight'] } },
    )
    return neighborLinear(rowsOf(outputs.hidden, diagonals), tf.expandDims(parameters['output/weight'], 0), tf.zeros([H]), straight)
  }

  /** The way back over one line: h and the states of the line above it, both [B, M, H], → its states [B, M, H]. */
  const goBack = (parameters: Tensors, h: tf.Tensor, above: tf.Tensor): tf.Tensor => {
    const B = h.shape[0]
    const backward = (x: tf.Tensor) => tf.reverse(tf.transpose(x, [1, 2, 0]), 0)
    const fromInput = backward(tf.add(linear(h, parameters['input/weight']), parameters.bias))
    const { outputs } = scan(
      ({ state, inputs, multiply }) => {
        const fromHidden = multiply('recurrent', tf.concat([inputs.above, state.hidden], 0))
        const next = cells.lstm.advance({ fromInput: inputs.fromInput, fromHidden, state, constants: {}, axis: 0 })
        return { state: next, outputs: { hidden: next.hidden } }
      },
      { state: { hidden: tf.zeros([H, B]), cell: tf.zeros([H, B]) }, inputs: { fromInput, above: backward(above) }, weights: { recurrent: parameters['recurrent/weight'] } },
    )
    return tf.transpose(tf.reverse(outputs.hidden, 0), [2, 0, 1])
  }

  return {
    state: [
      { name: 'inputs', type: 'float32', shape: ['batch', M, H] },
      { name: 'line', type: 'float32', shape: ['batch', M, H] },
      { name: 'hidden', type: 'float32', shape: ['batch', recentStates.count, H] },
      { name: 'cell', type: 'float32', shape: ['batch', recentCell.count, H] },
    ],
    initialize(seed, prefix) {
      const normal = (name: string, shape: number[], fanIn: number) => ({ [prefix + name]: normalInitial(seed, `network/${prefix}${name}`, shape, 1 / Math.sqrt(fanIn)) })
      const of = (way: Way) => ({
        ...normal(`${way}/input/weight`, [H, 4 * H], H),
        ...normal(`${way}/recurrent/weight`, [4 * H, 2 * H], 2 * H),
        [`${prefix}${way}/bias`]: { shape: [4 * H], data: Float32Array.from({ length: 4 * H }, (_, unit) => cells.lstm.biases[Math.floor(unit / H)]) },
        ...normal(`${way}/output/weight`, [H, H], 2 * H),
      })
      return { ...of('fromLeft'), ...of('fromRight'), [`${prefix}output/bias`]: constantInitial([H], 0) }
    },
    forward: (parameters, h) => tf.addN([...ways.map((way) => sweep(scoped(parameters, `${way}/`), way, h)), tf.mul(parameters['output/bias'], tf.ones([h.shape[0], Y * M, 1]))]),
    step(parameters, state, h, index) {
      const [left, right] = ways.map((way) => scoped(parameters, `${way}/`))
      const fromInput = tf.add(linear(h, left['input/weight']), left.bias)
      const fromHidden = linear(recall(withZeros(state.hidden), recentStates, index), left['recurrent/weight'], true)
      const next = cells.lstm.advance({ fromInput, fromHidden, state: { hidden: state.hidden, cell: recall(withZeros(state.cell), recentCell, index) }, constants: {}, axis: 1 })
      const at = tf.mod(index, tf.scalar(M, 'int32'))
      const isNextLine = tf.logicalAnd(tf.equal(at, tf.scalar(0, 'int32')), tf.greater(index, tf.scalar(0, 'int32')))
      const line = conditional(isNextLine, () => goBack(right, state.inputs, state.line), () => state.line)
      const fromRight = tf.squeeze(tf.gather(line, at as tf.Tensor1D, 1), [1])
      return {
        added: tf.add(tf.add(linear(next.hidden, left['output/weight']), linear(fromRight, right['output/weight'])), parameters['output/bias']),
        state: {
          inputs: remember(state.inputs, h).next,
          line,
          hidden: remember(state.hidden, next.hidden).next,
          cell: remember(state.cell, next.cell).next,
        },
      }
    },
    reads(ranks) {
      const fromLeft = closure(ranks, (fresh) => readThrough(fresh, beside))
      const above = [...ranks].filter((rank) => rank >= M).map((rank) => rank - M)
      const back = (fresh: Iterable<number>) => [...fresh].flatMap((rank) => [...(rank >= M ? [rank - M] : []), ...(rank % M < M - 1 ? [rank + 1] : [])])
      return new Set([...fromLeft, ...closure(new Set(above), back)])
    },
  }
}
