import { createRequire } from 'node:module'
import * as tf from '@tensorflow/tfjs-core'
import { expect, it } from 'vitest'
import * as engines from '../src/index.js'

it('importing the package loads nothing of tfjs-node and registers no backend', () => {
  expect(Object.keys(engines)).toEqual(['tensorflow'])
  const loaded = Object.keys(createRequire(import.meta.url).cache)
  expect(loaded.some((file) => file.includes('tfjs-core'))).toBe(true)
  expect(loaded.filter((file) => file.includes('tfjs-node'))).toEqual([])
  expect(tf.findBackendFactory('tensorflow')).toBeFalsy()
})
