/** Images as real numbers: a density, the bound that it gives on the probability of levels, and the verbs. */
import { InvalidOptionError, uniform } from '@chainrule/core'
import { beforeAll, describe, expect, it } from 'vitest'
import { complete, evaluate, fit, gaussianMixture, type Image, imageModel, type ImageTokenizer, maskedConvolution, multilayerPerceptron, openTrained, patches, pixels, rectangle, rgbPixels, recordTrained, sample, score, type TrainedImage, verifyModel } from '../src/index.js'

/** Stripes of two shades, with noise. */
const stripes = (count: number, channels = 1): Image[] =>
  Array.from({ length: count }, (_, which) => ({ height: 4, width: 4, channels, data: Uint8Array.from({ length: 16 * channels }, (_, i) => (Math.floor(i / channels / 4) % 2 ? 190 : 60) + Math.floor(30 * uniform(1, 'batches', which, i))) }))
const settings = { batchSize: 16, seed: 1, learningRate: 1e-2, threads: 1 }
const train = (tokenizer: ImageTokenizer, images: Image[], steps: number): Promise<TrainedImage> =>
  fit(imageModel({ tokenizer, network: tokenizer.channels === 1 ? maskedConvolution({ layers: 1, width: 12, firstKernel: 5 }) : multilayerPerceptron({ hidden: [24] }), head: gaussianMixture({ components: 3 }) }), images, { ...settings, steps })

describe('dequantised pixels', () => {
  const images = stripes(60)
  const tokenizer = pixels({ height: 4, width: 4, dequantized: true })
  let trained: TrainedImage
  beforeAll(async () => {
    trained = await train(tokenizer, images, 150)
  }, 120_000)

  it('evaluate gives a bound on the bits of the levels, with its draws, and the nats of the density beside it', async () => {
    const result = await evaluate(trained, images.slice(0, 8))
    const expected = result.bound!.densityNats + 16 * Math.log(256 / 2)
    expect(result.bound).toMatchObject({ seed: 0, draws: 1 })
    expect(result.nats).toBeCloseTo(expected, 3)
    expect(result.bitsPerDimension).toBeCloseTo(expected / 16 / Math.LN2, 5)
    // Noise of 30 shades has log₂ 30 = 4.9 bits.
    expect(result.bitsPerDimension).toBeGreaterThan(4.85)
    expect(result.bitsPerDimension).toBeLessThan(6.5)
    const other = await evaluate(trained, images.slice(0, 8), { dequantization: { seed: 5 } })
    expect(other.nats).not.toBe(result.nats)
    const several = await evaluate(trained, images.slice(0, 8), { dequantization: { draws: 3 } })
    expect(several).toMatchObject({ examples: 8, bound: { draws: 3 } })
    expect(several.nats).not.toBe(result.nats)
    expect(Math.abs(several.nats - result.nats)).toBeLessThan(3)
  })
  it('is indeed a bound: −log P of one pixel, the integral over its interval, lies below the mean of its draws', async () => {
    const loaded = await openTrained(trained)
    try {
      const [first] = images
      const x = tokenizer.encode(first)
      const [points, w] = [64, tokenizer.levelWidth!]
      const rows = Float32Array.from({ length: points * 16 }, (_, i) => x[i % 16] + (i % 16 === 0 ? ((Math.floor(i / 16) + 0.5) / points - 0.5) * w : 0))
      const nats = await loaded.opened.score({ x: rows })
      const densities = Array.from({ length: points }, (_, row) => nats[row * 16])
      const exact = -Math.log((w * densities.reduce((sum, each) => sum + Math.exp(-each), 0)) / points)
      const bound = densities.reduce((sum, each) => sum + each, 0) / points - Math.log(w)
      expect(bound).toBeGreaterThanOrEqual(exact - 1e-5)
      expect(bound - exact).toBeLessThan(0.1)
    } finally {
      await loaded.release()
    }
  })
  it('is drawn, scored and completed as images; opened and trained models agree; the checks pass', async () => {
    const loaded = await openTrained(trained)
    try {
      const [drawn] = await sample(loaded, { seed: 2 })
      expect(drawn).toMatchObject({ height: 4, width: 4, channels: 1 })
      const ofTrained = await evaluate(trained, images.slice(0, 4))
      expect((await evaluate(loaded, images.slice(0, 4))).nats).toBeCloseTo(ofTrained.nats, 3)
      const scores = await score(loaded, images.slice(0, 4))
      expect(scores.reduce((sum, { nats }) => sum + nats, 0) / 4).toBeCloseTo(ofTrained.nats, 3)
      const known = rectangle({ height: 4, width: 4 }, { bottom: 2 })
      const { images: completed, isExact } = await complete(loaded, images.slice(0, 1), { known, seed: 1 })
      expect(isExact).toBe(true)
      expect([...completed[0][0].data.subarray(0, 8)]).toEqual([...images[0].data.subarray(0, 8)])
    } finally {
      await loaded.release()
    }
    const report = await verifyModel(await recordTrained(trained))
    expect(report.checks.filter(({ outcome }) => outcome === 'failed')).toEqual([])
    expect(report.checks.find(({ name }) => name === 'draws')).toMatchObject({ outcome: 'passed' })
  })
  it('other tokenizers refuse what belongs to it', async () => {
    expect(() => pixels({ height: 4, width: 4, dequantized: 1 as never })).toThrow(/dequantized must be true or false/)
    const exact = { ...trained, tokenizer: pixels({ height: 4, width: 4 }) }
    await expect(evaluate(exact, images.slice(0, 1), { dequantization: { seed: 1 } })).rejects.toThrow(InvalidOptionError)
  })
})

it.each<[string, ImageTokenizer, number]>([
  ['colours', rgbPixels({ height: 4, width: 4, dequantized: true }), 3],
  ['patches', patches({ height: 4, width: 4, size: 2, dequantized: true }), 3],
])('%s: learned and drawn', { timeout: 120_000 }, async (_, tokenizer, channels) => {
  const images = stripes(40, channels)
  const bits = async (steps: number) => (await evaluate(await train(tokenizer, images, steps), images.slice(0, 8))).bitsPerDimension
  expect(await bits(80)).toBeLessThan((await bits(1)) - 0.3)
  const [drawn] = await sample(await train(tokenizer, images, 1), { seed: 2 })
  expect(drawn.data).toHaveLength(48)
})
