/** Kernels that move elements without computing: shapes, slices, joins and fills. */
import { InvalidOptionError, UnsupportedError } from '@chainrule/core'
import * as tf from '@tensorflow/tfjs-core'
import { type Inputs, type Kernels, type Recording, sameShape, typeOf } from '../recording.js'

/** Stands for "to the end" (or, stepping back, "to the beginning"), whatever the length. */
const farEnd = 2 ** 31 - 1

/** The same elements in another shape. A number that is the same everywhere takes any shape; of two reshapes the first is skipped. */
export function reshape(recording: Recording, x: tf.TensorInfo, shape: readonly number[]): tf.TensorInfo {
  const { builder } = recording
  if (recording.value(x).shape.length === 0) return recording.alias(x, shape)
  if (sameShape(x.shape, shape)) return recording.alias(x, shape)
  const name = recording.full(x)
  const before = builder.producer(name)
  const source = before?.operator === 'Reshape' ? before.inputs[0] : name
  const isBack = sameShape(recording.shapeOf(source) ?? [], shape)
  return recording.tensor(isBack ? source : builder.node('Reshape', [source, builder.integers(shape)]), shape, typeOf(x))
}

/** Where only axes of length 1 move, the elements stay in their order: a reshape, which copies nothing. */
export function transpose(recording: Recording, x: tf.TensorInfo, order: readonly number[]): tf.TensorInfo {
  const shape = order.map((from) => x.shape[from])
  const moved = order.filter((from) => x.shape[from] !== 1)
  if (moved.every((from, i) => i === 0 || from > moved[i - 1])) return reshape(recording, x, shape)
  return recording.node('Transpose', [x], shape, typeOf(x), { perm: order })
}

export function expandDims(recording: Recording, x: tf.TensorInfo, axis: number): tf.TensorInfo {
  const at = axis < 0 ? axis + x.shape.length + 1 : axis
  if (at < 0 || at > x.shape.length) throw new InvalidOptionError(`Recording: ExpandDims of [${x.shape}] at axis ${axis}, expected one of ${-x.shape.length - 1} … ${x.shape.length}.`)
  const shape = [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]
  if (recording.value(x).shape.length === 0) return recording.alias(x, shape)
  const before = recording.builder.producer(recording.value(x).name)
  if (before?.operator === 'Reshape' && sameShape(recording.shapeOf(before.inputs[0]) ?? [], shape)) return reshape(recording, x, shape)
  return recording.node('Unsqueeze', [x], shape, typeOf(x), {}, [recording.builder.integers([at])])
}

/** Each axis from `begin` by `step` up to `end`; axes that are taken whole are left out, so that they may have any length. */
export function slice(recording: Recording, x: tf.TensorInfo, shape: readonly number[], begin: readonly number[], end: readonly number[], step?: readonly number[]): tf.TensorInfo {
  const isWhole = (axis: number) => begin[axis] === 0 && end[axis] >= x.shape[axis] && (step?.[axis] ?? 1) === 1
  const axes = x.shape.map((_, axis) => axis).filter((axis) => !isWhole(axis))
  if (axes.length === 0) return recording.alias(x)
  const { builder } = recording
  const ends = axes.map((axis) => (end[axis] === x.shape[axis] ? farEnd : end[axis] < 0 ? -farEnd : end[axis]))
  const lists = [axes.map((axis) => begin[axis]), ends, axes, ...(step ? [axes.map((axis) => step[axis])] : [])]
  return recording.node('Slice', [x], shape, typeOf(x), {}, lists.map((list) => builder.integers(list)))
}

function stridedSlice(recording: Recording, { x }: Inputs, attributes: tf.StridedSliceAttrs): tf.TensorInfo {
  const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attributes
  const found = tf.slice_util.sliceInfo(x.shape, begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask)
  const shape = tf.slice_util.computeOutShape(found.begin, found.end, found.strides)
  return reshape(recording, slice(recording, x, shape, found.begin, found.end, found.strides), found.finalShape)
}

function concat(recording: Recording, tensors: readonly tf.TensorInfo[], axis: number): tf.TensorInfo {
  tf.backend_util.assertParamsConsistent(tensors.map(({ shape }) => shape), axis)
  const types = new Set(tensors.map(typeOf))
  if (types.size > 1) throw new UnsupportedError(`Recording: tensors of ${[...types].join(' and ')} cannot be joined. Cast them to one type first.`)
  if (tensors.length === 1) return recording.alias(tensors[0])
  const shape = tensors[0].shape.map((dimension, i) => (i === axis ? tensors.reduce((sum, tensor) => sum + tensor.shape[axis], 0) : dimension))
  return recording.node('Concat', tensors, shape, typeOf(tensors[0]), { axis })
}

function split(recording: Recording, x: tf.TensorInfo, sizes: readonly number[], axis: number): tf.TensorInfo[] {
  if (sizes.length === 1) return [recording.alias(x)]
  const names = recording.builder.several('Split', [recording.full(x), recording.builder.integers(sizes)], sizes.length, { axis })
  return names.map((name, which) => recording.tensor(name, x.shape.map((dimension, i) => (i === axis ? sizes[which] : dimension)), typeOf(x)))
}

