/** Sounds that end, with a head of numbers: the end is learnt apart from the loudest level, beside which its value stands. */
import { expect, test } from 'vitest'
import { audioModel, causalConvolution, discretizedLogisticMixture, fit, frames, linear, openTrained, sample, score, type Sound } from '../src/index.js'

const sampleRateHz = 8_000
/** Samples of at most a third of the loudest, rising, so that a window from the middle shows where it stands. */
const quiet = (which: number, length: number): Sound => ({ sampleRateHz, samples: Float32Array.from({ length }, (_, t) => (t - 2) / 6 + (((which + t) % 3) - 1) / 128) })

test('quiet sounds of four or five samples: an end as likely as one more sample, then a certain one, and never a click', { timeout: 120_000 }, async () => {
  const sounds = Array.from({ length: 12 }, (_, which) => quiet(which, 4 + (which % 2)))
  // One logistic: were the end a level, it could reach both only by being as wide as all between them.
  const model = audioModel({ tokenizer: frames({ sampleRateHz, encoding: linear({ bits: 8 }), ends: true }), network: causalConvolution({ layers: 4, width: 16, input: 'scaled' }), head: discretizedLogisticMixture({ components: 1 }) })
  const trained = await fit(model, sounds, { steps: 2_000, batchSize: 6, window: 6, seed: 1, learningRate: 2e-2, weightDecay: 0, threads: 1 })
  const loaded = await openTrained(trained)
  /** p of what stands at `place`, of sound 1 of so many samples and one more. */
  const probability = async (length: number, place: number, ...more: number[]) => Math.exp(-(await score(loaded, { sampleRateHz, samples: Float32Array.of(...quiet(1, length).samples, ...more) })).nats[place])
  expect(await probability(5, 5)).toBeGreaterThan(0.95)
  const undecided = await probability(4, 4)
  expect(undecided).toBeGreaterThan(0.2)
  expect(undecided).toBeLessThan(0.8)
  for (const length of [3, 4, 5]) expect(await probability(length, length, 1)).toBeLessThan(1e-4)
  const drawn = await sample(loaded, { count: 100, frames: 20, seed: 2 })
  expect(drawn.filter(({ samples }) => samples.length === 4 || samples.length === 5).length).toBeGreaterThan(95)
  expect(drawn.every(({ samples }) => samples.every((amplitude) => Math.abs(amplitude) < 0.5))).toBe(true)
  await loaded.release()
})
