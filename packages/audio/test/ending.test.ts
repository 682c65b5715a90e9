/** Sounds that end, with a head of numbers: the end is learnt apart from the loudest level, beside which its value stands. */
import { expect, test } from 'vitest'
import { audioModel, causalConvolution, discretizedLogisticMixture, fit, frames, linear, openTrained, sample, score, type Sound } from '../src/index.js'

const sampleRateHz = 8_000
/** Five quiet samples, rising, so that a window from the middle shows where it stands. */
const quiet = (which: number): Sound => ({ sampleRateHz, samples: Float32Array.from({ length: 5 }, (_, t) => (t - 2) / 20 + (((which + t) % 3) - 1) / 128) })

test('quiet sounds of five samples: the sixth variable is the end, and never a click', { timeout: 120_000 }, async () => {
  const sounds = Array.from({ length: 10 }, (_, which) => quiet(which))
  const model = audioModel({ tokenizer: frames({ sampleRateHz, encoding: linear({ bits: 8 }), ends: true }), network: causalConvolution({ layers: 3, width: 16, input: 'scaled' }), head: discretizedLogisticMixture({ components: 2 }) })
  const trained = await fit(model, sounds, { steps: 1_500, batchSize: 5, window: 6, seed: 1, learningRate: 2e-2, weightDecay: 0, threads: 1 })
  const loaded = await openTrained(trained)
  const ended = await score(loaded, sounds[3])
  expect(ended.nats).toHaveLength(6)
  expect(Math.exp(-ended.nats[5])).toBeGreaterThan(0.99)
  const clicks = await score(loaded, { sampleRateHz, samples: Float32Array.of(...sounds[3].samples, 1) })
  expect(Math.exp(-clicks.nats[5])).toBeLessThan(1e-6)
  const loud = await score(loaded, { sampleRateHz, samples: Float32Array.of(...sounds[3].samples.subarray(0, 2), 1) })
  expect(Math.exp(-loud.nats[2])).toBeLessThan(1e-6)
  const drawn = await sample(loaded, { count: 100, frames: 20, seed: 2 })
  expect(drawn.filter(({ samples }) => samples.length === 5).length).toBeGreaterThan(95)
  expect(drawn.every(({ samples }) => samples.every((amplitude) => Math.abs(amplitude) < 0.5))).toBe(true)
  await loaded.release()
})
