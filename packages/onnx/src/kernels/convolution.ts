/**
 * Convolutions over two axes and their gradients; those over one axis are convolutions of height 1.
 *
 *   y[b,p,q,o]  = Σ_rci x[b, sp + dr − t, sq + dc − l, i] w[r,c,i,o]            Conv
 *   ∂x[b,h,v,i] = Σ_pqo ∂y[b,p,q,o] w[r,c,i,o], h = sp + dr − t, v = sq + dc − l  ConvTranspose
 *   ∂w[r,c,i,o] = Σ_bpq x[b, sp + dr − t, sq + dc − l, i] ∂y[b,p,q,o]            Conv: ∂y is the filter, b its channels, s and d change places
 *
 * b batch, h and p rows, v and q columns of x and y, r and c of the filter, i and o channels; s stride, d dilation, t and l
 * padding above and left (s, d are of each axis its own). Depthwise: w[r,c,i,m] and o = iM + m, without the sum over i.
 */
import { InvalidOptionError, UnsupportedError } from '@chainrule/core'
import * as tf from '@tensorflow/tfjs-core'
import type { Attributes } from '../graph.js'
import { type Kernels, type Recording, sameShape, typeOf } from '../recording.js'
import { reshape, slice, transpose } from './shapes.js'

type Shape4D = [number, number, number, number]

interface Options {
  readonly strides: [number, number] | number
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding
  readonly dilations?: [number, number] | number | null
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil'
  readonly dataFormat?: 'NHWC' | 'NCHW'
}

/** A convolution along rows and columns, two numbers each. */
interface Geometry {
  readonly isDepthwise: boolean
  readonly x: Shape4D
  readonly y: Shape4D
  readonly filter: Shape4D
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  /** Zeros before x. */
  readonly before: readonly number[]
  /** Zeros after x that the last place of the filter needs; negative: so many rows of x it does not reach. */
  readonly after: readonly number[]
}

function geometry(x: readonly number[], filter: readonly number[], { strides, pad, dilations, dimRoundingMode, dataFormat }: Options, isDepthwise: boolean): Geometry {
  if (dataFormat === 'NCHW') throw new UnsupportedError('Recording: convolutions of NCHW have no form here, only NHWC. Transpose the input to [batch, height, width, channels].')
  const found = tf.backend_util.computeConv2DInfo(x as Shape4D, filter as Shape4D, strides, dilations ?? 1, pad, dimRoundingMode, isDepthwise)
  const { padInfo, inHeight, inWidth, outHeight, outWidth, strideHeight, strideWidth, effectiveFilterHeight, effectiveFilterWidth } = found
  if (outHeight < 1 || outWidth < 1) throw new InvalidOptionError(`Recording: a filter of [${filter}] has no place in [${x}] with padding ${JSON.stringify(pad)}. The padded input must be as large as the filter.`)
  return {
    isDepthwise,
    x: found.inShape,
    y: found.outShape,
    filter: found.filterShape,
    strides: [strideHeight, strideWidth],
    dilations: [found.dilationHeight, found.dilationWidth],
    before: [padInfo.top, padInfo.left],
    after: [(outHeight - 1) * strideHeight + effectiveFilterHeight - inHeight - padInfo.top, (outWidth - 1) * strideWidth + effectiveFilterWidth - inWidth - padInfo.left],
  }
}

function checkTensors(kernel: string, tensors: readonly tf.TensorInfo[], y?: tf.TensorInfo, expected: readonly number[] = []): void {
  if (tensors.some((tensor) => typeOf(tensor) !== 'float32')) throw new UnsupportedError(`Recording: ${kernel} of ${tensors.map(({ dtype }) => dtype).join(' and ')} has no ONNX form. Cast both to float32 first.`)
  if (y && !sameShape(y.shape, expected)) throw new InvalidOptionError(`Recording: ${kernel} of a gradient [${y.shape}], expected [${expected}], the shape of the convolution's output.`)
}

const positive = (numbers: readonly number[]) => numbers.map((number) => Math.max(0, number))
const attributesOf = ({ isDepthwise, strides, dilations, x }: Geometry): Attributes => ({ strides, dilations, ...(isDepthwise ? { group: x[3] } : {}) })
const toChannelsFirst = (recording: Recording, x: tf.TensorInfo) => transpose(recording, x, [0, 3, 1, 2])
const toChannelsLast = (recording: Recording, x: tf.TensorInfo) => transpose(recording, x, [0, 2, 3, 1])

/** The filter as ONNX has it: [o, i, r, c], depthwise [iM + m, 1, r, c]. */
function turnedFilter(recording: Recording, filter: tf.TensorInfo, isDepthwise: boolean): tf.TensorInfo {
  if (!isDepthwise) return transpose(recording, filter, [3, 2, 0, 1])
  const [rows, columns, channels, multiplier] = filter.shape
  return reshape(recording, transpose(recording, filter, [2, 3, 0, 1]), [channels * multiplier, 1, rows, columns])
}

/** Of the two last axes `sizes` elements from `begin`. */
function cropped(recording: Recording, x: tf.TensorInfo, begin: readonly number[], sizes: readonly number[]): tf.TensorInfo {
  const from = [0, 0, ...begin]
  const shape = [...x.shape.slice(0, 2), ...sizes]
  return slice(recording, x, shape, from, from.map((at, axis) => at + shape[axis]))
}

