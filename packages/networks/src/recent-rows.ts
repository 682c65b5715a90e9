/**
 * What a step remembers of a map of features: the rows of the last K variables, in the order of generation. K is the longest way back,
 * in the order, from any variable to one that it reads; for the raster and a kernel of 3 × 3 that is one line of the image and one pixel.
 *
 * Axes: B batch, N variables, K rows remembered, D features, T taps of a kernel.
 */
import type { ResolvedOrder } from '@chainrule/core'
import { linear, type Neighborhood } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'

export interface RecentRows {
  /** K. */
  readonly count: number
  readonly taps: number
  /** For the variable of each rank, where its taps read in [zeros, K rows, the newest row]: [N, T]. */
  readonly places: Int32Array
}

/**
 * @param lag how many ranks the newest row of the map lies before the variable that reads: 1 for the values of x, 0 for features
 * @param atLeast rows to remember, where others want more
 */
export function recentRows({ reads, taps }: Neighborhood, { permutation, inverse }: ResolvedOrder, lag: number, atLeast = 0): RecentRows {
  const back = Int32Array.from(reads, (position, at) => (position < 0 ? -1 : inverse[Math.floor(at / taps)] - lag - inverse[position]))
  const count = back.reduce((most, ranks) => Math.max(most, ranks), Math.max(1, atLeast))
  const places = new Int32Array(reads.length)
  permutation.forEach((position, rank) => {
    for (let tap = 0; tap < taps; tap++) {
      const ranks = back[position * taps + tap]
      places[rank * taps + tap] = ranks < 0 ? 0 : count + 1 - ranks
    }
  })
  return { count, taps, places }
}

/** What places point into, but for the newest row: zeros, then the rows [B, K, D]. */
export const withZeros = (rows: tf.Tensor): tf.Tensor => tf.concat([tf.zeros([rows.shape[0], 1, rows.shape[2]!]), rows], 1)

/** The rows [B, K, D] with zeros before and a new one [B, D] after them: what places point into; and the rows that are remembered next. */
export function remember(rows: tf.Tensor, row: tf.Tensor): { all: tf.Tensor; next: tf.Tensor } {
  const [B, , D] = rows.shape as [number, number, number]
  const all = tf.concat([tf.zeros([B, 1, D]), rows, tf.expandDims(row, 1)], 1)
  return { all, next: tf.slice(all, [0, 2, 0], rows.shape as number[]) }
}

/** What the variable of this rank (int32 [1]) reads: all [B, K + 2, D] → its taps side by side [B, T·D]. */
export function recall(all: tf.Tensor, { places, taps }: RecentRows, rank: tf.Tensor): tf.Tensor {
  const [B, , D] = all.shape as [number, number, number]
  const rows = tf.reshape(tf.gather(tf.tensor2d(places, [places.length / taps, taps], 'int32'), rank as tf.Tensor1D), [taps])
  return tf.reshape(tf.gather(all, rows as tf.Tensor1D, 1), [B, taps * D])
}

/** neighborLinear of variables whose taps [..., T·D] stand side by side: weight [T, D, E], bias [E] → [..., E]. */
export function tapLinear(taps: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  return tf.add(linear(taps, tf.reshape(weight, [-1, weight.shape[2]!])), bias)
}
