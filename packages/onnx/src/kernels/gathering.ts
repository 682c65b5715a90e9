/** Reading and adding at indices. Indices that ONNX wants as int64 are cast. */
import { UnsupportedError } from '@chainrule/core'
import * as tf from '@tensorflow/tfjs-core'
import { type Kernels, type Recording, typeOf } from '../recording.js'
import { dataTypeOf } from '../serialize.js'
import { cast, scalar } from './elementwise.js'
import { expandDims } from './shapes.js'

const wide = (recording: Recording, indices: tf.TensorInfo): string => recording.builder.node('Cast', [recording.full(indices)], { to: dataTypeOf('int64') })

/** Whether these numbers are known, and none of them is negative. */
function isNeverNegative(recording: Recording, numbers: tf.TensorInfo): boolean {
  const data = recording.builder.initializers.get(recording.value(numbers).name)?.data
  return data !== undefined && Array.from(data, Number).every((number) => number >= 0)
}

/** Zeros of this shape, with each update added at its indices [..., how many axes they address]. */
export function scatterAdd(recording: Recording, indices: tf.TensorInfo, updates: tf.TensorInfo, shape: readonly number[]): tf.TensorInfo {
  const zeros = recording.full(recording.filled(0, shape, typeOf(updates)))
  const name = recording.builder.node('ScatterND', [zeros, wide(recording, indices), recording.full(updates)], { reduction: 'add' })
  return recording.tensor(name, shape, typeOf(updates))
}

export const gathering: Kernels = {
  ChainruleEntry: (recording, { 0: x, 1: index }) => [recording.node('GatherElements', [x, index], index.shape, typeOf(x), { axis: 1 })],
  ChainruleMark: (recording, { 0: flags, 1: index }) => {
    const set = recording.full(recording.filled(1, index.shape, 'bool'))
    return [recording.node('ScatterElements', [flags, index], flags.shape, 'bool', { axis: 1 }, [set])]
  },
  GatherNd: (recording, { params, indices }) => {
    tf.gather_util.prepareAndValidate(params, indices)
    const depth = indices.shape[indices.shape.length - 1]
    const shape = [...indices.shape.slice(0, -1), ...params.shape.slice(depth)]
    return recording.node('GatherND', [params], shape, typeOf(params), {}, [wide(recording, indices)])
  },
  GatherV2: (recording, { x, indices }, { axis, batchDims }: tf.GatherV2Attrs) => {
    if (batchDims) throw new UnsupportedError(`Recording: GatherV2 with batchDims ${batchDims} has no form here yet, only 0. Use tf.gatherND or a one-hot product.`)
    const at = axis < 0 ? axis + x.shape.length : axis
    return recording.node('Gather', [x, indices], [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)], typeOf(x), { axis: at })
  },
  OneHot: (recording, { indices }, { depth, onValue, offValue, dtype }: tf.OneHotAttrs) => {
    const type = typeOf({ ...indices, dtype: dtype ?? 'int32' })
    const classes = recording.tensor(recording.builder.constant('int32', [depth], Int32Array.from({ length: depth }, (_, v) => v)), [depth], 'int32')
    const isHere = recording.elementwise('Equal', [expandDims(recording, indices, -1), classes], 'bool')
    if (onValue === 1 && offValue === 0) return cast(recording, isHere, type)
    const [on, off] = [onValue, offValue].map((value) => recording.filled(value, [], type))
    return recording.elementwise('Where', [isHere, on, off], type)
  },
  /** Indices of one axis address the first axis only, one number each. */
  ScatterNd: (recording, { indices, updates }, { shape }: tf.ScatterNdAttrs) => scatterAdd(recording, indices.shape.length === 1 ? expandDims(recording, indices, -1) : indices, updates, shape),
  TensorScatterUpdate: (recording, { tensor, indices, updates }) => recording.node('ScatterND', [tensor], tensor.shape, typeOf(tensor), {}, [wide(recording, indices), recording.full(updates)]),
  UnsortedSegmentSum: (recording, { x, segmentIds }, { numSegments }: tf.UnsortedSegmentSumAttrs) => {
    if (segmentIds.shape.length !== 1) throw new UnsupportedError(`Recording: UnsortedSegmentSum takes segment numbers of one axis, got ${segmentIds.shape.length}.`)
    const shape = [numSegments, ...x.shape.slice(1)]
    if (isNeverNegative(recording, segmentIds)) return scatterAdd(recording, expandDims(recording, segmentIds, -1), x, shape)
    // Rows of negative number count nowhere: −1 addresses the last row, one more than there are segments, which is cut off.
    const kept = recording.elementwise('Max', [segmentIds, scalar(recording, -1, 'int32')], 'int32')
    const sums = scatterAdd(recording, expandDims(recording, kept, -1), x, [numSegments + 1, ...x.shape.slice(1)])
    return recording.node('Slice', [sums], shape, typeOf(x), {}, [[0], [-1], [0]].map((list) => recording.builder.integers(list)))
  },
}
