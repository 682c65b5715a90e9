/**
 * The linear map of each row's neighbors, which is what a masked convolution is: each tap reads one other row, or nothing.
 *
 *   y_p = Σ_t x_n(p,t) W_t + b      n(p,t): the row that tap t of row p reads; a row of zeros where it reads none
 *
 * One Gather by constant indices puts the neighbors side by side, and one product does the rest, so taps that nobody needs cost
 * nothing and every row may have its own. Gradient: a tap reads a row for at most one other row, so dx is the same with the
 * neighbors turned round, dx_q = Σ_t dy_m(q,t) W_tᵀ with n(m(q,t), t) = q; dW_t = Σ_q x_qᵀ dy_m(q,t) from the same rows.
 *
 * Axes: B batch, P rows, N rows that they read (mostly the same), T taps, D inputs, E outputs.
 */
import * as tf from '@tensorflow/tfjs-core'
import { InvalidOptionError } from '../../errors.js'
import { definePrimitive } from '../primitive.js'

/** Who reads whom. */
export interface Neighborhood {
  readonly taps: number
  /** n(p,t), row-major [P, T]; −1: nothing. */
  readonly reads: Int32Array
  /** m(q,t), row-major [N, T]: the row that reads q through tap t; −1: none. */
  readonly readBy: Int32Array
}

/**
 * A neighborhood from n(p,t), row-major [P, T].
 * @param sources N; absent: P
 * @throws {InvalidOptionError} for indices outside −1 … N−1, or a tap that reads one row for two
 */
export function neighborhood(reads: Int32Array, taps: number, sources = reads.length / taps): Neighborhood {
  if (!Number.isInteger(reads.length / taps)) throw new InvalidOptionError(`neighborhood: ${reads.length} indices are no multiple of the ${taps} taps.`)
  const readBy = new Int32Array(sources * taps).fill(-1)
  reads.forEach((source, at) => {
    const row = Math.floor(at / taps)
    if (source < -1 || source >= sources) throw new InvalidOptionError(`neighborhood: row ${row} reads row ${source}, expected one of 0 … ${sources - 1}, or −1 for none.`)
    if (source < 0) return
    const back = source * taps + (at % taps)
    if (readBy[back] >= 0) throw new InvalidOptionError(`neighborhood: tap ${at % taps} reads row ${source} for the rows ${readBy[back]} and ${row}, expected for one of them only.`)
    readBy[back] = row
  })
  return { taps, reads, readBy }
}

/** x [B, N, D] → its rows at the indices [I], zeros at −1: [B, I, D]. */
export function rowsAt(x: tf.Tensor, indices: Int32Array): tf.Tensor3D {
  const [B, N, D] = x.shape as [number, number, number]
  const places = tf.tensor1d(indices.map((row) => (row < 0 ? N : row)), 'int32')
  return tf.gather(tf.concat([x, tf.zeros([B, 1, D])], 1) as tf.Tensor3D, places, 1)
}

/** x [B, N, D] → its rows at the indices [P, T], side by side: [B·P, T·D]. */
const sideBySide = (x: tf.Tensor, indices: Int32Array, taps: number): tf.Tensor2D => tf.reshape(rowsAt(x, indices), [(x.shape[0] * indices.length) / taps, taps * x.shape[2]!])

const rowsOf = (x: tf.Tensor): tf.Tensor2D => tf.reshape(x, [-1, x.shape[2]!])

/**
 * [x [B, N, D], weight [T, D, E], bias [E]] → [y [B, P, E]]. The bias meets the product while it is a matrix, so that an engine may join
 * them. Public, as `gatheredGradients` is, for engines whose kernels are for some neighborhoods only.
 */
export function gatheredLinear([x, weight, bias]: tf.Tensor[], { reads, taps }: Neighborhood): tf.Tensor[] {
  const [, D, E] = weight.shape as [number, number, number]
  const y = tf.add(tf.matMul(sideBySide(x, reads, taps), tf.reshape(weight, [taps * D, E])), bias)
  return [tf.reshape(y, [x.shape[0], reads.length / taps, E])]
}

/** [dy [B, P, E], x, weight] → [dx, dweight, dbias]. */
export function gatheredGradients([dy, x, weight]: tf.Tensor[], { reads, readBy, taps }: Neighborhood): tf.Tensor[] {
  const [, D, E] = weight.shape as [number, number, number]
  const readers = sideBySide(dy, readBy, taps)
  const dx = tf.matMul(readers, tf.reshape(tf.transpose(weight, [0, 2, 1]), [taps * E, D]))
  /** aᵀ b over all rows: a product for each example, summed, which takes less than one of all rows. */
  const summed = (a: tf.Tensor, b: tf.Tensor2D) => tf.sum(tf.matMul(a, tf.reshape(b, [a.shape[0], -1, b.shape[1]]), true, false), 0)
  // Either way gives dW; the one with the narrower rows is cheaper.
  const dweight =
    D < E
      ? tf.transpose(tf.reshape(summed(dy, sideBySide(x, reads, taps)), [E, taps, D]), [1, 2, 0])
      : tf.transpose(tf.reshape(summed(x, readers), [D, taps, E]), [1, 0, 2])
  return [tf.reshape(dx, x.shape), dweight, tf.sum(rowsOf(dy), 0)]
}

const forward = definePrimitive<Neighborhood>('ChainruleNeighborLinear', gatheredLinear)
const backward = definePrimitive<Neighborhood>('ChainruleNeighborLinearGradient', gatheredGradients)

/** x [B, N, D], weight [T, D, E], bias [E] → [B, P, E]. */
export function neighborLinear(x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor, neighbors: Neighborhood): tf.Tensor {
  return tf.customGrad((x, weight, bias, save) => {
    ;(save as tf.GradSaveFunc)([x as tf.Tensor, weight as tf.Tensor])
    return {
      value: forward([x as tf.Tensor, weight as tf.Tensor, bias as tf.Tensor], neighbors)[0],
      gradFunc: (dy: tf.Tensor, [x, weight]: tf.Tensor[]) => backward([dy, x, weight], neighbors),
    }
  })(x, weight, bias)
}
