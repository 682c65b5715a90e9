import * as tf from '@tensorflow/tfjs-core'
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import { expect, it } from 'vitest'
import { UnavailableError } from '../src/index.js'
import { eagerEngine, type Program, type ProgramSpecification } from '../src/tensors/index.js'

// In a file of its own, because a process begins only once.
const program: Program = (_, { x }) => ({ outputs: { y: tf.add(x, 1) } })
const specification: ProgramSpecification = { inputs: { x: { shape: [1], type: 'float32' } }, carried: {} }

it('refuses to run on no backend, and runs where none was active before', async () => {
  expect(tf.getBackend()).toBeUndefined()
  await expect(eagerEngine('none', () => undefined).compile(program, specification)).rejects.toThrow(UnavailableError)
  const compiled = await eagerEngine('eager', async () => void (await tf.setBackend('cpu'))).compile(program, specification)
  expect(await compiled.run({ x: new Float32Array([2]) })).toEqual({ y: new Float32Array([3]) })
})

it('runs where the backend that was active has been removed', async () => {
  tf.registerBackend('removed', () => new MathBackendCPU())
  await tf.setBackend('removed')
  tf.removeBackend('removed')
  expect(tf.getBackend()).toBeNull()
  const compiled = await eagerEngine('eager', async () => void (await tf.setBackend('cpu'))).compile(program, specification)
  expect(await compiled.run({ x: new Float32Array([2]) })).toEqual({ y: new Float32Array([3]) })
})
