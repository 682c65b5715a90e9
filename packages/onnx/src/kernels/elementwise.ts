/** Arithmetic and functions of single elements. Whole numbers follow tfjs: division of int32 rounds down, powers stay int32. */
import { UnsupportedError } from '@chainrule/core'
import type * as tf from '@tensorflow/tfjs-core'
import { dataTypeOf } from '../serialize.js'
import { broadcast, type Inputs, type Kernel, type Kernels, type Recording, typeOf } from '../recording.js'

/** Casts a tensor, element by element. */
export function cast(recording: Recording, x: tf.TensorInfo, type: 'float32' | 'int32' | 'bool'): tf.TensorInfo {
  return x.dtype === type ? x : recording.elementwise('Cast', [x], type, { to: dataTypeOf(type) })
}

/** A constant as a tensor of shape [], to be used beside x. */
export const scalar = (recording: Recording, value: number, type: 'float32' | 'int32' = 'float32'): tf.TensorInfo => recording.filled(value, [], type)

function numeric(kernel: string, ...tensors: tf.TensorInfo[]): 'float32' | 'int32' {
  const type = typeOf(tensors[0])
  if (type === 'bool') throw new UnsupportedError(`Recording: ${kernel} of bool has no ONNX form. Cast to float32 or int32 first.`)
  return type
}

const binary =
  (operator: string, neutral?: number, isCommutative = false): Kernel =>
  (recording, { a, b }) => {
    const type = numeric(operator, a, b)
    const shape = broadcast([a.shape, b.shape])
    if (neutral !== undefined && recording.uniform(b) === neutral) return recording.alias(a, shape)
    if (neutral !== undefined && isCommutative && recording.uniform(a) === neutral) return recording.alias(b, shape)
    return recording.elementwise(operator, [a, b], type)
  }

const unary =
  (operator: string): Kernel =>
  (recording, { x }) =>
    recording.elementwise(operator, [x], numeric(operator, x))

/** ⌊a/b⌋: for int32 by the remainder that has the divisor's sign, so that it is exact. */
function floorDivision(recording: Recording, { a, b }: Inputs): tf.TensorInfo {
  if (numeric('FloorDiv', a, b) === 'float32') return cast(recording, recording.elementwise('Floor', [recording.elementwise('Div', [a, b], 'float32')], 'float32'), 'int32')
  const remainder = recording.elementwise('Mod', [a, b], 'int32')
  return recording.elementwise('Div', [recording.elementwise('Sub', [a, remainder], 'int32'), b], 'int32')
}

/** a − b ⌊a/b⌋, with the divisor's sign. */
function modulo(recording: Recording, { a, b }: Inputs): tf.TensorInfo {
  if (numeric('Mod', a, b) === 'int32') return recording.elementwise('Mod', [a, b], 'int32')
  const quotient = recording.elementwise('Floor', [recording.elementwise('Div', [a, b], 'float32')], 'float32')
  return recording.elementwise('Sub', [a, recording.elementwise('Mul', [b, quotient], 'float32')], 'float32')
}

/** log(1 + x) = x log(u)/(u − 1) with u = 1 + x rounded, which takes back the rounding; x where u is 1, log u where u is x. */
function logarithmOfOnePlus(recording: Recording, { x }: Inputs): tf.TensorInfo {
  const one = scalar(recording, 1)
  const u = recording.elementwise('Add', [x, one], 'float32')
  const logarithm = recording.elementwise('Log', [u], 'float32')
  const ratio = recording.elementwise('Div', [logarithm, recording.elementwise('Sub', [u, one], 'float32')], 'float32')
  const corrected = recording.elementwise('Mul', [x, ratio], 'float32')
  const small = recording.elementwise('Where', [recording.elementwise('Equal', [u, one], 'bool'), x, corrected], 'float32')
  return recording.elementwise('Where', [recording.elementwise('Equal', [u, x], 'bool'), logarithm, small], 'float32')
}

/** eˣ − 1 = tanh(x/2) (eˣ + 1), exact for small x too. */
function exponentialMinusOne(recording: Recording, { x }: Inputs): tf.TensorInfo {
  const half = recording.elementwise('Tanh', [recording.elementwise('Mul', [x, scalar(recording, 0.5)], 'float32')], 'float32')
  const above = recording.elementwise('Add', [recording.elementwise('Exp', [x], 'float32'), scalar(recording, 1)], 'float32')
  return recording.elementwise('Mul', [half, above], 'float32')
}

