/** The linear map of neighbors against loops, its gradient against tfjs's own of the plain composition. */
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { InvalidOptionError, uniform } from '../../src/index.js'
import { neighborhood, neighborLinear } from '../../src/tensors/index.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const numbers = (shape: number[], stream: number) => tf.tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => 2 * uniform(1, 'batches', stream, i) - 1), shape)

/** 4 rows, 3 taps: the row before, the row itself, and one of another row's choice or nothing. */
const square = { reads: [-1, 0, 2, 0, 1, -1, 1, 2, 3, 2, 3, 0], taps: 3, rows: 4, sources: 4 }
/** 2 rows that read 5. */
const narrow = { reads: [4, 0, 1, -1], taps: 2, rows: 2, sources: 5 }

describe.each([square, narrow])('neighbors %j', ({ reads, taps, rows, sources }) => {
  const neighbors = neighborhood(Int32Array.from(reads), taps, sources)
  // Both ways to the gradient of the weight: narrower in, narrower out.
  it.each([[2, 5], [5, 2], [3, 3]])('%d inputs, %d outputs: value and gradients', (D, E) => {
    const B = 2
    const [x, weight, bias] = [numbers([B, sources, D], 1), numbers([taps, D, E], 2), numbers([E], 3)]
    const [xs, weights, biases] = [x, weight, bias].map((tensor) => tensor.dataSync())
    const value = neighborLinear(x, weight, bias, neighbors)
    expect(value.shape).toEqual([B, rows, E])
    value.dataSync().forEach((got, at) => {
      const [b, p, e] = [Math.floor(at / (rows * E)), Math.floor(at / E) % rows, at % E]
      let sum = biases[e]
      for (let t = 0; t < taps; t++) {
        const q = reads[p * taps + t]
        if (q >= 0) for (let k = 0; k < D; k++) sum += xs[(b * sources + q) * D + k] * weights[(t * D + k) * E + e]
      }
      expect(got).toBeCloseTo(sum, 5)
    })
    const plain = (x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor) => {
      const padded = tf.concat([x, tf.zeros([B, 1, D])], 1)
      const gathered = tf.gather(padded, Int32Array.from(reads, (q) => (q < 0 ? sources : q)), 1)
      return tf.add(tf.reshape(tf.matMul(tf.reshape(gathered, [B * rows, taps * D]), tf.reshape(weight, [taps * D, E]) as tf.Tensor2D), [B, rows, E]), bias)
    }
    const weighting = numbers([B, rows, E], 4)
    const [got, expected] = [(...all: tf.Tensor[]) => neighborLinear(all[0], all[1], all[2], neighbors), plain].map((f) => tf.grads((...all: tf.Tensor[]) => tf.sum(tf.mul((f as typeof plain)(all[0], all[1], all[2]), weighting)))([x, weight, bias]))
    got.forEach((gradient, which) => {
      expect(gradient.shape).toEqual(expected[which].shape)
      const numbers = expected[which].dataSync()
      gradient.dataSync().forEach((value, i) => expect(value).toBeCloseTo(numbers[i], 5))
    })
  })
})

describe('neighborhood', () => {
  it.each<[string, number[], number, number | undefined, RegExp]>([
    ['a row that is not there', [0, 4, 1, 2], 2, 3, /row 0 reads row 4, expected one of 0 … 2/],
    ['a tap that reads a row twice', [1, 0, 1, 1], 2, undefined, /tap 0 reads row 1 for the rows 0 and 1/],
    ['indices that are not whole rows', [0, 0, 0], 2, 3, /3 indices are no multiple of the 2 taps/],
  ])('%s is refused', (_, reads, taps, sources, message) => {
    expect(() => neighborhood(Int32Array.from(reads), taps, sources)).toThrow(InvalidOptionError)
    expect(() => neighborhood(Int32Array.from(reads), taps, sources)).toThrow(message)
  })
})
