/** What the recorder promises beside the right numbers: clear refusals, a small graph, and tfjs left as it was. */
import type { Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { record } from '../src/recorder.js'
import { runGraph } from './law.js'

const x = { x: { shape: [2, 3], type: 'float32' } } as const
const data = { x: { shape: [2, 3], type: 'float32', data: Float32Array.of(1, 2, 3, 4, 5, 6) } } as const
const operators = (program: (inputs: Tensors) => Tensors) => record(program, x, { target: 'onnxruntime' }).nodes.map(({ operator }) => operator)

beforeEach(async () => {
  await tf.setBackend('cpu')
})
afterEach(() => expect(tf.engine().registryFactory).not.toHaveProperty('chainrule-recorder'))

describe('tfjs afterwards', () => {
  const broken = () => {
    throw new Error('stop')
  }

  it('has the backend that it had', () => {
    record(({ x }) => ({ y: tf.add(x, 1) }), x, { target: 'standard' })
    expect(tf.getBackend()).toBe('cpu')
    expect(tf.add(tf.scalar(1), 1).dataSync()[0]).toBe(2)
  })

  it('also where the program throws, forward or in a gradient', () => {
    const before = tf.memory().numTensors
    const { activeTape } = tf.engine().state
    expect(() => record(broken, x, { target: 'standard' })).toThrow('stop')
    const inGradient = tf.customGrad((x) => ({ value: tf.square(x as tf.Tensor), gradFunc: broken as never }))
    expect(() => record(({ x }) => ({ y: tf.grad((x) => tf.sum(inGradient(x)) as tf.Tensor)(x) }), x, { target: 'standard' })).toThrow('stop')
    expect(tf.getBackend()).toBe('cpu')
    expect(tf.engine().state.gradientDepth).toBe(0)
    expect(tf.engine().state.activeTape).toBe(activeTape)
    expect(tf.memory().numTensors).toBe(before)
    expect(Array.from(tf.tidy(() => tf.grad((x) => tf.sum(tf.square(x)))(tf.tensor1d([3])).dataSync()))).toEqual([6])
  })

  it('keeps no tensors', () => {
    const before = tf.memory().numTensors
    record(({ x }) => ({ y: tf.grad((x) => tf.sum(tf.softmax(x)))(x) }), x, { target: 'standard' })
    expect(tf.memory().numTensors).toBe(before)
  })

  it('has no backend where it had none', () => {
    const engine = tf.engine() as unknown as { backendName: string | null; backendInstance: unknown; registry: object; registryFactory: Record<string, unknown> }
    const { backendName, backendInstance, registryFactory } = engine
    Object.assign(engine, { backendName: null, backendInstance: null, registryFactory: {} })
    try {
      const graph = record(({ x }) => ({ y: tf.matMul(x, x, true) }), x, { target: 'standard' })
      expect(graph.nodes.map(({ operator }) => operator)).toEqual(['Transpose', 'MatMul'])
      expect(engine.backendName).toBeNull()
      expect(engine.registryFactory).toEqual({})
    } finally {
      Object.assign(engine, { backendName, backendInstance, registryFactory })
    }
  })
})

describe('refusals', () => {
  it('name the kernel that is missing and say what to do', () => {
    expect(() => record(({ x }) => ({ y: tf.linalg.bandPart(x as tf.Tensor2D, 1, 1), z: tf.asinh(x) }), x, { target: 'standard' })).toThrow(/no kernel "Asinh".*add the kernel/s)
  })

  it('say that a value cannot be read', () => {
    expect(() => record(({ x }) => ({ y: x.dataSync()[0] > 0 ? x : tf.neg(x) }), x, { target: 'standard' })).toThrow(/a value was read.*tf\.where/s)
  })

  it('take no other target, no recording in a recording, no output named like an input', () => {
    expect(() => record(({ x }) => ({ y: x }), x, { target: 'fast' as never })).toThrow(/target must be/)
    expect(() => record(({ x }) => ({ y: x }), x, { target: 'standard', fast: true } as never)).toThrow(/unknown option "fast"/)
    expect(() => record(({ x: outer }) => (record(({ x }) => ({ y: x }), x, { target: 'standard' }), { y: outer }), x, { target: 'standard' })).toThrow(/cannot record another/)
    expect(() => record(({ x: outer }) => ({ x: tf.neg(outer) }), x, { target: 'standard' })).toThrow(/called "x"/)
  })

  it('name types that have no form', () => {
    const bools = { x: { shape: [2], type: 'bool' } } as const
    expect(() => record(({ x }) => ({ y: tf.less(x, x) }), bools, { target: 'standard' })).toThrow(/of bool/)
    expect(() => record(({ x }) => ({ y: tf.matMul(tf.cast(x, 'int32'), tf.cast(x, 'int32'), true) }), { x: { shape: [2, 2], type: 'float32' } }, { target: 'standard' })).toThrow(/Cast both to float32/)
  })
})

describe('the graph', () => {
  it('computes nothing twice and nothing for nobody', () => {
    const program = ({ x }: Tensors) => {
      tf.exp(tf.neg(x))
      return { y: tf.add(tf.square(tf.sin(x)), tf.sin(x)), z: tf.mul(tf.sin(x), tf.add(x, tf.tensor1d([1, 2, 3]))), w: tf.add(x, tf.tensor1d([1, 2, 3])) }
    }
    expect(operators(program).sort()).toEqual(['Add', 'Add', 'Mul', 'Mul', 'Sin'])
    expect(record(program, x, { target: 'standard' }).initializers).toHaveLength(1)
  })

  it('computes a product once, where its factor is wanted by one reader and not by another', () => {
    expect(operators(({ x }) => ({ y: tf.mul(tf.matMul(x, x, true), 3), z: tf.matMul(x, x, true) })).sort()).toEqual(['FusedMatMul', 'Mul'])
  })

  it('keeps constants apart that compare equal: 0 and −0', async () => {
    const graph = record(({ x }) => ({ y: tf.add(tf.reciprocal(tf.tensor1d([0, -0, 0])), x) }), x, { target: 'standard' })
    expect(((await runGraph(graph, data)).y.data as number[]).slice(0, 3)).toEqual([Infinity, -Infinity, Infinity])
  })

  it('gives outputs their names: computed, an input, a constant, the same twice', async () => {
    const graph = record(({ x }) => ({ sum: tf.add(x, 1), again: tf.add(x, 1), same: x, fixed: tf.zeros([2]) }), x, { target: 'standard' })
    const results = await runGraph(graph, data)
    expect(Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data]))).toEqual({ sum: [2, 3, 4, 5, 6, 7], again: [2, 3, 4, 5, 6, 7], same: [1, 2, 3, 4, 5, 6], fixed: [0, 0] })
  })

  it('reads tensors of another backend as constants and leaves them where they are', async () => {
    const outside = tf.tensor1d([10, 20, 30])
    const results = await runGraph(record(({ x }) => ({ y: tf.add(x, outside) }), x, { target: 'standard' }), data)
    expect(results.y.data).toEqual([11, 22, 33, 14, 25, 36])
    expect(Array.from(outside.dataSync())).toEqual([10, 20, 30])
    outside.dispose()
  })

  it('adds up rows by a product, for onnxruntime only', () => {
    const sums = (target: 'onnxruntime' | 'standard') => record(({ x }) => ({ y: tf.sum(x, 0), z: tf.sum(x, 0, true) }), x, { target }).nodes.map(({ operator }) => operator)
    expect(sums('onnxruntime')).toEqual(expect.arrayContaining(['MatMul', 'ReduceSum']))
    expect(sums('standard')).toEqual(['ReduceSum', 'ReduceSum'])
  })

  it('has no passes for factors of 1, terms of 0 and broadcasts', () => {
    const gradient = ({ x }: Tensors) => ({ y: tf.grad((x) => tf.mean(tf.sum(tf.square(x), 1)))(x) })
    // x · 2, times the constant ½ that is the gradient of the mean.
    expect(operators(gradient).filter((operator) => operator !== 'Div')).toEqual(['Mul', 'Mul'])
    expect(operators(({ x }) => ({ y: tf.where(tf.greater(tf.slice(x, [0, 0], [2, 1]), 2), x, tf.zerosLike(x)) }))).toEqual(['Slice', 'Greater', 'Where'])
    expect(operators(({ x }) => ({ y: tf.add(tf.mul(tf.onesLike(x), x), tf.zeros([3])) }))).toEqual(['Identity'])
  })
})
