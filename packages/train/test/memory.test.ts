/** Memory stays flat over a long training with everything on: a sample here, 20,000 updates with CHAINRULE_LONG. */
import * as tf from '@tensorflow/tfjs-core'
import { expect, test } from 'vitest'
import { eager, train } from '../src/index.js'
import { data, model, otherData, settings } from './counting-model.js'

const isLong = Boolean(process.env.CHAINRULE_LONG)
const steps = isLong ? 20_000 : 1000
const warmUp = 300

test(`over ${steps} updates`, async () => {
  await tf.setBackend('cpu')
  const tensors: number[] = []
  const resident: number[] = []
  const updates = train(model, data, { ...settings, steps, engine: eager(), averageDecay: 0.9, accumulation: isLong ? 2 : 1, validation: { data: otherData, everySteps: 100 } })
  for await (const { step, state } of updates) {
    if (step % 100 === 0) await state()
    if (step < warmUp || step % 100 !== 0) continue
    tensors.push(tf.memory().numTensors)
    resident.push(process.memoryUsage().rss)
  }
  expect(new Set(tensors).size, `numbers of tensors: ${tensors.join(' ')}`).toBe(1)
  // The heap breathes; what leaks grows: the later half is compared with the first one.
  const half = Math.floor(resident.length / 2)
  const growth = Math.max(...resident.slice(half)) - Math.max(...resident.slice(0, half))
  expect(growth, `resident: ${resident.map((bytes) => Math.round(bytes / 1e6)).join(' ')} MB`).toBeLessThan(60e6)
}, 1_800_000)
