/** Each primitive against the plain composition: its value, and its gradient written by hand against tfjs's autodiff and against differences. */
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { uniform } from '../../src/index.js'
import { attentionMask, categoricalLogProbability, causalAttention, embedding, gelu, last, layerNormalization, linear, nextPosition, positions, reluSquared, rootMeanSquareNormalization, rotaryAngles, rotaryEmbedding } from '../../src/tensors/index.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const numbers = (shape: number[], stream: number) => tf.tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => 2 * uniform(1, 'batches', stream, i) - 1), shape)
const list = (tensor: tf.Tensor) => Array.from(tensor.dataSync())

function expectClose(got: tf.Tensor, expected: tf.Tensor, tolerance: number): void {
  expect(got.shape).toEqual(expected.shape)
  const [a, b] = [list(got), list(expected)]
  a.forEach((value, i) => expect(Math.abs(value - b[i]), `number ${i}: ${value} against ${b[i]}`).toBeLessThan(tolerance))
}

/** Values and gradients of two functions agree; the gradient also agrees with central differences. A random weighting makes every output count. */
function expectSame(ours: (...x: tf.Tensor[]) => tf.Tensor, plain: (...x: tf.Tensor[]) => tf.Tensor, inputs: tf.Tensor[]): void {
  const value = ours(...inputs)
  expectClose(value, plain(...inputs), 1e-5)
  const weighting = numbers(value.shape, 77)
  const weighted = (f: typeof ours) => (...x: tf.Tensor[]) => tf.sum(tf.mul(f(...x), weighting)) as tf.Scalar
  const gradients = tf.grads(weighted(ours))(inputs)
  tf.grads(weighted(plain))(inputs).forEach((expected, which) => expectClose(gradients[which], expected, 2e-5))
  const step = 1e-2
  inputs.forEach((input, which) => {
    const flat = list(input)
    const at = Math.floor(uniform(2, 'batches', which) * flat.length)
    const shifted = (by: number) => weighted(ours)(...inputs.map((x, i) => (i === which ? tf.tensor(flat.map((v, j) => (j === at ? v + by : v)), x.shape) : x))).dataSync()[0]
    expect(Math.abs((shifted(step) - shifted(-step)) / (2 * step) - list(gradients[which])[at])).toBeLessThan(5e-3)
  })
}

describe('linear', () => {
  it.each([[[5, 3]], [[2, 4, 3]], [[2, 2, 2, 3]], [[3]]])('x of shape %j', (shape) => {
    const plain = (transposed: boolean) => (x: tf.Tensor, w: tf.Tensor) => tf.reshape(tf.matMul(tf.reshape(x, [-1, 3]) as tf.Tensor2D, (transposed ? tf.transpose(w) : w) as tf.Tensor2D), [...shape.slice(0, -1), 4])
    expectSame((x, w) => linear(x, w), plain(false), [numbers(shape, 1), numbers([3, 4], 2)])
    expectSame((x, w) => linear(x, w, true), plain(true), [numbers(shape, 1), numbers([4, 3], 2)])
  })
})

describe('embedding', () => {
  it('sums the gradients of a row that is read several times; a row never read gets none', () => {
    const indices = tf.tensor2d([1, 3, 1, 1, 0, 3], [2, 3], 'int32')
    const oneHot = tf.oneHot(tf.reshape(indices, [-1]) as tf.Tensor1D, 5, 1, 0, 'float32')
    expectSame((table) => embedding(table, indices), (table) => tf.reshape(tf.matMul(oneHot as tf.Tensor2D, table as tf.Tensor2D), [2, 3, 4]), [numbers([5, 4], 3)])
  })
})

describe('layerNormalization', () => {
  it.each([[[3, 8]], [[2, 3, 8]]])('x of shape %j', (shape) => {
    const plain = (x: tf.Tensor, scale: tf.Tensor) => {
      const { mean, variance } = tf.moments(x, -1, true)
      return tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5))), scale)
    }
    expectSame(layerNormalization, plain, [numbers(shape, 4), numbers([8], 5)])
  })
})

describe('gelu', () => {
  it('is x Φ(x)', () => {
    expectSame(gelu, (x) => tf.mul(x, tf.mul(0.5, tf.add(1, tf.erf(tf.div(x, Math.SQRT2))))), [tf.mul(numbers([40], 6), 4)])
    // Φ(1) = 0.8413447, Φ(−2) = 0.0227501.
    const [one, minusTwo, zero] = list(gelu(tf.tensor1d([1, -2, 0])))
    expect(one).toBeCloseTo(0.8413447, 5)
    expect(minusTwo).toBeCloseTo(-0.0455003, 5)
    expect(zero).toBe(0)
  })
})

describe('reluSquared', () => {
  it('is max(x, 0)²', () => {
    expectSame(reluSquared, (x) => tf.square(tf.relu(x)), [tf.mul(numbers([40], 16), 4)])
    expect(list(reluSquared(tf.tensor1d([3, -2, 0])))).toEqual([9, 0, 0])
  })
})

describe('rootMeanSquareNormalization', () => {
  it.each([[[3, 8]], [[2, 3, 4, 6]]])('x of shape %j', (shape) => {
    expectSame(rootMeanSquareNormalization, (x) => tf.div(x, tf.sqrt(tf.add(tf.mean(tf.square(x), -1, true), 1e-5))), [numbers(shape, 17)])
  })
})

