/** Graphs for any length: recorded at a few, right at lengths never seen, 1 and 0 included. */
import { attentionMask, begin, causalAttention, createModel, categorical, last, linear, nextPosition, positions, type Tensors } from '@chainrule/core/tensors'
import { leftToRight } from '@chainrule/core'
import { transformer } from '@chainrule/networks'
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Axis } from '../src/polynomial.js'
import { corner, text, throughCorners, valueAt } from '../src/polynomial.js'
import { recordSymbolic, type SymbolicSpecification } from '../src/symbolic.js'
import { eagerly, expectClose, type Givens, runGraph } from './law.js'

type Specifications = Record<string, SymbolicSpecification>

const given = (specifications: Specifications, lengths: Record<string, number>, seed: number): Givens =>
  Object.fromEntries(
    Object.entries(specifications).map(([name, { shape, type }], which) => {
      const sizes = shape.map((axis) => (typeof axis === 'string' ? lengths[axis] : axis))
      const values = Array.from({ length: sizes.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(seed + 7 * which + 1.9 * i))
      const data = type === 'float32' ? Float32Array.from(values) : type === 'int32' ? Int32Array.from(values, (v) => Math.floor(2 * (v + 1))) : Uint8Array.from(values, (v) => Number(v > 0))
      return [name, { shape: sizes, type, data }]
    }),
  )

async function expectRightAt(program: (inputs: Tensors) => Tensors, specifications: Specifications, all: Record<string, number>[]) {
  for (const target of ['standard', 'onnxruntime'] as const) {
    const graph = recordSymbolic('graph', program, specifications, { target })
    for (const [i, lengths] of all.entries()) {
      const givens = given(specifications, lengths, i)
      expectClose(await runGraph(graph, givens), await eagerly(program, givens), { absolute: 1e-5, relative: 1e-5 }, `${target} at ${JSON.stringify(lengths)}`)
    }
  }
}

describe('polynomials of lengths', () => {
  const axes: Axis[] = [{ name: 'batch', lengths: [2, 5] }, { name: 'sequence', lengths: [3, 7] }, { name: 'past', lengths: [11, 13] }]
  it('are found from the corners of a box', () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 8, maxLength: 8 }), (coefficients) => {
        const found = throughCorners(axes, Array.from({ length: 8 }, (_, index) => valueAt(coefficients, corner(axes, index))))
        found.forEach((coefficient, term) => expect(coefficient).toBeCloseTo(coefficients[term], 6))
        expect(valueAt(found, [4, 4, 4])).toBeCloseTo(valueAt(coefficients, [4, 4, 4]), 6)
      }),
    ))
  it('are readable', () => expect(text([1, 0, 0, 2, 1, 0, 0, 0], axes)).toBe('past + 2 · batch · sequence + 1'))
})

