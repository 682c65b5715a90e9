import { InvalidDataError, normal } from '@chainrule/core'
import { expect, it } from 'vitest'
import { predictionFilter } from '../src/index.js'

const sampleRateHz = 8_000
/** s(t) = 1.6 s(t−1) − 0.8 s(t−2) + noise. */
function resonance(length: number, seed: number, loudness: number) {
  const samples = new Float32Array(length)
  for (let t = 0; t < length; t++) samples[t] = 1.6 * (samples[t - 1] ?? 0) - 0.8 * (samples[t - 2] ?? 0) + loudness * normal(seed, 'sampling', t)
  return { sampleRateHz, samples }
}

it('finds what made the sound, loud or quiet', () => {
  const [a, b, ...rest] = predictionFilter([resonance(20_000, 1, 0.05), resonance(20_000, 2, 1e-4)], { order: 4 })
  expect(Math.abs(a - 1.6)).toBeLessThan(0.1)
  expect(Math.abs(b + 0.8)).toBeLessThan(0.1)
  rest.forEach((c) => expect(Math.abs(c)).toBeLessThan(0.1))
  expect(predictionFilter([resonance(2_000, 1, 0.05)])).toHaveLength(16)
})

it('what is loud does not decide alone', () => {
  const noise = { sampleRateHz, samples: Float32Array.from({ length: 2_048 }, (_, t) => 0.1 * normal(5, 'sampling', t)) }
  const [a, b] = predictionFilter([noise, resonance(20_000, 1, 1e-3)], { order: 2 })
  expect(Math.abs(a - 1.6)).toBeLessThan(0.1)
  expect(Math.abs(b + 0.8)).toBeLessThan(0.1)
})

it('of very many sounds, some', () => {
  const sound = resonance(200, 4, 0.05)
  const many = predictionFilter(Array.from({ length: 4_500 }, () => sound), { order: 2 })
  predictionFilter([sound], { order: 2 }).forEach((c, r) => expect(many[r]).toBeCloseTo(c, 9))
})

it('silence and short sounds are passed over, nothing else is not enough', () => {
  const silence = { sampleRateHz, samples: new Float32Array(100) }
  const short = { sampleRateHz, samples: Float32Array.of(0.5, -0.5) }
  const sound = resonance(1_000, 3, 0.05)
  expect(predictionFilter([silence, short, sound], { order: 3 })).toEqual(predictionFilter([sound], { order: 3 }))
  expect(() => predictionFilter([silence, short])).toThrow(InvalidDataError)
  expect(() => predictionFilter([sound], { lags: 2 } as never)).toThrow(/unknown option "lags"/)
})
