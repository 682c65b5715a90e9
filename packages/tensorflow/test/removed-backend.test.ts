import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { expect, it } from 'vitest'
import { tensorflow } from '../src/index.js'
import { loadBackend } from '../src/load-backend.js'
import { projectWith } from './installation.js'

it('loads and runs where the backend that was active has been removed', async () => {
  tf.registerBackend('removed', () => new MathBackendCPU())
  await tf.setBackend('removed')
  tf.removeBackend('removed')
  expect(tf.getBackend()).toBeNull()
  const main = `
    const tf = require('@tensorflow/tfjs-core')
    tf.registerBackend('tensorflow', () => tf.findBackend('cpu'), 3)
    tf.copyRegisteredKernels('cpu', 'tensorflow')
  `
  await loadBackend(projectWith({ main }))
  const program = await (await tensorflow()).compile((_, { x }) => ({ outputs: { y: tf.add(x, 1) } }), { inputs: { x: { shape: [1], type: 'float32' } }, carried: {} })
  expect(await program.run({ x: new Float32Array([2]) })).toEqual({ y: new Float32Array([3]) })
})
