/** Recorded = eager for the primitives of core/tensors: forward and gradients, both targets, several shapes and the edges of each. */
import { rotaryAngles, rotaryEmbedding, causalAttention, categoricalLogProbability, embedding, entryAt, gelu, last, layerNormalization, linear, marked, nextPosition, positions, reluSquared, rootMeanSquareNormalization, sumOfSquares, type Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kernels } from '../src/kernels/index.js'
import { record } from '../src/recorder.js'
import { expectRecordedIsEager, type Given, type Givens, specificationsOf, targets, withGradients } from './law.js'

const random = (seed: number) => {
  let state = seed + 1
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
const floats = (shape: readonly number[], seed = 1, scale = 2): Given => {
  const next = random(seed)
  return { shape, type: 'float32', data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => scale * (2 * next() - 1)) }
}
const integers = (shape: readonly number[], below: number, seed = 1): Given => {
  const next = random(seed)
  return { shape, type: 'int32', data: Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.floor(below * next())) }
}
const close = { absolute: 2e-5, relative: 2e-5 }
const law = (f: (inputs: Tensors) => tf.Tensor, givens: Givens, gradients: readonly string[]) => expectRecordedIsEager(withGradients(f, gradients), givens, close)

/** Every law over drawn sizes. */
const overSizes = (count: number, check: (sizes: number[], seed: number) => Promise<void>, runs = 10) =>
  fc.assert(fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: count, maxLength: count }), fc.nat(1000), check), { numRuns: runs, seed: 3 })

describe('recorded = eager', () => {
  it('linear, straight and transposed, for x of 2 and 3 axes', () =>
    overSizes(4, async ([B, N, D, E], seed) => {
      for (const shape of [[N, D], [B, N, D]]) {
        await law(({ x, w }) => linear(x, w), { x: floats(shape, seed), w: floats([D, E], seed + 1) }, ['x', 'w'])
        await law(({ x, w }) => linear(x, w, true), { x: floats(shape, seed), w: floats([E, D], seed + 1) }, ['x', 'w'])
      }
    }))

  it('layer normalization', () =>
    overSizes(3, async ([B, N, D], seed) => {
      // Of one or two equal numbers the deviation is 0 and every rounding error is multiplied by 300: widths from 3.
      const width = D + 2
      for (const shape of [[N, width], [B, N, width]]) await law(({ x, scale }) => layerNormalization(x, scale), { x: floats(shape, seed), scale: floats([width], seed + 1) }, ['x', 'scale'])
    }))

  it('gelu, and in its tails', async () => {
    await overSizes(2, ([B, N], seed) => law(({ x }) => gelu(x), { x: floats([B, N], seed, 5) }, ['x']))
    await law(({ x }) => gelu(x), { x: { shape: [7], type: 'float32', data: Float32Array.of(-100, -20, -8, 0, 8, 20, 100) } }, ['x'])
  })

  it('the squared rectifier', () => overSizes(2, ([B, N], seed) => law(({ x }) => reluSquared(x), { x: floats([B, N], seed, 3) }, ['x'])))

  it('root-mean-square normalization, of any rank, and of zeros', async () => {
    await overSizes(3, ([B, N, F], seed) => law(({ x }) => rootMeanSquareNormalization(x), { x: floats([B, N, F], seed) }, ['x']))
    await law(({ x }) => rootMeanSquareNormalization(x), { x: { shape: [2, 3], type: 'float32', data: new Float32Array(6) } }, ['x'])
  })

  it('gelu between two linear maps, whose factors move into the products', () =>
    overSizes(3, ([B, N, D], seed) => law(({ x, up, down }) => linear(gelu(linear(x, up)), down), { x: floats([B, N, D], seed), up: floats([D, 6], seed + 1), down: floats([6, D], seed + 2) }, ['x', 'up', 'down'])))

  it('embedding, with rows that come twice and rows that never come', () =>
    overSizes(3, async ([B, N, D], seed) => {
      for (const places of [[N], [B, N]]) await law(({ table, x }) => embedding(table, x), { table: floats([6, D], seed), x: integers(places, 4, seed) }, ['table'])
    }))

  it('log-probability of a category', () =>
    overSizes(3, async ([B, N, more], seed) => {
      const V = 1 + more
      for (const places of [[N], [B, N]]) await law(({ logits, x }) => categoricalLogProbability(logits, x), { logits: floats([...places, V], seed, 20), x: integers(places, V, seed) }, ['logits'])
      // The mean over all: its gradient is one number for every row.
      await law(({ logits, x }) => tf.mean(categoricalLogProbability(logits, x)), { logits: floats([B, N, V], seed), x: integers([B, N], V, seed) }, ['logits'])
    }))

  it('rotary positions', () =>
    overSizes(3, ([B, H, S], seed) =>
      law(({ x, first }) => rotaryEmbedding(x, rotaryAngles(positions(tf.transpose(x, [0, 2, 1, 3]), first), 6)), { x: floats([B, H, S, 6], seed), first: integers([1], 50, seed) }, ['x'])))

  it('causal attention, whole, banded, and with keys before the queries', () =>
    overSizes(4, async ([B, H, S, past], seed) => {
      for (const [K, context] of [[S, 64], [S, 2], [S + past, 64], [S + past, 3]]) {
        const givens = { q: floats([B, H, S, 4], seed), k: floats([B, H, K, 4], seed + 1), v: floats([B, H, K, 4], seed + 2) }
        await law(({ q, k, v }) => causalAttention(q, k, v, { context }), givens, ['q', 'k', 'v'])
      }
    }, 6))

  it('causal attention of documents side by side', () =>
    overSizes(3, async ([B, H, S], seed) => {
      for (const context of [64, 2]) {
        const givens = { q: floats([B, H, S, 4], seed), k: floats([B, H, S, 4], seed + 1), v: floats([B, H, S, 4], seed + 2), documents: integers([B, S], 2, seed + 3) }
        await law(({ q, k, v, documents }) => causalAttention(q, k, v, { context }, documents), givens, ['q', 'k', 'v'])
      }
    }, 6))

  it('an entry of each row, and a mark there', () =>
    overSizes(2, ([B, size], seed) => {
      const V = size + 1
      const givens = { x: floats([B, V], seed), flags: { shape: [B, V], type: 'bool' as const, data: Uint8Array.from(integers([B, V], 2, seed).data) }, index: integers([B, 1], V, seed + 1) }
      return expectRecordedIsEager(({ x, flags, index }: Tensors) => ({ entry: entryAt(x, index), after: marked(flags, index) }), givens, close)
    }))

  it('positions, the position after, and the last entries', () =>
    overSizes(3, async ([B, S, count], seed) => {
      const program = ({ x, first, keys }: Tensors) => ({ places: positions(x, first), after: nextPosition(x, first), kept: last(keys, count), none: tf.sum(last(keys, 0)) })
      await expectRecordedIsEager(program, { x: floats([B, S, 2], seed), first: integers([1], 9, seed), keys: floats([B, 2, S, 3], seed) }, {})
    }))

  it('sum of squares', async () => {
    for (const shape of [[], [5], [3, 4], [2, 3, 4]]) await expectRecordedIsEager(({ x }) => ({ sum: sumOfSquares(x) }), { x: floats(shape) }, close)
  })
})

