/**
 * The linear map of neighbors, where it is a convolution on a grid, by onnxruntime's own convolution of blocked channels: no copies of
 * rows side by side, and no products with taps that are zero but for those that fill the kernel up to a rectangle. Everything else, and
 * every recording without blocks, goes as core/tensors has it: by Gather and product.
 *
 *   y = K ∗ x + b     dx = K′ ∗ dy, K′ with the offsets turned round and inputs for outputs     dW: blocked-weight-gradient.ts
 *
 * Axes: B batch, P positions of a grid H × W, T taps, D inputs, E outputs, R × C rows and columns of the kernel, S channels of a block.
 */
import { gatheredGradients, gatheredLinear, type Neighborhood } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { type GridKernel, gridKernelOf, rectangleOf } from '../grid-kernel.js'
import type { Inputs, Kernels, Recording } from '../recording.js'
import { blocked, blocksOf, rowsOf, tensorOf } from './blocked-map.js'
import { filterGradients } from './blocked-weight-gradient.js'

const tensors = (inputs: Inputs) => Object.values(inputs).map(tensorOf)

/** The kernel of a layer, where blocks of channels pay: inputs that fill blocks or are fewer than one, outputs that fill blocks, and a rectangle that is mostly live. */
function blockedKernel({ channelBlock: S }: Recording, neighbors: Neighborhood, weight: tf.TensorInfo): GridKernel | undefined {
  const [T, D, E] = weight.shape
  if (S === undefined || T < 2 || (D > S && D % S !== 0) || E % S !== 0) return undefined
  const kernel = gridKernelOf(neighbors)
  if (!kernel) return undefined
  const { sizes } = rectangleOf(kernel.offsets)
  return sizes[0] * sizes[1] <= 2 * T ? kernel : undefined
}

/** weight [T, D, E] → the filter [E, D, R, C], each tap at its offset, in the order [E/S, D/S, R, C, S of D, S of E]; [E/S, D, R, C, S] where D < S. */
function blockedFilter(weight: tf.Tensor3D, offsets: GridKernel['offsets'], S: number): tf.Tensor4D {
  const [T, D, E] = weight.shape
  const { first, sizes } = rectangleOf(offsets)
  const [R, C] = sizes
  const taps = Array.from({ length: R * C }, (_, place) => offsets.findIndex(([down, right]) => (down - first[0]) * C + right - first[1] === place))
  const filled = taps.includes(-1) ? tf.concat([weight, tf.zeros([1, D, E])], 0) : weight
  const placed = tf.gather(filled, tf.tensor1d(taps.map((tap) => (tap < 0 ? T : tap)), 'int32'))
  const inner = D < S ? 1 : S
  const blocks = tf.transpose(tf.reshape(placed, [R, C, D / inner, inner, E / S, S]), [4, 2, 0, 1, 3, 5])
  return tf.reshape(blocks, [E, D, R, C])
}

/** x [B, P, D], weight [T, D, E], bias [E] → [B, P, E]. */
function convolution(recording: Recording, x: tf.Tensor, weight: tf.Tensor, bias: tf.TensorInfo | undefined, kernel: GridKernel): tf.Tensor {
  const [B, P, D] = x.shape
  const E = weight.shape[2]!
  const { sizes, pads } = rectangleOf(kernel.offsets)
  const filter = recording.full(blockedFilter(weight as tf.Tensor3D, kernel.offsets, recording.channelBlock!))
  const map = D < recording.channelBlock! ? recording.full(tf.reshape(tf.transpose(x, [0, 2, 1]), [B, D, kernel.height, kernel.width])) : blocksOf(recording, x, kernel)
  const inputs = [map, filter, ...(bias ? [recording.full(bias)] : [])]
  const result = blocked(recording, 'Conv', inputs, { kernel_shape: sizes, pads, strides: [1, 1], dilations: [1, 1], group: 1 })
  return tf.reshape(rowsOf(recording, result, [B, E, kernel.height, kernel.width]), [B, P, E])
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
    const isNarrow = x.shape[2]! < recording.channelBlock!
    const dx = isNarrow ? gatheredGradients([dy, x, weight], neighbors)[0] : convolution(recording, dy, tf.transpose(weight, [0, 2, 1]), undefined, turnedRound)
    return [dx, ...filterGradients(recording, x, dy, neighbors, kernel)]
  },
}
