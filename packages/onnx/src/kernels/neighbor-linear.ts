/**
 * The linear map of neighbors, where it is a convolution on a grid, by onnxruntime's own convolution of blocked channels: no copies of
 * rows side by side, and no products with taps that are zero but for those that fill the kernel up to a rectangle. Everything else, and
 * every recording without blocks, goes as core/tensors has it: by Gather and product.
 *
 *   y = K ∗ x + b     dx = K′ ∗ dy, K′ with the offsets turned round and inputs for outputs     dW from rows side by side, as in core/tensors
 *
 * A blocked map [B, C, H, W] lies in memory as [B, C / S, H, W, S]. The reordering before and behind each convolution is taken out
 * afterwards where one reads the other (blocked-layout.ts). Only for an engine of its own machine: these operators are no part of ONNX.
 *
 * Axes: B batch, P positions of a grid H × W, T taps, D inputs, E outputs, R × C rows and columns of the kernel, S channels of a block.
 */
import { gatheredGradients, gatheredLinear, type Neighborhood, rowsAt } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { blockedDomain } from '../blocked-layout.js'
import { type GridKernel, gridKernelOf, rectangleOf } from '../grid-kernel.js'
import type { Attributes } from '../graph.js'
import type { Inputs, Kernels, Recording } from '../recording.js'
import { reshape } from './shapes.js'

const tensorOf = (info: tf.TensorInfo) => tf.engine().makeTensorFromTensorInfo(info)
const tensors = (inputs: Inputs) => Object.values(inputs).map(tensorOf)

/** The kernel of a layer, where blocks of channels pay: as many inputs and outputs as fill blocks, and a rectangle that is mostly live. */
function blockedKernel({ channelBlock: S }: Recording, neighbors: Neighborhood, weight: tf.TensorInfo): GridKernel | undefined {
  const [T, D, E] = weight.shape
  if (S === undefined || T < 2 || D % S !== 0 || E % S !== 0) return undefined
  const kernel = gridKernelOf(neighbors)
  if (!kernel) return undefined
  const { sizes } = rectangleOf(kernel.offsets)
  return sizes[0] * sizes[1] <= 2 * T ? kernel : undefined
}

/** weight [T, D, E] → the filter [E, D, R, C], each tap at its offset, in the order [E/S, D/S, R, C, S of D, S of E]. */
function blockedFilter(weight: tf.Tensor3D, offsets: GridKernel['offsets'], S: number): tf.Tensor4D {
  const [T, D, E] = weight.shape
  const { first, sizes } = rectangleOf(offsets)
  const [R, C] = sizes
  const taps = Array.from({ length: R * C }, (_, place) => offsets.findIndex(([down, right]) => (down - first[0]) * C + right - first[1] === place))
  const filled = taps.includes(-1) ? tf.concat([weight, tf.zeros([1, D, E])], 0) : weight
  const placed = tf.gather(filled, tf.tensor1d(taps.map((tap) => (tap < 0 ? T : tap)), 'int32'))
  const blocks = tf.transpose(tf.reshape(placed, [R, C, D / S, S, E / S, S]), [4, 2, 0, 1, 3, 5])
  return tf.reshape(blocks, [E, D, R, C])
}

const blocked = (recording: Recording, operator: string, inputs: readonly string[], attributes: Attributes) => recording.builder.node(operator, inputs, attributes, blockedDomain)

/** x [B, P, C] as a blocked map. */
function blocksOf(recording: Recording, x: tf.TensorInfo, { height, width }: GridKernel): string {
  const [B, , C] = x.shape
  return blocked(recording, 'ReorderInput', [recording.full(reshape(recording, x, [B, height, width, C]))], { channels_last: 1 })
}

