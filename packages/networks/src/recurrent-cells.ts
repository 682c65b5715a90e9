/**
 * One step of a recurrent layer but for its products, which do not care how the batch lies: gates stand side by side along an axis.
 * The equations are in recurrent.ts.
 */
import type { Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'

export interface Cell {
  /** G. */
  readonly gates: number
  /** The bias of each gate at the beginning. */
  readonly biases: readonly number[]
  /** What the state holds besides `hidden`. */
  readonly carries: readonly string[]
  /** Vectors [H] that a step reads besides its products. */
  readonly constants: readonly string[]
  /**
   * @param given fromInput = W x + b and fromHidden = U h, [G H, B] with axis 0 or [B, G H] with axis 1
   * @returns the next state
   */
  advance(given: { fromInput: tf.Tensor; fromHidden: tf.Tensor; state: Tensors; constants: Tensors; axis: number }): Tensors
}

const lstm: Cell = {
  gates: 4,
  // To remember is the beginning: Jozefowicz, Zaremba, Sutskever 2015.
  biases: [0, 1, 0, 0],
  carries: ['cell'],
  constants: [],
  advance({ fromInput, fromHidden, state, axis }) {
    const [input, forget, candidate, output] = tf.split(tf.add(fromInput, fromHidden), 4, axis)
    const cell = tf.add(tf.mul(tf.sigmoid(forget), state.cell), tf.mul(tf.sigmoid(input), tf.tanh(candidate)))
    return { hidden: tf.mul(tf.sigmoid(output), tf.tanh(cell)), cell }
  },
}

const gru: Cell = {
  gates: 3,
  biases: [0, 0, 0],
  carries: [],
  constants: ['candidateBias'],
  advance({ fromInput, fromHidden, state, constants, axis }) {
    const width = state.hidden.shape[axis]!
    const [inputGates, inputCandidate] = tf.split(fromInput, [2 * width, width], axis)
    const [hiddenGates, hiddenCandidate] = tf.split(fromHidden, [2 * width, width], axis)
    const [reset, update] = tf.split(tf.sigmoid(tf.add(inputGates, hiddenGates)), 2, axis)
    const candidate = tf.tanh(tf.add(inputCandidate, tf.mul(reset, tf.add(hiddenCandidate, constants.candidateBias))))
    return { hidden: tf.add(candidate, tf.mul(update, tf.sub(state.hidden, candidate))) }
  },
}

export const cells = { lstm, gru } as const
export type CellName = keyof typeof cells