/** Repeats x along its axes. Axes of length 1 are only declared longer; ONNX broadcasts where the elements are read. */
function tile(recording: Recording, x: tf.TensorInfo, repetitions: readonly number[]): tf.TensorInfo {
  const shape = x.shape.map((dimension, i) => dimension * repetitions[i])
  if (x.shape.every((dimension, i) => dimension === 1 || repetitions[i] === 1)) return recording.alias(x, shape)
  return recording.node('Tile', [x], shape, typeOf(x), {}, [recording.builder.integers(repetitions)])
}

export const shapes: Kernels = {
  BroadcastTo: (recording, { x }, { shape }: tf.BroadCastToAttrs) => recording.alias(x, shape),
  Concat: (recording, inputs, { axis }: tf.ConcatAttrs) => {
    const tensors = Object.values(inputs)
    return concat(recording, tensors, tf.util.parseAxisParam(axis, tensors[0].shape)[0])
  },
  ExpandDims: (recording, { input }, { dim }: tf.ExpandDimsAttrs) => expandDims(recording, input, dim),
  Fill: (recording, _, { shape, value, dtype }: tf.FillAttrs) => recording.filled(Number(value), shape, typeOf({ dtype: dtype ?? 'float32', shape, dataId: {} })),
  OnesLike: (recording, { x }) => recording.filled(1, x.shape, typeOf(x)),
  Pack: (recording, inputs, { axis }: tf.PackAttrs) => {
    const tensors = Object.values(inputs)
    const at = axis < 0 ? axis + tensors[0].shape.length + 1 : axis
    return concat(recording, tensors.map((tensor) => expandDims(recording, tensor, at)), at)
  },
  PadV2: (recording, { x }, { paddings, constantValue }: tf.PadV2Attrs) => {
    if (paddings.every(([before, after]) => before === 0 && after === 0)) return recording.alias(x)
    const { builder } = recording
    const shape = x.shape.map((dimension, i) => paddings[i][0] + dimension + paddings[i][1])
    const value = recording.full(recording.filled(constantValue, [], typeOf(x)))
    return recording.node('Pad', [x], shape, typeOf(x), {}, [builder.integers([...paddings.map(([before]) => before), ...paddings.map(([, after]) => after)]), value])
  },
  Range: (recording, _, { start, stop, step, dtype }: tf.RangeAttrs) => {
    // tfjs's default step of 1 stands for one towards `stop`, also downward.
    const by = step === 1 && stop < start ? -1 : step
    const values = Array.from({ length: Math.max(0, Math.ceil((stop - start) / by)) }, (_, i) => start + i * by)
    const dataId = recording.write(values as never, [values.length], dtype)
    return { dataId, shape: [values.length], dtype }
  },
  Reshape: (recording, { x }, { shape }: tf.ReshapeAttrs) => reshape(recording, x, tf.util.inferFromImplicitShape(shape, tf.util.sizeFromShape(x.shape))),
  Reverse: (recording, { x }, { dims }: tf.ReverseAttrs) => {
    const axes = tf.util.parseAxisParam(dims, x.shape)
    if (axes.length === 0) return recording.alias(x)
    const lists = [axes.map(() => -1), axes.map(() => -farEnd), axes, axes.map(() => -1)]
    return recording.node('Slice', [x], x.shape, typeOf(x), {}, lists.map((list) => recording.builder.integers(list)))
  },
  Slice: (recording, { x }, { begin, size }: tf.SliceAttrs) => {
    const [from, shape] = tf.slice_util.parseSliceParams(x as tf.Tensor, begin, size)
    tf.slice_util.assertParamsValid(x as tf.Tensor, from, shape)
    return slice(recording, x, shape, from, from.map((at, i) => at + shape[i]))
  },
  SplitV: (recording, { x }, { numOrSizeSplits, axis }: tf.SplitVAttrs) => {
    const [at] = tf.util.parseAxisParam(axis, x.shape)
    return split(recording, x, tf.backend_util.prepareSplitSize(x as tf.Tensor, numOrSizeSplits, at), at)
  },
  StridedSlice: stridedSlice,
  Tile: (recording, { x }, { reps }: tf.TileAttrs) => {
    if (reps.length !== x.shape.length) throw new UnsupportedError(`Recording: Tile needs a repetition for each of the ${x.shape.length} axes, got ${reps.length}.`)
    return tile(recording, x, reps)
  },
  Transpose: (recording, { x }, { perm }: tf.TransposeAttrs) => transpose(recording, x, perm),
  Unpack: (recording, { value }, { axis }: tf.UnpackAttrs) => {
    const at = axis < 0 ? axis + value.shape.length : axis
    const shape = value.shape.filter((_, i) => i !== at)
    const parts = split(recording, value, Array(value.shape[at]).fill(1), at)
    return parts.map((part) => recording.node('Squeeze', [part], shape, typeOf(value), {}, [recording.builder.integers([at])]))
  },
  ZerosLike: (recording, { x }) => recording.filled(0, x.shape, typeOf(x)),
}