describe('symbolic = eager at lengths never recorded', () => {
  it('shapes, fills, slices, joins and reductions of a free batch and sequence', () =>
    expectRightAt(
      ({ x, w, ids }) => {
        const [batch, length] = x.shape as [number, number]
        const flat = tf.reshape(x, [batch * length, 4])
        const heads = tf.transpose(tf.reshape(linear(x, w), [batch, length, 2, 3]), [0, 2, 1, 3])
        const earlier = tf.slice(x, [0, 0, 0], [batch, length - 1, 4])
        return {
          flat,
          heads,
          joined: tf.reshape(tf.transpose(heads, [0, 2, 1, 3]), [batch, length * 6]),
          shifted: tf.concat([tf.zeros([batch, 1, 4]), earlier], 1),
          filled: tf.add(tf.fill([batch, length], 2.5), tf.mean(x, 2)),
          tiled: tf.tile(tf.sum(x, [0, 1]), [batch]),
          wide: tf.broadcastTo(tf.expandDims(tf.max(x, 1), 1), [batch, length, 4]),
          padded: tf.pad(x, [[0, 0], [1, 2], [0, 0]]),
          count: tf.add(tf.sum(ids), tf.scalar(length * batch + 3, 'int32')),
          chosen: tf.gather(w, tf.maximum(ids, tf.scalar(0, 'int32')) as tf.Tensor1D),
          known: tf.where(tf.greater(ids, tf.scalar(1, 'int32')), ids, tf.zerosLike(ids)),
          lasts: tf.slice(x, [0, length - 1, 0], [batch, 1, 4]),
        }
      },
      { x: { shape: ['batch', 'sequence', 4], type: 'float32' }, w: { shape: [4, 6], type: 'float32' }, ids: { shape: ['batch'], type: 'int32' } },
      [{ batch: 1, sequence: 1 }, { batch: 3, sequence: 8 }, { batch: 5, sequence: 2 }],
    ))

  it('attention over a past, positions, and the last entries: values that depend on lengths', () =>
    expectRightAt(
      ({ q, past, first }) => {
        const keys = tf.concat([past, q], 2)
        return { y: causalAttention(q, keys, keys, { context: 4 }), kept: last(keys, 3), places: positions(tf.transpose(q, [0, 2, 1, 3]), first), next: nextPosition(tf.transpose(q, [0, 2, 1, 3]), first) }
      },
      { q: { shape: ['batch', 2, 'sequence', 3], type: 'float32' }, past: { shape: ['batch', 2, 'past', 3], type: 'float32' }, first: { shape: [1], type: 'int32' } },
      [{ batch: 1, sequence: 1, past: 0 }, { batch: 2, sequence: 5, past: 0 }, { batch: 3, sequence: 2, past: 7 }, { batch: 1, sequence: 9, past: 3 }],
    ))

  it('gradients with a free batch', () =>
    expectRightAt(
      ({ x, w }) => ({ dw: tf.grad((w) => tf.sum(tf.square(tf.relu(linear(x, w)))))(w) }),
      { x: { shape: ['batch', 4], type: 'float32' }, w: { shape: [4, 3], type: 'float32' } },
      [{ batch: 1 }, { batch: 6 }],
    ))

  for (const kind of ['rotary', 'learned'] as const) {
    it(`the step and the score of a transformer with ${kind} positions`, async () => {
      const model = createModel({ domain: { length: 'variable', components: 1, values: 3 }, order: leftToRight(), network: transformer({ layers: 2, heads: 2, width: 8, context: 4, positions: kind }), head: categorical({ tied: true }) })
      const parameters = model.initialize(1)
      const weights = Object.fromEntries(Object.entries(parameters).map(([name, { shape }]) => [`w/${name}`, { shape, type: 'float32' }] as const))
      const state = Object.fromEntries(model.state.map(({ name, type, shape }) => [`s/${name}`, { shape, type }] as const))
      const given = (prefix: string, all: Tensors) => Object.fromEntries(Object.entries(all).flatMap(([name, tensor]) => (name.startsWith(prefix) ? [[name.slice(2), tensor]] : [])))
      const told = (all: Tensors) => Object.fromEntries(Object.entries(all).map(([name, tensor]) => [`n/${name}`, tensor]))
      const score = recordSymbolic(
        'score',
        (all) => {
          const { logProbability, state } = model.extend(given('w/', all), given('s/', all), all.x, { values: all.previous, isStart: all.isStart })
          return { logProbability, ...told(state) }
        },
        { ...weights, ...state, x: { shape: ['batch', 'sequence', 1], type: 'int32' }, previous: { shape: ['batch', 1], type: 'int32' }, isStart: { shape: ['batch'], type: 'bool' } },
      )
      const fixed = Object.fromEntries(Object.entries(parameters).map(([name, { shape, data }]) => [`w/${name}`, { shape, type: 'float32' as const, data: data.map((v, i) => v + 0.3 * Math.sin(i)) }]))
      const x = Int32Array.of(0, 2, 1, 1, 2, 0, 0, 1)
      const length = kind === 'learned' ? 4 : 8
      const whole = await eagerly((all) => ({ logProbability: model.logProbability(given('w/', all), all.x) }), { ...fixed, x: { shape: [1, length, 1], type: 'int32', data: x.slice(0, length) } })

      // In chunks of every size, the state handed on, the graph tells what forward tells at once.
      for (const size of [1, 3, length]) {
        const states = tf.tidy(() => Object.fromEntries(Object.entries(begin(model.state, 1)).map(([name, tensor]) => [`s/${name}`, { shape: tensor.shape, type: tensor.dtype as 'int32', data: tensor.dataSync() as Int32Array }])))
        let now: Givens = states
        const found: number[] = []
        for (let at = 0; at < length; at += size) {
          const count = Math.min(size, length - at)
          const results = await runGraph(score, {
            ...fixed,
            ...now,
            x: { shape: [1, count, 1], type: 'int32', data: x.slice(at, at + count) },
            previous: { shape: [1, 1], type: 'int32', data: Int32Array.of(at ? x[at - 1] : 0) },
            isStart: { shape: [1], type: 'bool', data: Uint8Array.of(at ? 0 : 1) },
          })
          found.push(...Array.from(results.logProbability.data))
          now = Object.fromEntries(Object.keys(states).map((name) => {
            const { shape, type, data } = results[`n/${name.slice(2)}`]
            return [name, { shape, type: type as 'int32', data: (type === 'int32' ? Int32Array : Float32Array).from(Array.from(data)) as Int32Array }]
          }))
        }
        found.forEach((value, i) => expect(Math.abs(value - whole.logProbability.data[i])).toBeLessThan(2e-5))
      }
    })
  }
})

