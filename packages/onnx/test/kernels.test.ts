/** Recorded = eager for every tfjs kernel: values and gradients, over random shapes and broadcasts. */
import type { Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { kernels } from '../src/kernels/index.js'
import { eagerly, expectRecordedIsEager, type Given, type Givens, type Tolerance, withGradients } from './law.js'

const size = (shape: readonly number[]) => shape.reduce((product, dimension) => product * dimension, 1)

/** Numbers that float32 holds, with a few exact ones (0, ties) among them. */
const number = (low: number, high: number) =>
  fc.oneof({ weight: 4, arbitrary: fc.double({ min: low, max: high, noNaN: true }) }, { weight: 1, arbitrary: fc.integer({ min: Math.ceil(low), max: Math.floor(high) }) }).map(Math.fround)

const floats = (shape: readonly number[], low = -3, high = 3): fc.Arbitrary<Given> =>
  fc.array(number(low, high), { minLength: size(shape), maxLength: size(shape) }).map((values) => ({ shape, type: 'float32', data: Float32Array.from(values) }))
const integers = (shape: readonly number[], low = -9, high = 9): fc.Arbitrary<Given> =>
  fc.array(fc.integer({ min: low, max: high }), { minLength: size(shape), maxLength: size(shape) }).map((values) => ({ shape, type: 'int32', data: Int32Array.from(values) }))
const bools = (shape: readonly number[]): fc.Arbitrary<Given> =>
  fc.array(fc.integer({ min: 0, max: 1 }), { minLength: size(shape), maxLength: size(shape) }).map((values) => ({ shape, type: 'bool', data: Uint8Array.from(values) }))

const shape = (minimum = 0, maximum = 3): fc.Arbitrary<number[]> => fc.array(fc.integer({ min: 1, max: 4 }), { minLength: minimum, maxLength: maximum })

/** Two shapes that broadcast with each other. */
const pair: fc.Arbitrary<[number[], number[]]> = shape(0, 3).chain((all) =>
  fc.tuple(fc.array(fc.boolean(), { minLength: all.length, maxLength: all.length }), fc.array(fc.boolean(), { minLength: all.length, maxLength: all.length }), fc.nat(all.length), fc.boolean()).map(([a, b, cut, which]) => {
    const [left, right] = [a, b].map((ones) => all.map((dimension, i) => (ones[i] ? 1 : dimension)))
    return which ? [left.slice(cut), right] : [left, right.slice(cut)]
  }),
)

interface Law {
  readonly givens: fc.Arbitrary<Givens>
  readonly f: (inputs: Tensors) => tf.Tensor
  /** Inputs whose gradients are compared too. */
  readonly gradients?: readonly string[]
  readonly tolerance?: Tolerance
  readonly runs?: number
}

const one = (make: (shape: readonly number[]) => fc.Arbitrary<Given>, shapes = shape()): fc.Arbitrary<Givens> => shapes.chain(make).map((x) => ({ x }))
const two = (make: (shape: readonly number[]) => fc.Arbitrary<Given>, makeSecond = make): fc.Arbitrary<Givens> => pair.chain(([a, b]) => fc.tuple(make(a), makeSecond(b)).map(([a, b]) => ({ a, b })))
const positive = (low: number) => (s: readonly number[]) => floats(s, low, 4)

/** One rounding of a float32, twice. */
const exact: Tolerance = { absolute: 1e-6, relative: 1e-6 }
const close: Tolerance = { absolute: 2e-5, relative: 2e-5 }

const unary = (f: (x: tf.Tensor) => tf.Tensor, make: (s: readonly number[]) => fc.Arbitrary<Given> = floats, tolerance: Tolerance = close): Law => ({ givens: one(make), f: ({ x }) => f(x), gradients: ['x'], tolerance })
const binary = (f: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, make: (s: readonly number[]) => fc.Arbitrary<Given> = floats, makeSecond = make): Law => ({ givens: two(make, makeSecond), f: ({ a, b }) => f(a, b), gradients: ['a', 'b'], tolerance: close })
const value = (law: Law): Law => ({ ...law, gradients: [] })
const onInteger = (f: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, second = (s: readonly number[]) => integers(s)): Law => value({ ...binary(f, (s) => integers(s), second), tolerance: {} })
/** A tensor, and one of its axes. */
const alongAxis = (make: (s: readonly number[]) => fc.Arbitrary<Given> = floats) => shape(1, 4).chain((s) => fc.tuple(make(s), fc.nat(s.length - 1)))

/** A law for each draw of something that decides the program itself. */
interface DrawnLaw<T> {
  readonly drawn: fc.Arbitrary<T>
  readonly law: (drawn: T) => { givens: Givens; f: (inputs: Tensors) => tf.Tensor }
  readonly gradients?: readonly string[]
  readonly tolerance?: Tolerance
}
const drawn = <T>(law: DrawnLaw<T>): DrawnLaw<unknown> => law as unknown as DrawnLaw<unknown>

const axesOf = (rank: number) => fc.subarray([...Array(rank).keys()])
const reduction = (f: (x: tf.Tensor, axes: number[], keepDims: boolean) => tf.Tensor, make: (s: readonly number[]) => fc.Arbitrary<Given> = floats, gradients = ['x']) =>
  drawn({
    drawn: shape(0, 4).chain((s) => fc.tuple(make(s), axesOf(s.length), fc.boolean())),
    law: ([x, axes, keepDims]) => ({ givens: { x }, f: ({ x }) => f(x, axes, keepDims) }),
    gradients,
    tolerance: close,
  })

const nonZero = (s: readonly number[]) => integers(s, 1, 9).chain((x) => fc.array(fc.boolean(), { minLength: x.data.length, maxLength: x.data.length }).map((signs): Given => ({ ...x, data: Int32Array.from(x.data, (v, i) => (signs[i] ? v : -v)) })))
const toQuarters = (x: Given): Given => ({ ...x, type: 'float32', data: Float32Array.from(x.data, (v) => v / 4) })
const quarters = (s: readonly number[]) => integers(s).map(toQuarters)
/** Away from 0, where a gradient jumps and the two sides may round apart. */
const distinct = (s: readonly number[]): fc.Arbitrary<Given> => fc.shuffledSubarray([...Array(Math.max(1, size(s))).keys()], { minLength: size(s), maxLength: size(s) }).map((values) => ({ shape: s, type: 'float32', data: Float32Array.from(values, (v) => 0.3 * v - 2.05) }))

/** A convolution: an input and a filter that has a place in it (for tfjs, which takes one number as padding with the rows for both axes), with the options of both. */
const convolved = fc
  .record({ batch: fc.integer({ min: 1, max: 2 }), size: fc.tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 })), channels: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })), filter: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })), strides: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })), pad: fc.constantFrom('same' as const, 'valid' as const, 1, [[0, 0], [2, 0], [0, 1], [0, 0]] as tf.backend_util.ExplicitPadding), dilated: fc.boolean() })
  .filter(({ size: [height, width], filter: [rows, columns], pad }) => pad === 'same' || (pad === 1 ? rows <= Math.min(height, width) + 2 && columns <= width + 2 : rows <= height && columns <= width))
