/** Sums, means, extremes and running sums along axes. */
import { UnsupportedError } from '@chainrule/core'
import * as tf from '@tensorflow/tfjs-core'
import { dataTypeOf } from '../serialize.js'
import { type Inputs, type Kernel, type Kernels, type Recording, typeOf } from '../recording.js'
import { cast } from './elementwise.js'

interface ReductionAttributes {
  axis?: number | number[]
  /** What Max calls its axes. */
  reductionIndices?: number | number[]
  keepDims: boolean
}

function reduce(recording: Recording, operator: string, x: tf.TensorInfo, { axis, reductionIndices, keepDims }: ReductionAttributes): tf.TensorInfo {
  const axes = tf.util.parseAxisParam((axis ?? reductionIndices)!, x.shape)
  if (axes.length === 0) return recording.alias(x)
  const shape = x.shape.flatMap((dimension, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [dimension]))
  return recording.node(operator, [x], shape, typeOf(x), { keepdims: keepDims ? 1 : 0 }, [recording.builder.integers(axes)])
}

const reduction =
  (operator: string): Kernel =>
  (recording, { x }, attributes: ReductionAttributes) =>
    reduce(recording, operator, x, attributes)

/** Of bools, by way of int32: not every provider reduces bools. */
const logical =
  (operator: string): Kernel =>
  (recording, { x }, attributes: ReductionAttributes) =>
    cast(recording, reduce(recording, operator, cast(recording, x, 'int32'), attributes), 'bool')

const indexOfExtreme =
  (operator: string): Kernel =>
  (recording, { x }, { axis }: tf.ArgMaxAttrs) => {
    const [at] = tf.util.parseAxisParam(axis, x.shape)
    const shape = x.shape.filter((_, i) => i !== at)
    const index = recording.node(operator, [x], shape, 'int64', { axis: at, keepdims: 0 })
    return recording.elementwise('Cast', [index], 'int32', { to: dataTypeOf('int32') })
  }

/** Running products have no operator in this opset: one product after the other, for axes that are short. */
function runningProduct(recording: Recording, { x }: Inputs, { axis, exclusive, reverse }: tf.CumprodAttrs): tf.TensorInfo {
  const count = x.shape[axis]
  if (count > 256) throw new UnsupportedError(`Recording: Cumprod over ${count} elements would need as many nodes; at most 256 are recorded.`)
  const { builder } = recording
  const parts = builder.several('Split', [recording.full(x), builder.integers(Array(count).fill(1))], count, { axis })
  const ordered = reverse ? parts.reverse() : parts
  const shape = x.shape.map((dimension, i) => (i === axis ? 1 : dimension))
  let product = recording.full(recording.filled(1, shape, typeOf(x)))
  const products = ordered.map((part) => {
    const before = product
    product = builder.node('Mul', [before, part])
    return exclusive ? before : product
  })
  return recording.tensor(builder.node('Concat', reverse ? products.reverse() : products, { axis }), x.shape, typeOf(x))
}

export const reductions: Kernels = {
  All: logical('ReduceMin'),
  Any: logical('ReduceMax'),
  ArgMax: indexOfExtreme('ArgMax'),
  ArgMin: indexOfExtreme('ArgMin'),
  Cumprod: runningProduct,
  Cumsum: (recording, { x }, { axis, exclusive, reverse }: tf.CumsumAttrs) =>
    recording.node('CumSum', [x], x.shape, typeOf(x), { exclusive: exclusive ? 1 : 0, reverse: reverse ? 1 : 0 }, [recording.builder.integer(axis)]),
  Max: reduction('ReduceMax'),
  Mean: (recording, { x }, attributes: ReductionAttributes) => reduce(recording, 'ReduceMean', cast(recording, x, 'float32'), attributes),
  Min: reduction('ReduceMin'),
  Prod: (recording, { x }, attributes: ReductionAttributes) => reduce(recording, 'ReduceProd', typeOf(x) === 'bool' ? cast(recording, x, 'int32') : x, attributes),
  Sum: (recording, { x }, attributes: ReductionAttributes) => reduce(recording, 'ReduceSum', typeOf(x) === 'bool' ? cast(recording, x, 'int32') : x, attributes),
}
