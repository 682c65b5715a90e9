/**
 * The gradient of a convolution's filter on a grid, from maps of blocked channels, in one of two ways.
 *
 *   dW[r,c,d,e] = Σ_bpq x[b, p + r, q + c, d] dy[b, p, q, e]      r, c: rows down and columns to the right of a tap
 *
 * As a convolution, where the examples fill blocks: dy is the filter, as large as the grid, the examples are the channels that it sums over, and
 * the D features of a place stand side by side in the image's columns, which a dilation of D steps over: so all (c, d) are places of one row
 * of results, and nothing is copied for each tap.
 *
 *   dW[r, cD + d, e] = Σ_pq Σ_b image[b, p + r, (q + c) D + d] dy[b, p, q, e]
 *
 * Else as a product for each example, of one map with the other's rows side by side, summed.
 *
 * Axes: B batch, P positions of a grid H × W, T taps, D inputs, E outputs, R × C rows and columns of the kernel, S channels of a block.
 */
import { type Neighborhood, rowsAt } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { type GridKernel, rectangleOf } from '../grid-kernel.js'
import type { Recording } from '../recording.js'
import { blocked, blocksOf, rowsOf, tensorOf } from './blocked-map.js'
import { reshape } from './shapes.js'

/** x [B, P, D], dy [B, P, E] → dW [T, D, E] and the gradient of the bias [E]. */
export function filterGradients(recording: Recording, x: tf.Tensor, dy: tf.Tensor, neighbors: Neighborhood, kernel: GridKernel): tf.Tensor[] {
  const fillsBlocks = (x.shape[0] % recording.channelBlock!) === 0
  return fillsBlocks ? convolved(recording, x, dy, kernel) : multiplied(recording, x, dy, neighbors, kernel)
}

function convolved(recording: Recording, x: tf.Tensor, dy: tf.Tensor, kernel: GridKernel): tf.Tensor[] {
  const { height: H, width: W, offsets } = kernel
  const [B, P, D] = x.shape as [number, number, number]
  const [E, S] = [dy.shape[2]!, recording.channelBlock!]
  const { first, sizes, pads } = rectangleOf(offsets)
  const [R, C] = sizes
  const [top, left, bottom, right] = pads
  // [B/S, S, E/S, P, S] → [E/S, B/S, P, S of B, S of E], which is how a filter of B channels lies in memory.
  const maps = tf.reshape(tensorOf(recording.tensor(blocksOf(recording, dy, kernel), [B, E, H, W], 'float32')), [B / S, S, E / S, P, S])
  const filter = recording.full(tf.reshape(tf.transpose(maps, [2, 0, 3, 1, 4]), [E, B, H, W]))
  /** Places of the image's row in which no tap finds anything are zeros that are there: onnxruntime is slow where it adds them itself. */
  const wide = tf.pad(tf.reshape(x, [B, H, W, D]), [[0, 0], [0, 0], [left, right], [0, 0]])
  const image = blocked(recording, 'ReorderInput', [recording.full(tf.reshape(wide, [1, B, H, (W + C - 1) * D]))], { channels_last: 0 })
  const correlate = (map: string, dilation: number, pads: readonly number[]) => blocked(recording, 'Conv', [map, filter], { kernel_shape: [H, W], pads, strides: [1, 1], dilations: [1, dilation], group: 1 })
  const places = tf.reshape(rowsOf(recording, correlate(image, D, [top, 0, bottom, 0]), [1, E, R, C * D]), [R * C, D, E])
  const dweight = tf.gather(places, tf.tensor1d(offsets.map(([down, right]) => (down - first[0]) * C + right - first[1]), 'int32'))
  const ones = recording.builder.constant('float32', [1, B, H, W], new Float32Array(B * P).fill(1))
  const dbias = tf.reshape(rowsOf(recording, correlate(ones, 1, [0, 0, 0, 0]), [1, E, 1, 1]), [E])
  return [dweight, dbias]
}

/** x [B, P, C] → [B, C, P], by way of the blocked map, which is there already: so that a product need not turn it. */
function channelsFirst(recording: Recording, x: tf.Tensor, kernel: GridKernel): tf.Tensor {
  const [B, P, C] = x.shape as [number, number, number]
  const turned = blocked(recording, 'ReorderOutput', [blocksOf(recording, x, kernel)], { channels: C, channels_last: 0 })
  return tensorOf(reshape(recording, recording.tensor(turned, [B, C, kernel.height, kernel.width], 'float32'), [B, C, P]))
}

/** A product for each example, summed, is faster than one of all rows. */
function multiplied(recording: Recording, x: tf.Tensor, dy: tf.Tensor, { taps: T, reads, readBy }: Neighborhood, kernel: GridKernel): tf.Tensor[] {
  const [B, P, D] = x.shape as [number, number, number]
  const E = dy.shape[2]!
  /** Σ_bp left[b, p] (rows of right at the indices)[b, p]: [L, T, R]. The narrower one is gathered. */
  const summed = (left: tf.Tensor, right: tf.Tensor, indices: Int32Array) => {
    const gathered = tf.reshape(rowsAt(right, indices), [B, P, T * right.shape[2]!])
    return tf.reshape(tf.sum(tf.matMul(channelsFirst(recording, left, kernel), gathered), 0), [left.shape[2]!, T, right.shape[2]!])
  }
  const dweight = D < E ? tf.transpose(summed(dy, x, reads), [1, 2, 0]) : tf.transpose(summed(x, dy, readBy), [1, 0, 2])
  return [dweight, tf.sum(tf.reshape(dy, [-1, E]), 0)]
}
