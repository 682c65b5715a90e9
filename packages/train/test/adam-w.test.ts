import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, expect, test } from 'vitest'
import { adamW, learningRateAt, updateNumbers } from '../src/index.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const options = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 }

/** AdamW as the paper writes it, in float64, with clipping by the global norm. */
function textbook(weights: number[][], gradients: number[][][], decays: boolean[], learningRate: (step: number) => number) {
  const w = weights.map((row) => [...row])
  const m = w.map((row) => row.map(() => 0))
  const v = w.map((row) => row.map(() => 0))
  gradients.forEach((gradient, step) => {
    const norm = Math.sqrt(gradient.flat().reduce((sum, g) => sum + g * g, 0))
    const scale = Math.min(1, options.clipNorm / (norm + 1e-6))
    const rate = learningRate(step)
    w.forEach((row, i) =>
      row.forEach((_, j) => {
        const g = gradient[i][j] * scale
        m[i][j] = options.beta1 * m[i][j] + (1 - options.beta1) * g
        v[i][j] = options.beta2 * v[i][j] + (1 - options.beta2) * g * g
        const mHat = m[i][j] / (1 - options.beta1 ** (step + 1))
        const vHat = v[i][j] / (1 - options.beta2 ** (step + 1))
        row[j] = row[j] * (decays[i] ? 1 - rate * options.weightDecay : 1) - (rate * mHat) / (Math.sqrt(vHat) + options.epsilon)
      }),
    )
  })
  return w
}

test('the program is the textbook AdamW: decay for matrices only, clipping by the global norm', () => {
  const schedule = { learningRate: 0.05, minimumLearningRate: 0.001, warmupSteps: 3, steps: 12, decay: 'cosine' as const }
  const random = (seed: number) => Math.sin(seed * 12.9898) * 2
  const start = [Array.from({ length: 6 }, (_, i) => random(i + 1)), Array.from({ length: 3 }, (_, i) => random(i + 50))]
  // Some steps are clipped (large), some are not (small).
  const gradients = Array.from({ length: 12 }, (_, step) => start.map((row, i) => row.map((_, j) => random(step * 31 + i * 7 + j + 3) * (step % 3 === 0 ? 0.1 : 2))))
  const zeros = () => ({ matrix: tf.zeros([2, 3]), gain: tf.zeros([3]) })
  let state = { parameters: { matrix: tf.tensor2d(start[0], [2, 3]) as tf.Tensor, gain: tf.tensor1d(start[1]) as tf.Tensor }, firstMoments: zeros(), secondMoments: zeros() }
  gradients.forEach((gradient, step) => {
    const numbers = tf.tensor1d(updateNumbers(step, learningRateAt(step, schedule), options))
    const result = adamW(state, { matrix: tf.tensor2d(gradient[0], [2, 3]), gain: tf.tensor1d(gradient[1]) }, numbers, options.clipNorm)
    expect(result.gradientNorm.dataSync()[0]).toBeCloseTo(Math.hypot(...gradient.flat()), 4)
    state = result.state as typeof state
  })
  const expected = textbook(start, gradients, [true, false], (step) => learningRateAt(step, schedule))
  const got = [[...state.parameters.matrix.dataSync()], [...state.parameters.gain.dataSync()]]
  got.forEach((row, i) => row.forEach((value, j) => expect(value).toBeCloseTo(expected[i][j], 5)))
})

test('the schedule warms up linearly, decays to the minimum, and stays between', () => {
  const schedule = { learningRate: 1e-3, minimumLearningRate: 1e-4, warmupSteps: 100, steps: 2000 }
  expect(learningRateAt(0, { ...schedule, decay: 'cosine' })).toBeCloseTo(1e-3 / 101, 12)
  expect(learningRateAt(100, { ...schedule, decay: 'cosine' })).toBeCloseTo(1e-3, 12)
  expect(learningRateAt(1050, { ...schedule, decay: 'cosine' })).toBeCloseTo(5.5e-4, 12)
  expect(learningRateAt(1050, { ...schedule, decay: 'linear' })).toBeCloseTo(5.5e-4, 12)
  expect(learningRateAt(575, { ...schedule, decay: 'cosine' })).toBeGreaterThan(learningRateAt(575, { ...schedule, decay: 'linear' }))
  expect(learningRateAt(2000, { ...schedule, decay: 'cosine' })).toBeCloseTo(1e-4, 12)
  expect(learningRateAt(1999, { ...schedule, decay: 'none' })).toBe(1e-3)
})
