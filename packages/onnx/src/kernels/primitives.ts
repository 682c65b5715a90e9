/**
 * The primitives of @chainrule/core/tensors, in as few passes over their elements as ONNX allows. Each computes what its
 * composition in core computes, forward and backward; the comments there have the formulas and the axes.
 */
import type * as tf from '@tensorflow/tfjs-core'
import type { Inputs, Kernels, Recording } from '../recording.js'
import { cast, scalar } from './elementwise.js'
import { scatterAdd } from './gathering.js'
import { matrixProduct } from './products.js'
import { expandDims, reshape } from './shapes.js'

const sizeOf = (shape: readonly number[]) => shape.reduce((product, dimension) => product * dimension, 1)
const lastOf = ({ shape }: tf.TensorInfo) => shape[shape.length - 1]
const rows = (recording: Recording, x: tf.TensorInfo) => reshape(recording, x, [sizeOf(x.shape.slice(0, -1)), lastOf(x)])

const float = (recording: Recording, operator: string, ...tensors: tf.TensorInfo[]) => recording.elementwise(operator, tensors, 'float32')

/** aᵀ b over all rows: [D, E]. */
const overRows = (recording: Recording, a: tf.TensorInfo, b: tf.TensorInfo) => matrixProduct(recording, rows(recording, a), rows(recording, b), { transposeA: true })

const ones = (recording: Recording, shape: readonly number[]) => {
  const data = new Float32Array(sizeOf(shape)).fill(1)
  return recording.tensor(recording.builder.constant('float32', shape, data), shape, 'float32')
}

const epsilon = { float: 1e-5 }

/** y, x̂ and 1/deviation. With gradients to come, y = x̂ · scale shares its pass with x̂; else y is the operator's own. */
function layerNormalization(recording: Recording, { 0: x, 1: scale }: Inputs): tf.TensorInfo[] {
  const { builder } = recording
  const perRow = [...x.shape.slice(0, -1), 1]
  const [normalized, , inverse] = builder.several('LayerNormalization', [recording.full(x), recording.full(ones(recording, scale.shape))], 3, { axis: -1, epsilon })
  const [unscaled, deviation] = [recording.tensor(normalized, x.shape, 'float32'), recording.tensor(inverse, perRow, 'float32')]
  const y = recording.target === 'onnxruntime' ? float(recording, 'Mul', unscaled, scale) : recording.node('LayerNormalization', [x, scale], x.shape, 'float32', { axis: -1, epsilon })
  return [y, unscaled, deviation]
}

/** Row means of dy · scale and dy · x̂ · scale, and the column sums of dy · x̂, are products with a vector. */
function layerNormalizationGradient(recording: Recording, { 0: dy, 1: normalized, 2: inverseDeviation, 3: scale }: Inputs): tf.TensorInfo[] {
  const width = lastOf(dy)
  const product = float(recording, 'Mul', dy, normalized)
  const weights = float(recording, 'Mul', reshape(recording, scale, [width, 1]), scalar(recording, 1 / width))
  const meanOf = (x: tf.TensorInfo) => matrixProduct(recording, x, weights)
  const centered = float(recording, 'Sub', float(recording, 'Mul', dy, scale), meanOf(dy))
  const inner = float(recording, 'Sub', centered, float(recording, 'Mul', normalized, meanOf(product)))
  const count = sizeOf(dy.shape) / width
  const sums = matrixProduct(recording, ones(recording, [1, count]), rows(recording, product))
  return [float(recording, 'Mul', inner, inverseDeviation), reshape(recording, sums, scale.shape)]
}

/** With u = x/√2: y = u (1 + erf u)/√2, in 3 passes and two factors that the products around it take in. */
function gelu(recording: Recording, { 0: x }: Inputs): tf.TensorInfo[] {
  const u = float(recording, 'Mul', x, scalar(recording, Math.SQRT1_2))
  const twice = float(recording, 'Add', float(recording, 'Erf', u), scalar(recording, 1))
  const y = recording.target === 'onnxruntime' ? float(recording, 'Mul', float(recording, 'Mul', u, twice), scalar(recording, Math.SQRT1_2)) : float(recording, 'Gelu', x)
  return [y, twice]
}

/** dx = dy/2 (2Φ + 2/√π · u/exp(u²)): where exp(u²) is infinite the quotient is 0, as it should be. */
function geluGradient(recording: Recording, { 0: dy, 1: x, 2: twice }: Inputs): tf.TensorInfo[] {
  const u = float(recording, 'Mul', x, scalar(recording, Math.SQRT1_2))
  const quotient = float(recording, 'Div', u, float(recording, 'Exp', float(recording, 'Mul', u, u)))
  const slope = float(recording, 'Add', float(recording, 'Mul', quotient, scalar(recording, 2 / Math.sqrt(Math.PI))), twice)
  return [float(recording, 'Mul', float(recording, 'Mul', dy, scalar(recording, 0.5)), slope)]
}

