/**
 * The row LSTM: an LSTM goes down the lines, all places of a line at once. It reads the line above it through a kernel, so that what a
 * place sees of earlier lines is a triangle.
 *
 *   [i f g o] = Z ∗ h(y, ·) + U ∗ s(y−1, ·) + b     c(y) = σ(f) c(y−1) + σ(i) tanh(g)     s(y) = σ(o) tanh(c(y))     added: O s
 *
 * Z's kernel has the places up to the current one, U's those on both sides. van den Oord, Kalchbrenner, Kavukcuoglu 2016
 * (arXiv 1601.06759), 3.1. Within a layer maps are columns, [Y, H, M·B], and taps are moves along them.
 *
 * Axes: B batch, N = Y·M variables, Y lines, M places of a line, W width, H = W of the state, T taps.
 */
import { type Grid, InvalidOptionError, wholeNumber } from '@chainrule/core'
import { constantInitial, linear, multiplyEach, type Network, normalInitial, scan } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { gridNeighbors, type Offset, readThrough } from './grid-neighbors.js'
import { closure, columnsOf, type LineLayer, lineRecurrent, type LineRecurrentOptions, rowsOf } from './line-recurrent.js'
import { byRank } from './lines.js'
import { recall, recentRows, remember, withZeros } from './recent-rows.js'
import { cells } from './recurrent-cells.js'

export interface RowLstmOptions extends LineRecurrentOptions {
  /** How many places wide the kernels on the line and on the one above are (3); odd. */
  kernel?: number
}

const owner = 'rowLstm'

/**
 * A network for variables on a grid, in orders that go line by line.
 * @throws {InvalidOptionError} for options unknown or out of range
 */
export function rowLstm(options: RowLstmOptions): Network {
  const kernel = wholeNumber(owner, 'kernel', options.kernel ?? 3)
  if (kernel % 2 === 0) throw new InvalidOptionError(`${owner}: kernel must be odd, so that a kernel has a centre, got ${kernel}.`)
  return lineRecurrent(owner, options, { kernel }, (lines, width) => rowLayer(lines, width, kernel))
}