function convolution(recording: Recording, x: tf.TensorInfo, filter: tf.TensorInfo, options: Options, isDepthwise: boolean): tf.TensorInfo {
  checkTensors('a convolution', [x, filter])
  const all = geometry(x.shape, filter.shape, options, isDepthwise)
  const [batch, rows, columns, channels] = all.y
  const factors = [toChannelsFirst(recording, x), turnedFilter(recording, filter, isDepthwise)]
  // tfjs takes a padding given as one number with the filter's rows for both axes, and then leaves out places.
  const sizes = [rows, columns].map((size, axis) => size + Math.floor(Math.max(0, -all.after[axis]) / all.strides[axis]))
  const whole = recording.node('Conv', factors, [batch, channels, ...sizes], 'float32', { ...attributesOf(all), pads: [...all.before, ...positive(all.after)] })
  return toChannelsLast(recording, cropped(recording, whole, [0, 0], [rows, columns]))
}

/** Padding of ConvTranspose is what it leaves out. Only the same on both sides is left to it: not every provider has another. */
function inputGradient(recording: Recording, dy: tf.TensorInfo, filter: tf.TensorInfo, inputShape: readonly number[], options: Options, isDepthwise: boolean): tf.TensorInfo {
  const all = geometry(inputShape, filter.shape, options, isDepthwise)
  checkTensors('the input gradient of a convolution', [dy, filter], dy, all.y)
  const [batch, rows, columns, channels] = all.x
  const both = all.before.map((before, axis) => Math.max(0, Math.min(before, all.after[axis])))
  const unreached = positive(all.after.map((after) => -after))
  // Of those ConvTranspose appends less than a stride; more there are only where places are left out.
  const appended = unreached.map((count, axis) => Math.min(count, all.strides[axis] - 1))
  const missing = unreached.map((count, axis) => count - appended[axis])
  const sizes = [rows, columns].map((size, axis) => size - missing[axis] + all.before[axis] + Math.max(0, all.after[axis]) - 2 * both[axis])
  const factors = [toChannelsFirst(recording, dy), turnedFilter(recording, filter, isDepthwise)]
  const whole = recording.node('ConvTranspose', factors, [batch, channels, ...sizes], 'float32', { ...attributesOf(all), pads: [...both, ...both], output_padding: appended })
  const reached = cropped(recording, whole, all.before.map((before, axis) => before - both[axis]), [rows - missing[0], columns - missing[1]])
  const isWhole = missing.every((count) => count === 0)
  const dx = isWhole ? reached : recording.node('Pad', [reached], [batch, channels, rows, columns], 'float32', {}, [recording.builder.integers([0, 0, 0, 0, 0, 0, ...missing])])
  return toChannelsLast(recording, dx)
}

function filterGradient(recording: Recording, x: tf.TensorInfo, dy: tf.TensorInfo, filterShape: readonly number[], options: Options, isDepthwise: boolean): tf.TensorInfo {
  const all = geometry(x.shape, filterShape, options, isDepthwise)
  checkTensors('the filter gradient of a convolution', [x, dy], dy, all.y)
  const [batch, height, width, channels] = all.x
  const [rows, columns, , outputs] = all.filter
  // Rows of x that the filter does not reach would be rows beyond the filter's.
  const sizes = [rows, columns].map((size, axis) => size + Math.floor(Math.max(0, -all.after[axis]) / all.dilations[axis]))
  const turned = transpose(recording, x, [3, 0, 1, 2])
  const factors = [isDepthwise ? reshape(recording, turned, [1, channels * batch, height, width]) : turned, transpose(recording, dy, [3, 0, 1, 2])]
  const attributes = { ...attributesOf(all), strides: all.dilations, dilations: all.strides, pads: [...all.before, ...positive(all.after)] }
  const whole = recording.node('Conv', factors, [...(isDepthwise ? [1, channels * outputs] : [channels, outputs]), ...sizes], 'float32', attributes)
  const kept = cropped(recording, whole, [0, 0], [rows, columns])
  return transpose(recording, reshape(recording, kept, [channels, outputs, rows, columns]), [2, 3, 0, 1])
}

export const convolutions: Kernels = {
  Conv2D: (recording, { x, filter }, attributes: tf.Conv2DAttrs) => convolution(recording, x, filter, attributes, false),
  Conv2DBackpropFilter: (recording, { x, dy }, attributes: tf.Conv2DBackpropFilterAttrs) => filterGradient(recording, x, dy, attributes.filterShape, attributes, false),
  Conv2DBackpropInput: (recording, { dy, filter }, attributes: tf.Conv2DBackpropInputAttrs) => inputGradient(recording, dy, filter, attributes.inputShape, attributes, false),
  DepthwiseConv2dNative: (recording, { x, filter }, attributes: tf.DepthwiseConv2dNativeAttrs) => convolution(recording, x, filter, attributes, true),
  DepthwiseConv2dNativeBackpropFilter: (recording, { x, dy }, attributes: tf.DepthwiseConv2dNativeBackpropFilterAttrs) => filterGradient(recording, x, dy, attributes.filterShape, attributes, true),
  DepthwiseConv2dNativeBackpropInput: (recording, { dy, filter }, attributes: tf.DepthwiseConv2dNativeBackpropInputAttrs) => inputGradient(recording, dy, filter, attributes.inputShape, attributes, true),
}
