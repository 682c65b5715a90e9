/** The evaluated recording computes with onnxruntime, what was written as inputs or as constants, and counts tensors as tfjs does. */
import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'
import { type Environment, registerEnvironment } from '../src/eager-recording.js'

const environments: readonly Environment[] = [
  { name: 'inputs', target: 'onnxruntime', written: 'as inputs' },
  { name: 'constants', target: 'standard', written: 'as constants' },
]

describe.each(environments)('$name', (environment) => {
  const ran: string[] = []
  registerEnvironment(environment, (kernel) => ran.push(kernel))

  it('evaluates what is read, and tells which kernels ran', async () => {
    await tf.setBackend(environment.name)
    const x = tf.tensor2d([1, 2, 3, 4], [2, 2])
    const y = tf.matMul(x, x, false, true)
    const z = tf.div(tf.sum(y, 0), 4)
    expect(Array.from(await z.data())).toEqual([4, 9])
    expect(Array.from(await y.data())).toEqual([5, 11, 11, 25])
    expect(ran).toEqual(['BatchMatMul', 'Sum', 'RealDiv'])
  })
  it('hands out copies', async () => {
    await tf.setBackend(environment.name)
    const y = tf.add(tf.tensor1d([1, 2]), 1)
    ;(await y.data()).fill(0)
    expect(Array.from(await y.data())).toEqual([2, 3])
  })
  it('keeps what a variable shares with the tensor that it was made of', async () => {
    await tf.setBackend(environment.name)
    const before = tf.memory().numTensors
    const first = tf.tensor1d([1, 2])
    const variable = tf.variable(first)
    first.dispose()
    expect(Array.from(await variable.data())).toEqual([1, 2])
    variable.dispose()
    expect(tf.memory().numTensors).toBe(before)
  })
  it('has no synchronous read', async () => {
    await tf.setBackend(environment.name)
    expect(() => tf.tensor1d([1, 2]).dataSync()).toThrow(/no synchronous read/)
  })
})