const filtered = convolved.chain((options) => {
  const { batch, size, channels, filter } = options
  return fc.tuple(floats([batch, ...size, channels[0]]), floats([...filter, ...channels]), fc.constant(options))
})
const asConvolution = (kernel: typeof tf.conv2d | typeof tf.depthwiseConv2d) =>
  drawn({
    drawn: filtered,
    law: ([x, w, { strides, pad }]) => ({ givens: { x, w }, f: ({ x, w }) => kernel(x as tf.Tensor4D, w as tf.Tensor4D, strides, pad) }),
    gradients: ['x', 'w'],
    tolerance: close,
  })
/** tfjs has no gradient of dilated convolutions. */
const asDilated = (kernel: typeof tf.conv2d | typeof tf.depthwiseConv2d) =>
  drawn({
    drawn: filtered.filter(([, , { pad }]) => pad === 'same'),
    law: ([x, w]) => ({ givens: { x, w }, f: ({ x, w }) => kernel(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same', 'NHWC', [2, 3]) }),
    tolerance: close,
  })
/** A gradient of a convolution as an operation of its own, which is how tfjs's gradients call it. */
const asGradient = (kernel: typeof tf.conv2d | typeof tf.depthwiseConv2d, of: 'x' | 'w') =>
  drawn({
    drawn: filtered,
    law: ([x, w, { strides, pad }]) => ({
      givens: { x, w },
      f: ({ x, w }) => {
        const loss = (x: tf.Tensor, w: tf.Tensor) => tf.sum(tf.square(kernel(x as tf.Tensor4D, w as tf.Tensor4D, strides, pad)))
        return of === 'x' ? tf.grad((at) => loss(at, w))(x) : tf.grad((at) => loss(x, at))(w)
      },
    }),
    tolerance: { absolute: 1e-3, relative: 2e-5 },
  })

const laws: Record<string, (Law | DrawnLaw<unknown>)[]> = {
  Abs: [unary(tf.abs), value({ ...unary(tf.abs, (s) => integers(s)), tolerance: {} })],
  Add: [binary(tf.add), onInteger(tf.add), unary((x) => tf.add(x, 0)), unary((x) => tf.add(tf.zeros([2, ...x.shape]), x))],
  AddN: [
    drawn({ drawn: shape().chain((s) => fc.tuple(floats(s), floats(s), floats(s))), law: ([x, y, z]) => ({ givens: { x, y, z }, f: ({ x, y, z }) => tf.addN([x, y, z, x]) }), gradients: ['x', 'y', 'z'], tolerance: close }),
    { givens: one((s) => integers(s)), f: ({ x }) => tf.addN([x, x, x]), tolerance: {} },
  ],
  All: [reduction((x, axes, keepDims) => tf.all(x, axes, keepDims), bools, [])],
  Any: [reduction((x, axes, keepDims) => tf.any(x, axes, keepDims), bools, [])],
  ArgMax: [drawn({ drawn: alongAxis(), law: ([x, axis]) => ({ givens: { x }, f: ({ x }) => tf.argMax(x, axis) }) })],
  ArgMin: [drawn({ drawn: alongAxis((s) => integers(s)), law: ([x, axis]) => ({ givens: { x }, f: ({ x }) => tf.argMin(x, axis) }) })],
  BatchMatMul: [
    drawn({
      drawn: fc.tuple(shape(0, 2), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), fc.boolean(), fc.boolean()).chain(([batch, m, k, n, ta, tb]) =>
        fc.tuple(floats([...batch, ...(ta ? [k, m] : [m, k])]), floats([...batch, ...(tb ? [n, k] : [k, n])]), fc.constant([ta, tb]))),
      law: ([a, b, [ta, tb]]) => ({ givens: { a, b }, f: ({ a, b }) => tf.matMul(a, b, ta, tb) }),
      gradients: ['a', 'b'],
      tolerance: close,
    }),
    // A batch axis of 1 is the same for all (values only: tfjs has no right gradient for it), and factors move into the product.
    drawn({
      drawn: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.boolean(), fc.boolean()).chain(([batch, which, tb]) => fc.tuple(floats([which ? batch : 1, 2, 3]), floats([which ? 1 : batch, ...(tb ? [4, 3] : [3, 4])]), fc.constant(tb))),
      law: ([a, b, tb]) => ({ givens: { a, b }, f: ({ a, b }) => tf.mul(tf.matMul(tf.div(a, 4), tf.reshape(tf.mul(tf.reshape(b, [-1]), 3), b.shape), false, tb), 0.5) }),
      tolerance: close,
    }),
  ],
  Cast: [
    { givens: one(floats), f: ({ x }) => tf.cast(x, 'int32'), tolerance: {} },
    { givens: one(floats), f: ({ x }) => tf.cast(x, 'bool'), tolerance: {} },
    { givens: one((s) => integers(s)), f: ({ x }) => tf.cast(tf.cast(x, 'bool'), 'float32'), tolerance: {} },
    { givens: one((s) => integers(s)), f: ({ x }) => tf.cast(x, 'float32'), tolerance: {} },
    { givens: one(bools), f: ({ x }) => tf.cast(x, 'int32'), tolerance: {} },
  ],
  Ceil: [value(unary(tf.ceil))],
  ClipByValue: [unary((x) => tf.clipByValue(x, -1.25, 1.5)), { givens: one((s) => integers(s)), f: ({ x }) => tf.clipByValue(x, -2, 3), tolerance: {} }],
  Concat: [
    drawn({
      drawn: fc.tuple(shape(1, 3), fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }), fc.nat(2)).chain(([s, lengths, at]) => fc.tuple(fc.tuple(...lengths.map((length) => floats(s.map((dimension, i) => (i === at % s.length ? length : dimension))))), fc.constant(at % s.length))),
      law: ([parts, axis]) => ({ givens: Object.fromEntries(parts.map((part, i) => [`part${i}`, part])), f: (inputs) => tf.concat(Object.values(inputs), axis) }),
      gradients: ['part0'],
    }),
  ],
  Conv2D: [
    asConvolution(tf.conv2d),
    asDilated(tf.conv2d),
    drawn({ drawn: fc.tuple(floats([2, 6, 3]), floats([3, 3, 2]), fc.integer({ min: 1, max: 2 })), law: ([x, w, stride]) => ({ givens: { x, w }, f: ({ x, w }) => tf.conv1d(x as tf.Tensor3D, w as tf.Tensor3D, stride, 'same') }), gradients: ['x', 'w'], tolerance: close }),
  ],
  Conv2DBackpropFilter: [asGradient(tf.conv2d, 'w')],
  Conv2DBackpropInput: [
    asGradient(tf.conv2d, 'x'),
    drawn({ drawn: fc.tuple(floats([2, 3, 2, 2]), floats([3, 2, 3, 2]), fc.integer({ min: 0, max: 1 })), law: ([y, w, more]) => ({ givens: { y, w }, f: ({ y, w }) => tf.conv2dTranspose(y as tf.Tensor4D, w as tf.Tensor4D, [2, 5 + more, 3 + more, 3], 2, 'same') }), gradients: ['y', 'w'], tolerance: close }),
  ],
  Cos: [unary(tf.cos)],
  Cumsum: [
    drawn({ drawn: fc.tuple(alongAxis(), fc.boolean(), fc.boolean()), law: ([[x, axis], exclusive, reverse]) => ({ givens: { x }, f: ({ x }) => tf.cumsum(x, axis, exclusive, reverse) }), tolerance: close }),
    // tfjs's own gradient is right along the last axis only.
    drawn({ drawn: fc.tuple(shape(1, 3).chain(floats), fc.boolean(), fc.boolean()), law: ([x, exclusive, reverse]) => ({ givens: { x }, f: ({ x }) => tf.cumsum(x, x.rank - 1, exclusive, reverse) }), gradients: ['x'], tolerance: close }),
  ],
  DepthwiseConv2dNative: [asConvolution(tf.depthwiseConv2d), asDilated(tf.depthwiseConv2d)],
  DepthwiseConv2dNativeBackpropFilter: [asGradient(tf.depthwiseConv2d, 'w')],
  DepthwiseConv2dNativeBackpropInput: [asGradient(tf.depthwiseConv2d, 'x')],
  Elu: [unary(tf.elu)],
  EluGrad: [value(unary((x) => tf.grad(tf.elu)(x)))],
  Equal: [onInteger(tf.equal), value(binary(tf.equal)), value({ ...binary(tf.equal, bools), tolerance: {} })],
  Erf: [unary(tf.erf)],
  Exp: [unary(tf.exp)],
  ExpandDims: [drawn({ drawn: alongAxis(), law: ([x, axis]) => ({ givens: { x }, f: ({ x }) => tf.expandDims(x, axis - x.rank) }), gradients: ['x'] })],
  Expm1: [unary(tf.expm1), value(unary(tf.expm1, (s) => floats(s, -1e-4, 1e-4), { relative: 1e-5 })), value(unary(tf.expm1, (s) => floats(s, -100, 20), close))],
  Fill: [{ givens: one(floats), f: ({ x }) => tf.add(tf.fill([2, ...x.shape], 1.5), x), tolerance: exact }, { givens: one(floats), f: ({ x }) => tf.concat([tf.fill([2, x.size], 2.5), tf.reshape(x, [1, -1])], 0), tolerance: exact }],
  Floor: [value(unary(tf.floor))],
  FloorDiv: [onInteger(tf.floorDiv, nonZero), onInteger(tf.div, nonZero), { givens: two(floats, positive(0.5)), f: ({ a, b }) => tf.floorDiv(a, b), tolerance: {} }],
  GatherNd: [
    drawn({
      drawn: fc.tuple(floats([3, 4, 2]), fc.integer({ min: 1, max: 3 })).chain(([params, depth]) => fc.tuple(fc.constant(params), fc.array(fc.tuple(fc.nat(2), fc.nat(3), fc.nat(1)), { minLength: 1, maxLength: 5 }).map((rows): Given => ({ shape: [rows.length, depth], type: 'int32', data: Int32Array.from(rows.flatMap((row) => row.slice(0, depth))) })))),
      law: ([params, indices]) => ({ givens: { params, indices }, f: ({ params, indices }) => tf.gatherND(params, indices) }),
    }),
  ],
  GatherV2: [
    drawn({
      drawn: fc.tuple(shape(1, 3), fc.nat(2), shape(0, 2)).chain(([s, at, places]) => fc.tuple(floats(s), integers(places, 0, s[at % s.length] - 1), fc.constant(at % s.length))),
      law: ([x, indices, axis]) => ({ givens: { x, indices }, f: ({ x, indices }) => tf.gather(x, indices as tf.Tensor1D, axis) }),
      gradients: ['x'],
      tolerance: close,
    }),
  ],
  Greater: [onInteger(tf.greater), value(binary(tf.greater))],
  GreaterEqual: [onInteger(tf.greaterEqual), value(binary(tf.greaterEqual))],
  Identity: [unary(tf.clone)],
  IsFinite: [{ givens: one((s) => special(s)), f: ({ x }) => tf.isFinite(x), tolerance: {} }],
  IsInf: [{ givens: one((s) => special(s)), f: ({ x }) => tf.isInf(x), tolerance: {} }],
  IsNan: [{ givens: one((s) => special(s)), f: ({ x }) => tf.isNaN(x), tolerance: {} }],
  LeakyRelu: [value(unary((x) => tf.leakyRelu(x, 0.3)))],
  Less: [onInteger(tf.less), value(binary(tf.less))],
  LessEqual: [onInteger(tf.lessEqual), value(binary(tf.lessEqual))],
  Log: [unary(tf.log, positive(0.2))],
  Log1p: [unary(tf.log1p, (s) => floats(s, -0.8, 4)), value(unary(tf.log1p, (s) => floats(s, -1e-4, 1e-4), { relative: 1e-5 })), value(unary(tf.log1p, (s) => floats(s, 0, 1e9), close))],
  LogicalAnd: [{ givens: two(bools), f: ({ a, b }) => tf.logicalAnd(a, b) }],
  LogicalNot: [{ givens: one(bools), f: ({ x }) => tf.logicalNot(x) }],
  LogicalOr: [{ givens: two(bools), f: ({ a, b }) => tf.logicalOr(a, b) }],
  Max: [reduction((x, axes, keepDims) => tf.max(x, axes, keepDims), distinct), reduction((x, axes, keepDims) => tf.max(x, axes, keepDims), (s) => integers(s), [])],
  Maximum: [onInteger(tf.maximum), value(binary(tf.maximum)), drawn({ drawn: shape().chain((s) => fc.tuple(distinct(s), distinct(s))), law: ([a, b]) => ({ givens: { a, b }, f: ({ a, b }) => tf.maximum(a, b) }), gradients: ['a', 'b'] })],
  Mean: [reduction((x, axes, keepDims) => tf.mean(x, axes, keepDims)), reduction((x, axes, keepDims) => tf.mean(x, axes, keepDims), (s) => integers(s), [])],
  Min: [reduction((x, axes, keepDims) => tf.min(x, axes, keepDims), distinct)],
  Minimum: [onInteger(tf.minimum), value(binary(tf.minimum)), drawn({ drawn: shape().chain((s) => fc.tuple(distinct(s), distinct(s))), law: ([a, b]) => ({ givens: { a, b }, f: ({ a, b }) => tf.minimum(a, b) }), gradients: ['a', 'b'] })],
  Mod: [onInteger(tf.mod, nonZero), { givens: two(quarters, (s) => nonZero(s).map(toQuarters)), f: ({ a, b }) => tf.mod(a, b), tolerance: exact }],
  Multiply: [binary(tf.mul), onInteger(tf.mul), unary((x) => tf.mul(tf.ones([2, ...x.shape]), x)), unary((x) => tf.mul(x, 1))],
  Neg: [unary(tf.neg), { givens: one((s) => integers(s)), f: ({ x }) => tf.neg(x) }],
  NotEqual: [onInteger(tf.notEqual)],
  OneHot: [
    { givens: shape(0, 2).chain((s) => integers(s, -2, 5)).map((x) => ({ x })), f: ({ x }) => tf.oneHot(x as tf.Tensor1D, 4, 1, 0, 'float32') },
    { givens: shape(0, 2).chain((s) => integers(s, -2, 5)).map((x) => ({ x })), f: ({ x }) => tf.oneHot(x as tf.Tensor1D, 4, 7, -1, 'int32') },
  ],
  OnesLike: [{ givens: one(floats), f: ({ x }) => tf.add(tf.onesLike(x), x), tolerance: exact }, { givens: one((s) => integers(s)), f: ({ x }) => tf.onesLike(x) }],
  Pack: [drawn({ drawn: shape(0, 2).chain((s) => fc.tuple(floats(s), floats(s), fc.integer({ min: -s.length - 1, max: s.length }))), law: ([x, y, axis]) => ({ givens: { x, y }, f: ({ x, y }) => tf.stack([x, y, x], axis) }), gradients: ['x', 'y'], tolerance: exact })],
  PadV2: [
    drawn({
      drawn: shape(1, 3).chain((s) => fc.tuple(floats(s), fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { minLength: s.length, maxLength: s.length }), number(-2, 2))),
      law: ([x, paddings, constant]) => ({ givens: { x }, f: ({ x }) => tf.pad(x, paddings, constant) }),
      gradients: ['x'],
    }),
  ],
  Pow: [binary(tf.pow, positive(0.3), floats), { givens: one((s) => integers(s)), f: ({ x }) => tf.pow(x, tf.scalar(3, 'int32')) }, value(unary((x) => tf.pow(x, 2)))],
  // tfjs has no gradient of it without its chained operations.
  Prod: [reduction((x, axes, keepDims) => tf.prod(x, axes, keepDims), floats, [])],
  Range: [{ givens: one(floats, fc.constant([5])), f: ({ x }) => tf.add(tf.range(0, 5, 1, 'float32'), x), tolerance: exact }, { givens: one((s) => integers(s), fc.constant([3])), f: ({ x }) => tf.add(tf.range(8, 2, -2, 'int32'), x) }],
  RealDiv: [binary(tf.div, floats, positive(0.5)), unary((x) => tf.div(x, 1))],
  Reciprocal: [unary(tf.reciprocal, positive(0.3))],
  Relu: [unary(tf.relu)],
  Reshape: [drawn({ drawn: shape(0, 4).chain((s) => fc.tuple(floats(s), fc.constantFrom([-1], [1, ...s], [...s, 1], [...s].reverse()))), law: ([x, s]) => ({ givens: { x }, f: ({ x }) => tf.reshape(x, s) }), gradients: ['x'] })],
  Reverse: [drawn({ drawn: shape(1, 4).chain((s) => fc.tuple(floats(s), axesOf(s.length))), law: ([x, axes]) => ({ givens: { x }, f: ({ x }) => tf.reverse(x, axes) }), gradients: ['x'] })],
  Round: [value(unary(tf.round, quarters))],
  Rsqrt: [unary(tf.rsqrt, positive(0.3))],
  ScatterNd: [
    drawn({
      drawn: fc.integer({ min: 1, max: 5 }).chain((n) => fc.tuple(integers([n, 2], 0, 2), floats([n, 3]))),
      law: ([indices, updates]) => ({ givens: { indices, updates }, f: ({ indices, updates }) => tf.scatterND(indices, updates, [3, 3, 3]) }),
      tolerance: exact,
    }),
  ],
  Select: [
    drawn({ drawn: pair.chain(([a, b]) => fc.tuple(bools(a), floats(b), floats(b))), law: ([c, t, e]) => ({ givens: { c, t, e }, f: ({ c, t, e }) => tf.where(c, t, e) }) }),
    drawn({ drawn: shape().chain((s) => fc.tuple(bools(s), floats(s), floats(s))), law: ([c, t, e]) => ({ givens: { c, t, e }, f: ({ c, t, e }) => tf.where(c, t, e) }), gradients: ['t', 'e'] }),
    drawn({ drawn: shape().chain((s) => fc.tuple(bools(s), bools(s), bools(s))), law: ([c, t, e]) => ({ givens: { c, t, e }, f: ({ c, t, e }) => tf.where(c, t, e) }) }),
    drawn({ drawn: shape().chain((s) => fc.tuple(bools(s), integers(s))), law: ([c, t]) => ({ givens: { c, t }, f: ({ c, t }) => tf.where(c, t, tf.zerosLike(t)) }) }),
  ],
  Sigmoid: [unary(tf.sigmoid)],
  Sign: [value(unary(tf.sign)), { givens: one((s) => integers(s)), f: ({ x }) => tf.sign(x) }],
  Sin: [unary(tf.sin)],
  Slice: [
    drawn({
      drawn: shape(1, 4).chain((s) => fc.tuple(floats(s), fc.tuple(...s.map((dimension) => fc.nat(dimension - 1).chain((begin) => fc.tuple(fc.constant(begin), fc.integer({ min: 1, max: dimension - begin }))))))),
      law: ([x, ranges]) => ({ givens: { x }, f: ({ x }) => tf.slice(x, ranges.map(([begin]) => begin), ranges.map(([, length]) => length)) }),
      gradients: ['x'],
    }),
  ],
  Softmax: [drawn({ drawn: shape(1, 3).chain((s) => floats(s, -20, 20)), law: (x) => ({ givens: { x }, f: ({ x }) => tf.softmax(x) }), gradients: ['x'], tolerance: close })],
  LogSoftmax: [drawn({ drawn: shape(1, 3).chain((s) => floats(s, -20, 20)), law: (x) => ({ givens: { x }, f: ({ x }) => tf.logSoftmax(x) }), gradients: ['x'], tolerance: close })],
  Softplus: [unary(tf.softplus), value(unary(tf.softplus, (s) => floats(s, -80, 80)))],
  SplitV: [
    drawn({
      drawn: fc.tuple(alongAxis(), fc.nat(3)),
      law: ([[x, axis], cut]) => ({
        givens: { x },
        f: ({ x }) => {
          const first = Math.min(cut, x.shape[axis] - 1)
          const [a, b] = tf.split(x, [first, x.shape[axis] - first], axis)
          return tf.concat([b, tf.mul(a, 2)], axis)
        },
      }),
      gradients: ['x'],
      tolerance: exact,
    }),
  ],
  Sqrt: [unary(tf.sqrt, positive(0.2))],
  Square: [unary(tf.square), { givens: one((s) => integers(s)), f: ({ x }) => tf.square(x) }],
  // tfjs's own gradient of a broadcast difference has the wrong shape.
  SquaredDifference: [value(binary(tf.squaredDifference)), drawn({ drawn: shape().chain((s) => fc.tuple(floats(s), floats(s))), law: ([a, b]) => ({ givens: { a, b }, f: ({ a, b }) => tf.squaredDifference(a, b) }), gradients: ['a', 'b'], tolerance: close })],
  Step: [
    unary(tf.step),
    value(unary((x) => tf.step(x, -0.5))),
    { givens: one((s) => integers(s)), f: ({ x }) => tf.step(x) },
    { givens: fc.constant({ x: { shape: [8], type: 'float32', data: Float32Array.of(0, -0, 1.2e-38, -1.2e-38, 3e38, -3e38, Infinity, -Infinity) } }), f: ({ x }) => tf.step(x), tolerance: {} },
  ],
  StridedSlice: [
    { givens: one(floats, fc.constant([5, 6])), f: ({ x }) => tf.stridedSlice(x, [1, 4], [5, 0], [2, -1]) },
    { givens: one(floats, fc.constant([4, 3])), f: ({ x }) => tf.stridedSlice(x, [2, 0], [3, 2], [1, 1], 0, 0, 0, 0, 1) },
    { givens: one(floats, fc.constant([4, 3])), f: ({ x }) => tf.stridedSlice(x, [3, 2], [0, 0], [-1, -2], 0, 3) },
  ],
  Sub: [binary(tf.sub), onInteger(tf.sub), unary((x) => tf.sub(x, 0))],
  Sum: [reduction((x, axes, keepDims) => tf.sum(x, axes, keepDims)), reduction((x, axes, keepDims) => tf.sum(x, axes, keepDims), (s) => integers(s), []), reduction((x, axes, keepDims) => tf.sum(x, axes, keepDims), bools, [])],
  Tanh: [unary(tf.tanh)],
  TensorScatterUpdate: [
    drawn({
      drawn: fc.integer({ min: 1, max: 4 }).chain((n) => fc.tuple(fc.shuffledSubarray([0, 1, 2, 3], { minLength: n, maxLength: n }), floats([4, 2, 3]), floats([n, 2, 3]))),
      law: ([places, x, updates]) => ({ givens: { x, updates }, f: ({ x, updates }) => tf.tensorScatterUpdate(x, tf.tensor2d(places, [places.length, 1], 'int32'), updates) }),
      tolerance: exact,
    }),
  ],
  Tile: [
    drawn({ drawn: shape(1, 3).chain((s) => fc.tuple(floats(s), fc.array(fc.integer({ min: 1, max: 3 }), { minLength: s.length, maxLength: s.length }))), law: ([x, reps]) => ({ givens: { x }, f: ({ x }) => tf.tile(x, reps) }), gradients: ['x'], tolerance: close }),
    drawn({ drawn: shape(1, 3).chain((s) => fc.tuple(floats([1, ...s]), floats([3, ...s]))), law: ([x, y]) => ({ givens: { x, y }, f: ({ x, y }) => tf.sum(tf.mul(tf.broadcastTo(x, y.shape), y), 0) }), gradients: ['x', 'y'], tolerance: close }),
  ],
  Transpose: [drawn({ drawn: shape(1, 4).chain((s) => fc.tuple(floats(s), fc.shuffledSubarray([...s.keys()], { minLength: s.length, maxLength: s.length }))), law: ([x, perm]) => ({ givens: { x }, f: ({ x }) => tf.transpose(x, perm) }), gradients: ['x'] })],
  // tfjs's own gradient fails for an axis of length 1.
  Unpack: [drawn({ drawn: alongAxis().filter(([x, axis]) => x.shape[axis] > 1), law: ([x, axis]) => ({ givens: { x }, f: ({ x }) => tf.addN(tf.unstack(x, axis).map((part, i) => tf.mul(part, i + 1))) }), gradients: ['x'], tolerance: exact })],
  UnsortedSegmentSum: [
    drawn({ drawn: fc.integer({ min: 1, max: 5 }).chain((n) => fc.tuple(floats([n, 3]), integers([n], 0, 3))), law: ([x, ids]) => ({ givens: { x, ids }, f: ({ x, ids }) => tf.unsortedSegmentSum(x, ids as tf.Tensor1D, 4) }), gradients: ['x'], tolerance: exact }),
  ],
  ZerosLike: [{ givens: one(floats), f: ({ x }) => tf.maximum(tf.zerosLike(x), x) }, { givens: one(bools), f: ({ x }) => tf.logicalOr(tf.zerosLike(x), x) }],
}

