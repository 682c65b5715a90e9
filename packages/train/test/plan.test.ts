/** The plan: its arithmetic by hand, and what it leaves as it was. */
import { leftToRight } from '@chainrule/core'
import { bernoulli, createModel } from '@chainrule/core/tensors'
import { multilayerPerceptron } from '@chainrule/networks'
import * as tf from '@tensorflow/tfjs-core'
import { expect, test } from 'vitest'
import { eager, fit, plan } from '../src/index.js'
import { data, model, settings } from './counting-model.js'

const engine = eager()

test('counts the products of a transformer', async () => {
  const { batchSize: B, length: S } = settings
  const [D, H, V] = [8, 2, 5]
  const found = await plan(model, { ...settings, engine })
  const linear = B * S * (12 * D * D + D * (V - 1))
  const attention = 2 * B * H * S * S * (D / H)
  expect(found.forwardOperations).toBe(2 * (linear + attention))
  expect(found.backwardOperations).toBe(2 * found.forwardOperations)
  expect(found.parameters).toBe(12 * D * D + 3 * D + V * D)
  expect(found.variablesPerUpdate).toBe(18)
  const { parameters, moments, average, gradientSum, activations } = found.memory
  expect([parameters, moments, average, gradientSum]).toEqual([4, 8, 0, 0].map((bytes) => bytes * found.parameters))
  expect(activations).toBeGreaterThan(4 * B * S * 12 * D)
  expect(found.rate).toBe('timed')
  expect(found.engine).toBe(engine.name)
  expect(found.secondsLeft).toBeCloseTo(12 * found.secondsPerUpdate, 10)
})

test('counts the products of a perceptron as they are traced, the gradient of its input too', async () => {
  const perceptron = createModel({ domain: { length: 10, components: 1, values: 2 }, order: leftToRight(), network: multilayerPerceptron({ hidden: [7] }), head: bernoulli() })
  const found = await plan(perceptron, { steps: 1, batchSize: 4, engine })
  expect(found.forwardOperations).toBe(2 * 4 * (10 * 7 + 7 * 10))
  expect(found.backwardOperations).toBe(2 * found.forwardOperations)
})

test('accumulation, average and a rate that is known', async () => {
  const one = await plan(model, { ...settings, engine })
  const more = await plan(model, { ...settings, accumulation: 3, averageDecay: 0.9, engine })
  expect(more.forwardOperations).toBe(3 * one.forwardOperations)
  expect(more.backwardOperations).toBe(3 * one.backwardOperations)
  expect(more.variablesPerUpdate).toBe(3 * one.variablesPerUpdate)
  expect(more.memory).toEqual({ ...one.memory, average: one.memory.parameters, gradientSum: one.memory.parameters })
  const { state } = await fit(model, data, { ...settings, steps: 3, engine })
  const known = await plan(model, { ...settings, engine, state: { ...state, seconds: 6 } })
  expect(known).toMatchObject({ rate: 'so far', secondsPerUpdate: 2, secondsLeft: 18, forwardOperations: one.forwardOperations })
  await expect(plan(model, { ...settings, engine, ...{ budget: 1 } })).rejects.toThrow(/unknown option "budget"/)
})

test('leaves nothing behind', async () => {
  await tf.setBackend('cpu')
  const { runKernel } = tf.engine()
  const before = tf.memory().numTensors
  await plan(model, { ...settings, engine })
  expect(tf.memory().numTensors).toBe(before)
  expect(tf.engine().runKernel).toBe(runKernel)
})
