/** Conditionals: recorded they are one If, whose branches run where they are chosen, also with free lengths, nested, and inside a scan. */
import { conditional, scan, type Tensors, truncated } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Graph, subgraphs } from '../src/graph.js'
import { record } from '../src/recorder.js'
import { recordSymbolic } from '../src/symbolic.js'
import { eagerly, expectClose, expectRecordedIsEager, type Given, runGraph } from './law.js'

const floats = (shape: readonly number[], value: (i: number) => number): Given => ({ shape, type: 'float32', data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i)) })
const flag = (value: boolean): Given => ({ shape: [1], type: 'bool', data: Uint8Array.of(value ? 1 : 0) })
const close = { absolute: 1e-6, relative: 1e-6 }
const operators = (graph: Graph): string[] => graph.nodes.flatMap((node) => [node.operator, ...subgraphs(node).flatMap(operators)])

describe('recorded = eager', () => {
  const x = floats([3, 4], (i) => i / 3 - 2)
  const programs: Record<string, (inputs: Tensors) => Tensors> = {
    'branches that compute, read what is outside, and are used after': ({ x, a }) => {
      const doubled = tf.mul(x, 2)
      return { y: tf.add(conditional(a, () => tf.exp(doubled), () => tf.neg(tf.add(doubled, x))), 1) }
    },
    'a branch that is a tensor from outside, or a constant': ({ x, a }) => ({ y: conditional(a, () => x, () => tf.fill([3, 4], 7)), z: conditional(a, () => tf.fill([3, 4], 7), () => x) }),
    'what a branch expands is not known outside': ({ x, a }) => {
      const sums = tf.broadcastTo(tf.sum(x, 1, true), [3, 4])
      return { y: conditional(a, () => tf.cumsum(sums, 1), () => x), z: tf.cumsum(sums, 1) }
    },
    nested: ({ x, a, b }) => ({ y: conditional(a, () => conditional(b, () => tf.exp(x), () => tf.abs(x)), () => conditional(b, () => tf.neg(x), () => tf.square(x))) }),
    'inside a scan, chosen anew at each step': ({ x }) => {
      const body = scan(({ state, inputs }) => ({ state: { s: conditional(tf.greater(tf.sum(state.s), 0), () => tf.sub(state.s, inputs.x), () => tf.add(state.s, inputs.x)) }, outputs: { s: state.s } }), { state: { s: tf.zeros([4]) }, inputs: { x } })
      return { s: body.state.s, all: body.outputs.s }
    },
    'a scan inside a branch': ({ x, a }) => ({ y: conditional(a, () => scan(({ state, inputs }) => ({ state: { s: tf.add(state.s, inputs.x) }, outputs: {} }), { state: { s: tf.zeros([4]) }, inputs: { x: tf.exp(x) } }).state.s, () => tf.zeros([4])) }),
  }
  for (const [title, program] of Object.entries(programs)) {
    it.each([[true, true], [true, false], [false, true], [false, false]])(`${title}: %s, %s`, async (a, b) => {
      await expectRecordedIsEager(program, { x, a: flag(a), b: flag(b) }, close)
    })
  }

  it('with a free length', async () => {
    const program = ({ x, a }: Tensors) => ({ y: conditional(a, () => tf.cumsum(tf.reshape(tf.concat([x, x], 1), [x.shape[0]! * 2, 4]), 0), () => tf.zeros([x.shape[0]! * 2, 4])) })
    const graph = recordSymbolic('free', program, { x: { shape: ['batch', 4], type: 'float32' }, a: { shape: [1], type: 'bool' } })
    expect(graph.nodes.map(({ operator }) => operator)).not.toContain('CumSum')
    for (const batch of [1, 5]) {
      for (const a of [true, false]) {
        const givens = { x: floats([batch, 4], (i) => Math.sin(i)), a: flag(a) }
        expectClose(await runGraph(graph, givens), await eagerly(program, givens), close)
      }
    }
  })

  it('only the chosen branch runs: all of a branch is in it', () => {
    const graph = record(({ x, a }) => ({ y: conditional(a, () => tf.cumsum(tf.exp(x), 1), () => x) }), { x: { shape: [3, 4], type: 'float32' }, a: { shape: [1], type: 'bool' } }, { target: 'standard' })
    expect(graph.nodes.map(({ operator }) => operator)).toEqual(['If'])
    expect(operators(graph)).toEqual(['If', 'Exp', 'CumSum', 'Identity'])
  })

  it('branches of different shapes or types are refused', () => {
    const attempt = (whenFalse: (x: tf.Tensor) => tf.Tensor) => record(({ x, a }) => ({ y: conditional(a, () => x, () => whenFalse(x)) }), { x: { shape: [3], type: 'float32' }, a: { shape: [1], type: 'bool' } }, { target: 'standard' })
    expect(() => attempt((x) => tf.slice(x, 0, 2))).toThrow(/float32 \[3\] and float32 \[2\]/)
    expect(() => attempt((x) => tf.cast(x, 'int32'))).toThrow(/float32 \[3\] and int32 \[3\]/)
  })
})

describe('truncation, of candidates = of all values sorted', () => {
  const law = (rows: number[][], k: number, P: number, m: number) => {
    const sums = rows.map((row) => row.reduce((a, b) => a + b, 0))
    const p = floats([rows.length, rows[0].length], (i) => rows[Math.floor(i / rows[0].length)][i % rows[0].length] / sums[Math.floor(i / rows[0].length)])
    const number = (value: number) => floats([1], () => value)
    return expectRecordedIsEager(({ p, k, P, m }) => ({ y: truncated(p, k, P, m) }), { p, k: { shape: [1], type: 'int32', data: Int32Array.of(k) }, P: number(P), m: number(m) }, close)
  }
  it('random weights, with ties and zeros', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 40 }).chain((V) => fc.array(fc.array(fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 1, max: 1000 })), { minLength: V, maxLength: V }).filter((row) => row.some((weight) => weight > 0)), { minLength: 1, maxLength: 4 })),
        fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 50 })),
        fc.oneof(fc.constant(1), fc.constant(1e-6), fc.constant(0.9999), fc.double({ min: 0.01, max: 0.99, noNaN: true })),
        fc.oneof(fc.constant(0), fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
        // Where the mass reached is P but for rounding, either is right.
        async (rows, k, P, m) => {
          if (!rows.some((row) => isOnBorder(row, k, P, m))) await law(rows, k, P, m)
        },
      ),
      { numRuns: 60, seed: 5 },
    ))
  it('top-p of the mass that top-k has left', () => law([[4, 3, 2, 1]], 2, 0.55, 0))
  it('many values, nearly all of them unlikely', () => law([Array.from({ length: 3000 }, (_, v) => 1 / (1 + ((v * 7919) % 3000)) ** 2), new Array(3000).fill(1)], 0, 0.9, 0))
})

function isOnBorder(weights: readonly number[], k: number, P: number, m: number): boolean {
  const sorted = [...weights].sort((a, b) => b - a).slice(0, k || undefined)
  const total = sorted.reduce((a, b) => a + b, 0)
  let reached = 0
  return sorted.some((weight) => {
    reached += weight / total
    return Math.abs(reached - P) < 1e-5 || Math.abs(weight / sorted[0] - m) < 1e-5 && m !== 1 && m !== 0
  })
}