function special(s: readonly number[]): fc.Arbitrary<Given> {
  return fc.array(fc.constantFrom(0, 1, -2.5, Infinity, -Infinity, NaN, 3e38), { minLength: size(s), maxLength: size(s) }).map((values) => ({ shape: s, type: 'float32', data: Float32Array.from(values) }))
}

const seen = new Set<string>()

describe('recorded = eager', () => {
  for (const [kernel, all] of Object.entries(laws)) {
    it(kernel, async () => {
      for (const law of all) {
        const cases = 'drawn' in law ? law.drawn.map((drawn) => law.law(drawn)) : law.givens.map((givens) => ({ givens, f: law.f }))
        const { gradients = [], tolerance = {} } = law
        await fc.assert(
          fc.asyncProperty(cases, async ({ givens, f }) => {
            const program = gradients.length ? withGradients(f, gradients) : (inputs: Tensors) => ({ value: f(inputs) })
            await expectRecordedIsEager(program, givens, tolerance)
          }),
          { numRuns: 12, seed: 7 },
        )
      }
    })
  }

  // What tf.<operation> calls is looked up eagerly, so that a law cannot stand under a kernel that it does not reach.
  it('each law reaches the kernel it is named after', async () => {
    for (const [kernel, [law]] of Object.entries(laws)) {
      const [{ givens, f }] = fc.sample('drawn' in law ? law.drawn.map((drawn) => law.law(drawn)) : law.givens.map((givens) => ({ givens, f: law.f })), { numRuns: 1, seed: 1 })
      await tf.setBackend('cpu')
      const inputs = Object.fromEntries(Object.entries(givens).map(([name, { shape, type, data }]) => [name, tf.tensor(data as Float32Array, [...shape], type)]))
      const { kernelNames } = await tf.profile(() => f(inputs))
      if (kernel !== 'LogSoftmax') expect(kernelNames, kernel).toContain(kernel)
      seen.add(kernel)
    }
  })
})