export const elementwise: Kernels = {
  Abs: unary('Abs'),
  Add: binary('Add', 0, true),
  AddN: (recording, inputs) => {
    const all = Object.values(inputs)
    if (numeric('AddN', all[0]) === 'float32') return recording.elementwise('Sum', all, 'float32')
    return all.slice(1).reduce((sum, tensor) => recording.elementwise('Add', [sum, tensor], 'int32'), all[0])
  },
  Cast: (recording, { x }, { dtype }: tf.CastAttrs) => (x.dtype === dtype ? recording.alias(x) : cast(recording, x, typeOf({ ...x, dtype }))),
  Ceil: unary('Ceil'),
  ClipByValue: (recording, { x }, { clipValueMin, clipValueMax }: tf.ClipByValueAttrs) => {
    const type = numeric('ClipByValue', x)
    return recording.elementwise('Min', [recording.elementwise('Max', [x, scalar(recording, clipValueMin, type)], type), scalar(recording, clipValueMax, type)], type)
  },
  Cos: unary('Cos'),
  Elu: unary('Elu'),
  /** dy where y ≥ 0; else dy eˣ = dy (y + 1). */
  EluGrad: (recording, { dy, y }) => {
    const isPositive = recording.elementwise('GreaterOrEqual', [y, scalar(recording, 0)], 'bool')
    const slope = recording.elementwise('Add', [y, scalar(recording, 1)], 'float32')
    return recording.elementwise('Where', [isPositive, dy, recording.elementwise('Mul', [dy, slope], 'float32')], 'float32')
  },
  Erf: unary('Erf'),
  Exp: (recording, { x }) => recording.elementwise('Exp', [cast(recording, x, 'float32')], 'float32'),
  Expm1: exponentialMinusOne,
  Floor: unary('Floor'),
  FloorDiv: floorDivision,
  Identity: (recording, { x }) => recording.alias(x),
  LeakyRelu: (recording, { x }, { alpha }: tf.LeakyReluAttrs) => recording.elementwise('LeakyRelu', [cast(recording, x, 'float32')], 'float32', { alpha: { float: alpha } }),
  Log: unary('Log'),
  Log1p: logarithmOfOnePlus,
  Maximum: binary('Max'),
  Minimum: binary('Min'),
  Mod: modulo,
  Multiply: binary('Mul', 1, true),
  Neg: unary('Neg'),
  Pow: binary('Pow'),
  RealDiv: binary('Div', 1),
  Reciprocal: unary('Reciprocal'),
  Relu: unary('Relu'),
  Round: (recording, { x }) => (numeric('Round', x) === 'int32' ? recording.alias(x) : recording.elementwise('Round', [x], 'float32')),
  Rsqrt: (recording, { x }) => recording.elementwise('Reciprocal', [recording.elementwise('Sqrt', [x], 'float32')], 'float32'),
  Sigmoid: unary('Sigmoid'),
  Sign: unary('Sign'),
  Sin: unary('Sin'),
  Softplus: unary('Softplus'),
  Sqrt: unary('Sqrt'),
  Square: (recording, { x }) => recording.elementwise('Mul', [x, x], numeric('Square', x)),
  SquaredDifference: (recording, { a, b }) => {
    const difference = recording.elementwise('Sub', [a, b], numeric('SquaredDifference', a, b))
    return recording.elementwise('Mul', [difference, difference], typeOf(a))
  },
  Step: (recording, { x }, { alpha }: tf.StepAttrs) => {
    // min(1, max(0, x s)) with s so large that no positive x but a denormal one stays below 1: one pass, which a comparison and a Cast are not.
    if (recording.target === 'onnxruntime' && typeOf(x) === 'float32' && !alpha) return recording.elementwise('HardSigmoid', [x], 'float32', { alpha: { float: 3e38 }, beta: { float: 0 } })
    const isPositive = recording.elementwise('Greater', [x, scalar(recording, 0, numeric('Step', x))], 'bool')
    const result = alpha === 0 || alpha === undefined ? cast(recording, isPositive, 'float32') : recording.elementwise('Where', [isPositive, scalar(recording, 1), scalar(recording, alpha)], 'float32')
    return cast(recording, result, numeric('Step', x))
  },
  Sub: binary('Sub', 0),
  Tanh: unary('Tanh'),
}
