/**
 * The engine on a stand-in for tfjs-node: a package of that name which registers the cpu kernels as `tensorflow`, as the
 * real one registers its own. What the real one computes is compared in the interoperability tests.
 */
import util from 'node:util'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, expect, it } from 'vitest'
import { tensorflow } from '../src/index.js'
import { loadBackend } from '../src/load-backend.js'
import { projectWith } from './installation.js'

const standIn = `
  const tf = require('@tensorflow/tfjs-core')
  const util = require('util')
  if (util.isNullOrUndefined(0) || !util.isNullOrUndefined(null) || !util.isNullOrUndefined(undefined) || !util.isArray([])) throw new Error('not restored')
  tf.registerBackend('tensorflow', () => tf.findBackend('cpu'), 3)
  tf.copyRegisteredKernels('cpu', 'tensorflow')
  tf.setBackend('tensorflow')
`

beforeAll(async () => {
  await tf.setBackend('cpu')
  const functions = util as unknown as Record<string, unknown>
  delete functions.isNullOrUndefined // as Node 23 and newer have it
  delete functions.isArray
  await loadBackend(projectWith({ main: standIn }))
})

it('loading leaves the active backend', () => {
  expect(tf.getBackend()).toBe('cpu')
})

it('runs a training step on the backend tensorflow, active during the run only', async () => {
  const engine = await tensorflow()
  expect(engine.name).toBe('tensorflow')
  const seen: string[] = []
  const program = await engine.compile(
    ({ w }, { x }) => {
      seen.push(tf.getBackend())
      const { value, grads } = tf.valueAndGrads((w: tf.Tensor) => tf.sum(tf.square(tf.mul(w, x))) as tf.Scalar)([w])
      return { carried: { w: tf.sub(w, tf.mul(grads[0], 0.25)) }, outputs: { loss: value } }
    },
    { inputs: { x: { shape: [2], type: 'float32' } }, carried: { w: { shape: [2], data: new Float32Array([1, 2]) } } },
  )
  const { loss } = await program.run({ x: new Float32Array([1, -1]) })
  expect(loss).toEqual(new Float32Array([5])) // 1² + 2²
  expect((await program.carried()).w.data).toEqual(new Float32Array([0.5, 1])) // w − 0.25 · 2 w x²
  await program.release()
  expect(seen).toEqual(['tensorflow'])
  expect(tf.getBackend()).toBe('cpu')
})

it('refuses a second binding in one process', async () => {
  await expect(tensorflow({ binding: '/elsewhere/tfjs_binding.node' })).rejects.toThrow(/a process holds one binding\. Expected the one of @tensorflow\/tfjs-node, which is loaded, got \/elsewhere/)
  await expect(tensorflow()).resolves.toBeDefined()
})