describe('categoricalLogProbability', () => {
  it('is log softmax at x', () => {
    const x = tf.tensor2d([2, 0, 1, 2, 2, 1], [2, 3], 'int32')
    const indicator = tf.oneHot(x as unknown as tf.Tensor1D, 3, 1, 0, 'float32')
    expectSame((logits) => categoricalLogProbability(logits, x), (logits) => tf.sum(tf.mul(tf.sub(logits, tf.logSumExp(logits, -1, true)), indicator), -1), [tf.mul(numbers([2, 3, 3], 7), 3)])
  })
  it('is exact where a value is all but certain, or all but impossible', () => {
    const [certain, impossible] = list(categoricalLogProbability(tf.tensor2d([[200, 0], [200, 0]]), tf.tensor1d([0, 1], 'int32')))
    expect(certain).toBe(0)
    expect(impossible).toBe(-200)
  })
})

describe('causalAttention', () => {
  const plain = (context: number) => (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => {
    const [S, K, F] = [q.shape[2]!, k.shape[2]!, q.shape[3]!]
    const seen = tf.buffer([S, K])
    for (let i = 0; i < S; i++) for (let j = 0; j < K; j++) seen.set(K - S + i - j >= 0 && K - S + i - j < context ? 1 : 0, i, j)
    const exponentials = tf.mul(tf.exp(tf.div(tf.matMul(q, k, false, true), Math.sqrt(F))), seen.toTensor())
    return tf.matMul(tf.div(exponentials, tf.sum(exponentials, -1, true)), v)
  }
  it.each([[5, 5, 5], [5, 5, 2], [2, 6, 4], [1, 4, 4], [4, 4, 100]])('%d queries, %d keys, context %d', (S, K, context) => {
    expectSame((q, k, v) => causalAttention(q, k, v, { context }), plain(context), [numbers([2, 2, S, 4], 8), numbers([2, 2, K, 4], 9), numbers([2, 2, K, 4], 10)])
  })
  it('stays inside documents that stand side by side: each as if it were alone, gradients too', () => {
    const lengths = [2, 1, 3]
    const documents = tf.tensor2d([[0, 0, 1, 2, 2, 2]], [1, 6], 'int32')
    const inputs = [numbers([1, 2, 6, 4], 8), numbers([1, 2, 6, 4], 9), numbers([1, 2, 6, 4], 10)]
    for (const context of [100, 2]) {
      const alone = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => {
        const [a, b, c] = [q, k, v].map((x) => tf.split(x, lengths, 2))
        return tf.concat(lengths.map((_, i) => plain(context)(a[i], b[i], c[i])), 2)
      }
      expectSame((q, k, v) => causalAttention(q, k, v, { context }, documents), alone, inputs)
    }
  })
  it('lets exactly the band through', () => {
    expect(Array.from(attentionMask(2, 3, 2), (x) => x === 0)).toEqual([true, true, false, false, true, true])
  })
})

describe('rotaryEmbedding', () => {
  const angles = (places: number[]) => rotaryAngles(tf.tensor1d(places), 6)
  it('turns each pair by position · 10000^(−2j/F)', () => {
    const x = numbers([1, 1, 2, 6], 11)
    const [a, b] = [list(x), list(rotaryEmbedding(x, angles([0, 5])))]
    expect(b.slice(0, 6)).toEqual(a.slice(0, 6))
    for (let j = 0; j < 3; j++) {
      const angle = 5 * 10_000 ** ((-2 * j) / 6)
      expect(b[6 + j]).toBeCloseTo(a[6 + j] * Math.cos(angle) - a[9 + j] * Math.sin(angle), 5)
      expect(b[9 + j]).toBeCloseTo(a[6 + j] * Math.sin(angle) + a[9 + j] * Math.cos(angle), 5)
    }
  })
  it('has the turn back as its gradient, and products that depend on the distance alone', () => {
    const { cosine, sine } = angles([3, 4])
    const plain = (x: tf.Tensor) => {
      const [first, second] = tf.split(x, 2, -1)
      return tf.concat([tf.sub(tf.mul(first, cosine), tf.mul(second, sine)), tf.add(tf.mul(first, sine), tf.mul(second, cosine))], -1)
    }
    expectSame((x) => rotaryEmbedding(x, { cosine, sine }), plain, [numbers([2, 1, 2, 6], 12)])
    const [q, k] = [numbers([1, 1, 1, 6], 13), numbers([1, 1, 1, 6], 14)]
    const product = (m: number, n: number) => list(tf.sum(tf.mul(rotaryEmbedding(q, angles([m])), rotaryEmbedding(k, angles([n])))))[0]
    expect(product(9, 7)).toBeCloseTo(product(2, 0), 5)
    expect(Math.abs(product(9, 7) - product(9, 6))).toBeGreaterThan(1e-3)
  })
})

describe('sequence pieces', () => {
  it('count positions from the first, and keep the last', () => {
    const x = numbers([2, 4, 3], 15)
    const first = tf.tensor1d([7], 'int32')
    expect(list(positions(x, first))).toEqual([7, 8, 9, 10])
    expect(list(nextPosition(x, first))).toEqual([11])
    const memory = numbers([1, 1, 3, 2], 16)
    expect(list(last(memory, 2))).toEqual(list(memory).slice(2))
    expect(list(last(memory, 5))).toEqual(list(memory))
  })
})