afterAll(() => {
  // tfjs itself never calls these two: LogSoftmax is composed, BroadcastTo is Tile.
  const named = Object.keys(kernels).filter((name) => !name.startsWith('Chainrule') && name !== 'BroadcastTo')
  expect(named.filter((name) => !seen.has(name))).toEqual([])
})

it('convolutions refuse channels before rows, and numbers that are not floats', async () => {
  const x: Given = { shape: [1, 3, 3, 1], type: 'float32', data: new Float32Array(9) }
  const refused = (f: (inputs: Tensors) => tf.Tensor, given: Given, message: RegExp) => expect(expectRecordedIsEager((inputs) => ({ y: f(inputs) }), { x: given }, exact)).rejects.toThrow(message)
  await refused(({ x }) => tf.conv2d(x as tf.Tensor4D, tf.ones([1, 1, 3, 1]), 1, 'same', 'NCHW'), x, /NCHW/)
  const convolved = (x: tf.Tensor) => tf.engine().runKernel('Conv2D', { x, filter: tf.reshape(x, [3, 3, 1, 1]) }, { strides: 1, pad: 'valid', dataFormat: 'NHWC', dilations: 1 }) as tf.Tensor
  await refused(({ x }) => convolved(x), { ...x, type: 'int32', data: new Int32Array(9) }, /Cast both to float32/)
})

describe('kernels that tfjs itself does not call', () => {
  const call = (name: string, inputs: Tensors, attributes: object) => tf.engine().runKernel(name, inputs, attributes as tf.NamedAttrMap) as tf.Tensor
  it('BroadcastTo and LogSoftmax', async () => {
    const x: Given = { shape: [1, 3], type: 'float32', data: Float32Array.of(1, -2, 0.5) }
    const both = (inputs: Tensors) =>
      tf.getBackend() === 'cpu'
        ? { wide: tf.broadcastTo(inputs.x, [2, 3]), logarithms: tf.logSoftmax(inputs.x) }
        : { wide: call('BroadcastTo', { x: inputs.x }, { shape: [2, 3] }), logarithms: call('LogSoftmax', { logits: inputs.x }, { axis: 1 }) }
    await expectRecordedIsEager(both, { x }, exact)
    expect((await eagerly(both, { x })).wide.data).toEqual([1, -2, 0.5, 1, -2, 0.5])
  })
})
