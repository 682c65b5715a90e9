/** The law of the recorder: a program recorded and run by onnxruntime gives what it gives eagerly on tfjs's cpu backend. */
import type { Tensors } from '@chainrule/core/tensors'
import { loadOnnxRuntime, openSession } from '@chainrule/runtime'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { expect } from 'vitest'
import type { Graph } from '../src/graph.js'
import { record } from '../src/recorder.js'
import type { Target } from '../src/recording.js'
import { serialize } from '../src/serialize.js'

export interface Given {
  readonly shape: readonly number[]
  readonly type: 'float32' | 'int32' | 'bool'
  readonly data: Float32Array | Int32Array | Uint8Array
}
export type Givens = Record<string, Given>
export type Results = Record<string, { readonly shape: readonly number[]; readonly type: string; readonly data: ArrayLike<number> }>

/** Equal where |a − b| ≤ absolute + relative · |b|; both NaN, or the same infinity, count as equal. */
export interface Tolerance {
  readonly absolute?: number
  readonly relative?: number
}

export async function eagerly(program: (inputs: Tensors) => Tensors, givens: Givens): Promise<Results> {
  await tf.setBackend('cpu')
  return tf.tidy(() => {
    const inputs = Object.fromEntries(Object.entries(givens).map(([name, { shape, type, data }]) => [name, tf.tensor(data as Float32Array, [...shape], type)]))
    return Object.fromEntries(Object.entries(program(inputs)).map(([name, tensor]) => [name, { shape: tensor.shape, type: tensor.dtype, data: Array.from(tensor.dataSync()) }]))
  })
}

export async function runGraph(graph: Graph, givens: Givens): Promise<Results> {
  const { Tensor } = await loadOnnxRuntime()
  const session = await openSession(serialize(graph), { provider: 'cpu' })
  try {
    const feeds = Object.fromEntries(Object.entries(givens).map(([name, { shape, type, data }]) => [name, new Tensor(type, data as Float32Array, shape)]))
    const results = await session.run(feeds)
    return Object.fromEntries(Object.entries(results).map(([name, { dims, type, data }]) => [name, { shape: dims, type, data: Array.from(data as Float32Array, Number) }]))
  } finally {
    await session.release()
  }
}

export function expectClose(got: Results, want: Results, { absolute = 0, relative = 0 }: Tolerance, where = ''): void {
  expect(Object.keys(got).sort()).toEqual(Object.keys(want).sort())
  for (const [name, { shape, type, data }] of Object.entries(want)) {
    expect(got[name].shape, `${where} ${name}`).toEqual([...shape])
    expect(got[name].type, `${where} ${name}`).toBe(type)
    for (let i = 0; i < data.length; i++) {
      const [a, b] = [got[name].data[i], data[i]]
      if (Object.is(a, b) || a === b) continue
      if (!(Math.abs(a - b) <= absolute + relative * Math.abs(b))) expect.fail(`${where} ${name}[${i}]: recorded ${a}, eager ${b} (tolerance ${absolute} + ${relative} |eager|)`)
    }
  }
}

export const targets: readonly Target[] = ['onnxruntime', 'standard']

export const specificationsOf = (givens: Givens) => Object.fromEntries(Object.entries(givens).map(([name, { shape, type }]) => [name, { shape, type }]))

/** Recorded for each target and run = eager. */
export async function expectRecordedIsEager(program: (inputs: Tensors) => Tensors, givens: Givens, tolerance: Tolerance): Promise<void> {
  const want = await eagerly(program, givens)
  for (const target of targets) {
    const graph = record(program, specificationsOf(givens), { target })
    if (target === 'standard') expect(graph.nodes.every(({ domain }) => domain === ''), 'standard graphs use standard operators').toBe(true)
    expectClose(await runGraph(graph, givens), want, tolerance, target)
  }
}

/** The value of f, and the gradients of Σ weight · f with respect to the inputs named. */
export function withGradients(f: (inputs: Tensors) => tf.Tensor, names: readonly string[]): (inputs: Tensors) => Tensors {
  return (inputs) => {
    const g = (...xs: tf.Tensor[]) => f({ ...inputs, ...Object.fromEntries(names.map((name, i) => [name, xs[i]])) })
    const value = f(inputs)
    const count = value.size
    // Weights that differ from element to element, so that a transposed gradient is seen.
    const weight = tf.tensor(Float32Array.from({ length: count }, (_, i) => Math.sin(1 + 1.7 * i) + 0.3), value.shape)
    const gradients = tf.grads(g)(names.map((name) => inputs[name]), weight)
    return { value, ...Object.fromEntries(names.map((name, i) => [`gradient of ${name}`, gradients[i]])) }
  }
}