function rowLayer(lines: Grid, H: number, kernel: number): LineLayer {
  const { height: Y, width: M } = lines
  const reach = (kernel - 1) / 2
  // As many as there are places, even if there is no line above: a scan multiplies all the same.
  const sides = Array.from({ length: kernel }, (_, k) => k - reach).filter((right) => Math.abs(right) < M)
  const before = sides.filter((right) => right <= 0)
  const inputNeighbors = gridNeighbors(lines, before.map((right): Offset => [0, right]))
  const aboveNeighbors = gridNeighbors(lines, sides.map((right): Offset => [-1, right]))
  const [recentInputs, recentStates] = [recentRows(inputNeighbors, byRank(Y * M), 0), recentRows(aboveNeighbors, byRank(Y * M), 0)]
  const recentCell = recentRows(gridNeighbors(lines, [[-1, 0]]), byRank(Y * M), 0, recentStates.count)

  /** Columns [.., H, M·B] as each tap reads them, [.., T·H, M·B]: moved by whole places, zeros beyond the edge. */
  const throughTaps = (columns: tf.Tensor, taps: readonly number[]): tf.Tensor => {
    const [leading, size] = [columns.shape.slice(0, -1), columns.shape[columns.rank - 1]!]
    const moved = taps.map((right) => {
      if (right === 0) return columns
      const gap = (Math.abs(right) * size) / M
      const kept = tf.slice(columns, [...leading.map(() => 0), right > 0 ? gap : 0], [...leading, size - gap])
      const edge = tf.zeros([...leading, gap])
      return tf.concat(right < 0 ? [edge, kept] : [kept, edge], columns.rank - 1)
    })
    return moved.length === 1 ? moved[0] : tf.concat(moved, columns.rank - 2)
  }

  return {
    state: [
      { name: 'inputs', type: 'float32', shape: ['batch', recentInputs.count, H] },
      { name: 'hidden', type: 'float32', shape: ['batch', recentStates.count, H] },
      { name: 'cell', type: 'float32', shape: ['batch', recentStates.count, H] },
    ],
    initialize(seed, prefix) {
      const normal = (name: string, shape: number[], fanIn: number) => ({ [prefix + name]: normalInitial(seed, `network/${prefix}${name}`, shape, 1 / Math.sqrt(fanIn)) })
      return {
        ...normal('input/weight', [4 * H, before.length * H], before.length * H),
        ...normal('recurrent/weight', [4 * H, sides.length * H], sides.length * H),
        [`${prefix}bias`]: { shape: [4 * H], data: Float32Array.from({ length: 4 * H }, (_, unit) => cells.lstm.biases[Math.floor(unit / H)]) },
        ...normal('output/weight', [H, H], H),
        [`${prefix}output/bias`]: constantInitial([H], 0),
      }
    },
    forward(parameters, h) {
      const biased = (columns: tf.Tensor, name: string) => tf.add(columns, tf.expandDims(parameters[name], 1))
      const columns = biased(multiplyEach(parameters['input/weight'], throughTaps(columnsOf(h, lines), before)), 'bias')
      const zeros = tf.zeros([H, M * h.shape[0]])
      const { outputs } = scan(
        ({ state, inputs, multiply }) => {
          const next = cells.lstm.advance({ fromInput: inputs.columns, fromHidden: multiply('recurrent', throughTaps(state.hidden, sides)), state, constants: {}, axis: 0 })
          return { state: next, outputs: { hidden: next.hidden } }
        },
        { state: { hidden: zeros, cell: zeros }, inputs: { columns }, weights: { recurrent: parameters['recurrent/weight'] } },
      )
      return rowsOf(biased(multiplyEach(parameters['output/weight'], outputs.hidden), 'output/bias'), lines)
    },
    step(parameters, state, h, index) {
      const inputs = remember(state.inputs, h)
      const fromInput = tf.add(linear(recall(inputs.all, recentInputs, index), parameters['input/weight'], true), parameters.bias)
      const fromHidden = linear(recall(withZeros(state.hidden), recentStates, index), parameters['recurrent/weight'], true)
      const last = { hidden: state.hidden, cell: recall(withZeros(state.cell), recentCell, index) }
      const next = cells.lstm.advance({ fromInput, fromHidden, state: last, constants: {}, axis: 1 })
      return {
        added: tf.add(linear(next.hidden, parameters['output/weight'], true), parameters['output/bias']),
        state: { inputs: inputs.next, hidden: remember(state.hidden, next.hidden).next, cell: remember(state.cell, next.cell).next },
      }
    },
    waves: {
      reach,
      reads: (waves) => ({
        inputs: { neighbors: inputNeighbors, readers: waves, sources: waves, lag: 0, size: H },
        // s and c of a place side by side.
        carried: { neighbors: aboveNeighbors, readers: waves, sources: waves, lag: 1, size: 2 * H, isCarried: true },
      }),
      step(parameters, memory, prefix, h) {
        const fromInput = tf.add(linear(memory.read(`${prefix}inputs`, h), parameters['input/weight'], true), parameters.bias)
        const above = memory.recall(`${prefix}carried`)
        const [B, slots] = above.shape as [number, number]
        const byTap = tf.reshape(above, [B, slots, sides.length, 2 * H])
        const fromHidden = linear(tf.reshape(tf.slice(byTap, [0, 0, 0, 0], [-1, -1, -1, H]), [B, slots, sides.length * H]), parameters['recurrent/weight'], true)
        const cell = tf.squeeze(tf.slice(byTap, [0, 0, sides.indexOf(0), H], [-1, -1, 1, H]), [2])
        const next = cells.lstm.advance({ fromInput, fromHidden, state: { cell }, constants: {}, axis: 2 })
        memory.remember(`${prefix}carried`, tf.concat([next.hidden, next.cell], 2))
        return tf.add(linear(next.hidden, parameters['output/weight'], true), parameters['output/bias'])
      },
    },
    reads(ranks) {
      const states = closure(ranks, (fresh) => readThrough(fresh, aboveNeighbors))
      return new Set([...ranks, ...readThrough(states, inputNeighbors)])
    },
  }
}
