/** Sounds as real numbers: a density of them, trained, exported, drawn and gone on with. */
import { InvalidOptionError, UnsupportedError } from '@chainrule/core'
import { describe, expect, it } from 'vitest'
import { audioModel, categorical, causalConvolution, evaluate, fit, frames, gaussianMixture, openTrained, real, sample, score, type Sound, stream, verifyModel, recordTrained } from '../src/index.js'

const sampleRateHz = 8_000
const tone = (count: number, period: number, phase = 0): Sound => ({ sampleRateHz, samples: Float32Array.from({ length: count }, (_, i) => 0.6 * Math.sin((2 * Math.PI * (i + phase)) / period)) })
const sounds = [tone(320, 16), tone(320, 16, 5), tone(320, 16, 9)]

describe('samples as real numbers', () => {
  it('are the amplitudes themselves; what is drawn beyond full scale is cut', () => {
    const tokenizer = frames({ sampleRateHz, length: 2, encoding: real() })
    expect(tokenizer.domain).toMatchObject({ values: 'real', components: 2 })
    expect(tokenizer.decode(tokenizer.encode(sounds[0])).samples).toEqual(sounds[0].samples)
    expect([...tokenizer.decode(Float32Array.of(1.5, -3)).samples]).toEqual([1, -1])
    expect(() => tokenizer.decode(Float32Array.of(NaN, 0))).toThrow(/expected a finite number/)
    expect(() => frames({ sampleRateHz, encoding: real(), ends: true })).toThrow(UnsupportedError)
    expect(() => frames({ sampleRateHz, encoding: real({ bits: 3 } as never) })).toThrow(InvalidOptionError)
  })
  it.each([1, 4])('in frames of %d: learned, drawn, gone on with; nats are those of a density, without bits', { timeout: 120_000 }, async (length) => {
    const model = audioModel({ tokenizer: frames({ sampleRateHz, length, encoding: real() }), network: causalConvolution({ layers: 4, width: 12, input: 'scaled' }), head: gaussianMixture({ components: 3, smallestScale: 0.01 }) })
    const settings = { batchSize: 4, seed: 1, learningRate: 1e-2, threads: 1, window: 32 }
    const held = tone(160, 16, 3)
    const natsAfter = async (steps: number) => {
      const loaded = await openTrained(await fit(model, sounds, { ...settings, steps }))
      const { totalNats } = await evaluate(loaded, [held])
      await loaded.release()
      return totalNats
    }
    expect(await natsAfter(60)).toBeLessThan((await natsAfter(1)) - 15)
    const trained = await fit(model, sounds, { ...settings, steps: 60 })
    const loaded = await openTrained(trained)
    try {
      const result = await evaluate(loaded, [held])
      expect(result).toMatchObject({ isDensity: true, samples: 160 })
      expect(result.bitsPerSample).toBeUndefined()
      expect((await score(loaded, held)).totalNats).toBeCloseTo(result.totalNats, 3)
      const prompt = tone(32, 16)
      const [drawn] = await sample(loaded, { prompt, frames: 10, seed: 3 })
      expect(drawn.samples.subarray(0, 32)).toEqual(prompt.samples)
      const pieces: number[] = []
      for await (const piece of stream(loaded, { prompt, frames: 10, seed: 3 })) pieces.push(...piece)
      expect(pieces).toEqual([...drawn.samples.subarray(32)])
    } finally {
      await loaded.release()
    }
    const report = await verifyModel(await recordTrained(trained))
    expect(report.checks.filter(({ outcome }) => outcome === 'failed')).toEqual([])
  })
  it('heads of whole numbers refuse them, by name', () => {
    expect(() => audioModel({ tokenizer: frames({ sampleRateHz, encoding: real() }), network: causalConvolution({ layers: 1, width: 4, input: 'scaled' }), head: categorical() })).toThrow(/categorical: speaks of whole numbers/)
    expect(() => audioModel({ tokenizer: frames({ sampleRateHz, encoding: real() }), network: causalConvolution({ layers: 1, width: 4 }), head: gaussianMixture() })).toThrow(/Use input: 'scaled'/)
  })
})