function reluSquared(recording: Recording, { 0: x }: Inputs): tf.TensorInfo[] {
  const rectified = float(recording, 'Relu', x)
  return [float(recording, 'Mul', rectified, rectified), rectified]
}

/** Without a kernel of its own on every provider: the mean square in one pass, and a scaling. */
function rootMeanSquareNormalization(recording: Recording, { 0: x }: Inputs): tf.TensorInfo[] {
  const perRow = [...x.shape.slice(0, -1), 1]
  const squares = recording.node('ReduceSumSquare', [x], perRow, 'float32', { keepdims: 1 }, [recording.builder.integers([x.shape.length - 1])])
  const mean = float(recording, 'Mul', squares, scalar(recording, 1 / lastOf(x)))
  const inverse = float(recording, 'Reciprocal', float(recording, 'Sqrt', float(recording, 'Add', mean, scalar(recording, 1e-5))))
  return [float(recording, 'Mul', x, inverse), inverse]
}

function rootMeanSquareNormalizationGradient(recording: Recording, { 0: dy, 1: y, 2: inverse }: Inputs): tf.TensorInfo[] {
  const axis = recording.builder.integers([y.shape.length - 1])
  const inner = recording.node('ReduceMean', [float(recording, 'Mul', dy, y)], inverse.shape, 'float32', { keepdims: 1 }, [axis])
  return [float(recording, 'Mul', float(recording, 'Sub', dy, float(recording, 'Mul', y, inner)), inverse)]
}

function categoricalLogProbability(recording: Recording, { 0: logits, 1: x }: Inputs): tf.TensorInfo[] {
  const axis = logits.shape.length - 1
  const all = recording.node('LogSoftmax', [logits], logits.shape, 'float32', { axis: -1 })
  const at = recording.full(expandDims(recording, x, -1))
  const picked = recording.node('GatherElements', [all], [...x.shape, 1], 'float32', { axis: -1 }, [at])
  return [recording.node('Squeeze', [picked], x.shape, 'float32', {}, [recording.builder.integers([axis])]), all]
}

/** (onehot(x) − p) dy as −p dy with dy added at x. */
function categoricalLogProbabilityGradient(recording: Recording, { 0: dy, 1: all, 2: x }: Inputs): tf.TensorInfo[] {
  const perRow = expandDims(recording, dy, -1)
  const others = float(recording, 'Mul', float(recording, 'Exp', all), float(recording, 'Neg', perRow))
  const at = recording.full(expandDims(recording, x, -1))
  return [recording.node('ScatterElements', [others], all.shape, 'float32', { axis: -1, reduction: 'add' }, [at, recording.full(perRow)])]
}

export const primitives: Kernels = {
  ChainruleCategoricalLogProbability: categoricalLogProbability,
  ChainruleCategoricalLogProbabilityGradient: categoricalLogProbabilityGradient,
  ChainruleEmbedding: (recording, { 0: table, 1: indices }) => [recording.node('Gather', [table, indices], [...indices.shape, table.shape[1]], 'float32', { axis: 0 })],
  ChainruleEmbeddingGradient: (recording, { 0: dy, 1: indices }, { rows: count }: { rows: number }) => [
    scatterAdd(recording, expandDims(recording, cast(recording, indices, 'int32'), -1), dy, [count, lastOf(dy)]),
  ],
  ChainruleGelu: gelu,
  ChainruleGeluGradient: geluGradient,
  ChainruleLayerNormalization: layerNormalization,
  ChainruleLayerNormalizationGradient: layerNormalizationGradient,
  ChainruleLinear: (recording, { 0: x, 1: weight }, { transposed }: { transposed: boolean }) => [matrixProduct(recording, x, weight, { transposeB: transposed })],
  ChainruleLinearWeightGradient: (recording, { 0: a, 1: b }) => [overRows(recording, a, b)],
  ChainruleReluSquared: reluSquared,
  ChainruleReluSquaredGradient: (recording, { 0: dy, 1: rectified }) => [float(recording, 'Mul', float(recording, 'Mul', dy, scalar(recording, 2)), rectified)],
  ChainruleRootMeanSquareNormalization: rootMeanSquareNormalization,
  ChainruleRootMeanSquareNormalizationGradient: rootMeanSquareNormalizationGradient,
  ChainruleSumOfSquares: (recording, { 0: x }) =>
    x.shape.length === 0 ? [float(recording, 'Mul', x, x)] : [recording.node('ReduceSumSquare', [x], [], 'float32', { keepdims: 0 }, [recording.builder.integers(x.shape.map((_, axis) => axis))])],
}