describe('the graph', () => {
  it('names its axes and keeps reshapes free of computed shapes', () => {
    const graph = recordSymbolic('graph', ({ x, past }) => ({ y: tf.reshape(x, [x.shape[0], x.shape[1]! * 2, 2]), all: tf.concat([past, x], 1) }), {
      x: { shape: ['batch', 'sequence', 4], type: 'float32' },
      past: { shape: ['batch', 'past', 4], type: 'float32' },
    })
    expect(graph.inputs.map(({ shape }) => shape)).toEqual([['batch', 'sequence', 4], ['batch', 'past', 4]])
    expect(graph.outputs.map(({ shape }) => shape)).toEqual([['batch', '2 · sequence', 2], ['batch', 'past + sequence', 4]])
    expect(graph.nodes.map(({ operator }) => operator).sort()).toEqual(['Concat', 'Reshape'])
    expect(Array.from(graph.initializers[0].data!, Number)).toEqual([0, -1, 2])
  })
})

describe('refusals', () => {
  const specifications: Specifications = { x: { shape: ['batch', 'sequence'], type: 'float32' } }
  it('name the node where a float varies', () => {
    expect(() => recordSymbolic('graph', ({ x }) => ({ y: tf.mul(x, tf.scalar(1 / x.shape[0])) }), specifications)).toThrow(/Mul \(.*a constant of type float32 and shape \[\] varies/)
    const masked = ({ x }: Tensors) => ({ y: tf.add(tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D, true), tf.tensor2d(attentionMask(x.shape[1]!, x.shape[1]!, 5), [x.shape[1]!, x.shape[1]!])) })
    expect(() => recordSymbolic('graph', masked, specifications)).toThrow(/varies/)
  })
  it('say that a loop over a free length cannot be recorded', () => {
    expect(() => recordSymbolic('graph', ({ x }) => ({ y: tf.addN(tf.unstack(x, 1).map((column) => tf.exp(column))) }), specifications)).toThrow(/other operations|attributes vary/)
  })
  it('give the lengths where a number follows no law', () => {
    expect(() => recordSymbolic('graph', ({ x }) => ({ y: tf.slice(x, [0, 0], [x.shape[0] ** 2 % 7, -1]) }), specifications)).toThrow(/no sum of products of lengths/)
  })
})
