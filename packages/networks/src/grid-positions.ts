/**
 * Learned positions on a grid: a variable is spoken of with vectors for its own row and column, and for those of the variable before it,
 * which is the one that is read. So in any order it is known what stands where (double positions: Pannatier et al. 2024, arXiv 2404.09562).
 *
 * Axes: S ranks, W width.
 */
import { type Domain, gridOf, type ResolvedOrder } from '@chainrule/core'
import { embedding, type Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'

export interface GridPositions {
  /** How many variables there are. */
  readonly length: number
  /** The parameters: how many vectors each holds. */
  readonly tables: Readonly<Record<string, number>>
  /** Of the variables of these ranks, int32 [S] → [S, W]. */
  vectors(parameters: Tensors, ranks: tf.Tensor): tf.Tensor
}

/** @throws {UnsupportedError} for a domain that is no grid */
export function gridPositions(domain: Domain, { permutation }: ResolvedOrder): GridPositions {
  const { height, width } = gridOf(domain, "transformer({ positions: 'learned2d' })")
  // Before the first variable is none: start says so, and its place is the first one's own.
  const before = permutation.map((_, rank) => permutation[Math.max(0, rank - 1)])
  const rowOf = (positions: Int32Array) => positions.map((position) => Math.floor(position / width))
  const columnOf = (positions: Int32Array) => positions.map((position) => position % width)
  const indices = { rows: rowOf(permutation), columns: columnOf(permutation), rowsBefore: rowOf(before), columnsBefore: columnOf(before) }
  return {
    length: permutation.length,
    tables: { rows: height, columns: width, rowsBefore: height, columnsBefore: width },
    vectors: (parameters, ranks) => tf.addN(Object.entries(indices).map(([name, list]) => embedding(parameters[name], tf.gather(tf.tensor1d(list, 'int32'), ranks as tf.Tensor1D)))),
  }
}