/** x [B, P, D], weight [T, D, E], bias [E] → [B, P, E]. */
function convolution(recording: Recording, x: tf.TensorInfo, weight: tf.Tensor, bias: tf.TensorInfo | undefined, kernel: GridKernel): tf.Tensor {
  const [B, P] = x.shape
  const E = weight.shape[2]!
  const { sizes, pads } = rectangleOf(kernel.offsets)
  const filter = recording.full(blockedFilter(weight as tf.Tensor3D, kernel.offsets, recording.channelBlock!))
  const inputs = [blocksOf(recording, x, kernel), filter, ...(bias ? [recording.full(bias)] : [])]
  const map = blocked(recording, 'Conv', inputs, { kernel_shape: sizes, pads, strides: [1, 1], dilations: [1, 1], group: 1 })
  const rows = blocked(recording, 'ReorderOutput', [map], { channels: E, channels_last: 1 })
  return tensorOf(reshape(recording, recording.tensor(rows, [B, kernel.height, kernel.width, E], 'float32'), [B, P, E]))
}

/** x [B, P, C] → [B, C, P], by way of the blocked map, which is there already: so that a product need not turn it. */
function channelsFirst(recording: Recording, x: tf.Tensor, kernel: GridKernel): tf.Tensor {
  const [B, P, C] = x.shape as [number, number, number]
  const turned = blocked(recording, 'ReorderOutput', [blocksOf(recording, x, kernel)], { channels: C, channels_last: 0 })
  return tensorOf(reshape(recording, recording.tensor(turned, [B, C, kernel.height, kernel.width], 'float32'), [B, C, P]))
}

/** x [R, …] → Σ over R, flat: as a product with ones, which is faster than onnxruntime's sum over a first axis. */
const sumOfRows = (x: tf.Tensor): tf.Tensor => tf.matMul(tf.ones([1, x.shape[0]]), tf.reshape(x, [x.shape[0], -1]))

/** dW [T, D, E] from x [B, P, D] and dy [B, P, E]: a product for each example, summed, which is faster than one of all rows. */
function weightGradient(recording: Recording, x: tf.Tensor, dy: tf.Tensor, { taps: T, reads, readBy }: Neighborhood, kernel: GridKernel): tf.Tensor {
  const [B, P, D] = x.shape as [number, number, number]
  const E = dy.shape[2]!
  /** Σ_bp left[b, p] (rows of right at the indices)[b, p]: [L, T, R]. The narrower one is gathered. */
  const summed = (left: tf.Tensor, right: tf.Tensor, indices: Int32Array) => {
    const gathered = tf.reshape(rowsAt(right, indices), [B, P, T * right.shape[2]!])
    return tf.reshape(sumOfRows(tf.matMul(channelsFirst(recording, left, kernel), gathered)), [left.shape[2]!, T, right.shape[2]!])
  }
  return D < E ? tf.transpose(summed(dy, x, reads), [1, 2, 0]) : tf.transpose(summed(x, dy, readBy), [1, 0, 2])
}

export const neighborLinears: Kernels = {
  ChainruleNeighborLinear: (recording, inputs, neighbors: Neighborhood) => {
    const [x, weight, bias] = tensors(inputs)
    const kernel = blockedKernel(recording, neighbors, weight)
    return kernel ? [convolution(recording, x, weight, bias, kernel)] : gatheredLinear([x, weight, bias], neighbors)
  },
  ChainruleNeighborLinearGradient: (recording, inputs, neighbors: Neighborhood) => {
    const [dy, x, weight] = tensors(inputs)
    const kernel = blockedKernel(recording, neighbors, weight)
    if (!kernel) return gatheredGradients([dy, x, weight], neighbors)
    const turnedRound: GridKernel = { ...kernel, offsets: kernel.offsets.map(([down, right]) => [-down, -right]) }
    const dx = convolution(recording, dy, tf.transpose(weight, [0, 2, 1]), undefined, turnedRound)
    const dbias = tf.reshape(sumOfRows(tf.reshape(dy, [-1, dy.shape[2]!])), [dy.shape[2]!])
    return [dx, weightGradient(recording, x, dy, neighbors, kernel), dbias]
  },
}