describe('in how many passes', () => {
  const operators = (program: (inputs: Tensors) => Tensors, givens: Givens, target = targets[0]) => record(program, specificationsOf(givens), { target }).nodes.map(({ operator }) => operator)

  it('one query with keys within the context needs no mask', () => {
    const givens = { q: floats([2, 2, 1, 4]), k: floats([2, 2, 5, 4]), v: floats([2, 2, 5, 4]) }
    const program = (context: number) => ({ q, k, v }: Tensors) => ({ y: causalAttention(q, k, v, { context }) })
    expect(operators(program(5), givens)).toEqual(['FusedMatMul', 'Softmax', 'MatMul'])
    expect(operators(program(4), givens)).toEqual(['FusedMatMul', 'Add', 'Softmax', 'MatMul'])
  })

  it('a linear map, gelu and a linear map: three passes forward, six back', () => {
    const givens = { x: floats([3, 4, 5]), up: floats([5, 6]), down: floats([6, 5]) }
    const forward = ({ x, up, down }: Tensors) => linear(gelu(linear(x, up)), down)
    const elementwise = (all: string[]) => all.filter((operator) => !/MatMul|Reshape/.test(operator))
    expect(elementwise(operators((inputs) => ({ y: forward(inputs) }), givens))).toEqual(['Erf', 'Add', 'Mul'])
    const both = elementwise(operators((inputs) => withGradients(forward, ['x', 'up', 'down'])(inputs), givens))
    expect(both.sort()).toEqual(['Add', 'Add', 'Div', 'Erf', 'Exp', 'Mul', 'Mul', 'Mul', 'Mul'])
  })

  it('standard graphs use the operators that ONNX has for them', () => {
    const program = ({ x, scale, angles }: Tensors) => ({ y: gelu(layerNormalization(x, scale)), z: rotaryEmbedding(tf.reshape(x, [1, 1, 3, 4]), { cosine: tf.cos(angles), sine: tf.sin(angles) }) })
    const used = operators(program, { x: floats([3, 4]), scale: floats([4]), angles: floats([3, 2]) }, 'standard')
    expect(used).toEqual(expect.arrayContaining(['LayerNormalization', 'Gelu', 'RotaryEmbedding']))
    expect(used).not.toContain('Erf')
  })

  it('every primitive that is recorded has its law here, in scan.test.ts, in conditional.test.ts or in neighbor-linear.test.ts', () => {
    const scans = ['MultiplyEach', 'Scan', 'SumOfOuterProducts']
    const conditionals = ['Conditional', 'Truncation']
    const neighbors = ['NeighborLinear']
    const covered = ['CategoricalLogProbability', 'CausalAttention', 'Embedding', 'Entry', 'Gelu', 'LayerNormalization', 'Linear', 'Mark', 'ReluSquared', 'RootMeanSquareNormalization', 'RotaryEmbedding', 'Positions', 'PositionAfter', 'Last', 'SumOfSquares']
    const names = Object.keys(kernels).flatMap((name) => (name.startsWith('Chainrule') ? [name.slice(9).replace(/(Weight)?Gradient$/, '')] : []))
    expect([...new Set(names)].sort()).toEqual([...covered, ...scans, ...conditionals, ...neighbors].sort())
  })
})
