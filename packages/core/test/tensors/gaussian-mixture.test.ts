import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Domain, InvalidOptionError, uniform, UnsupportedError } from '../../src/index.js'
import { categorical, chained, discretizedLogisticMixture, gaussianMixture, rgbLogisticMixture } from '../../src/tensors/index.js'
import { drawFromGaussians } from '../../src/tensors/head/gaussian-search.js'
import { normalCumulative } from '../../src/tensors/primitives/normal-distribution.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const real = (components: number): Domain => ({ length: 4, components, values: 'real' })

/** Φ(−a) in float64: the series of Φ near the middle, Laplace's continued fraction in the tail. */
function lowerTail(a: number): number {
  const density = Math.exp((-a * a) / 2) / Math.sqrt(2 * Math.PI)
  if (a < 3) {
    let [term, sum] = [a, a]
    for (let n = 1; n < 200; n++) sum += term *= (a * a) / (2 * n + 1)
    return 0.5 - density * sum
  }
  let fraction = a
  for (let k = 300; k >= 1; k--) fraction = a + k / fraction
  return density / fraction
}

it('the normal CDF has the digits of float32 from the far tail to the other end', () => {
  const a = Float32Array.from({ length: 121 }, (_, i) => i / 20)
  const lower = normalCumulative(tf.neg(tf.tensor1d(a))).dataSync<'float32'>()
  const upper = normalCumulative(tf.tensor1d(a)).dataSync<'float32'>()
  a.forEach((each, i) => {
    expect(Math.abs(lower[i] / lowerTail(each) - 1), `Φ(−${each})`).toBeLessThan(4e-6)
    expect(Math.abs(upper[i] - (1 - lowerTail(each))), `Φ(${each})`).toBeLessThan(3e-7)
  })
  expect([...normalCumulative(tf.tensor1d([-1e6, 1e6])).dataSync()]).toEqual([0, 1])
})

describe('a draw from a mixture of Gaussians', () => {
  const [means, scales, weights] = [[-1, 0.2, 0.21, 40], [0.5, 0.001, 0.3, 3], [0.3, 0.2, 0.45, 0.05]]
  const drawn = (u: readonly number[], given?: readonly number[]) => {
    const tile = (row: readonly number[]) => tf.tile(tf.tensor2d([[...row]]), [u.length, 1])
    const result = drawFromGaussians(
      { logits: tile(weights.map(Math.log)), mean: tile(means), logScale: tile(scales.map(Math.log)) },
      { uniforms: tf.tensor3d([...u], [u.length, 1, 1]), temperature: tf.tensor1d([1]), given: tf.tensor2d(given ? [...given] : u.map(() => 0), [u.length, 1]), isGiven: tf.fill([u.length], given ? 1 : 0, 'bool') },
    )
    return { values: result.values.dataSync(), drawn: result.drawn.dataSync(), distance: result.distance.dataSync() }
  }
  const cumulative = (x: number) => weights.reduce((sum, weight, k) => sum + weight * (x < means[k] ? lowerTail((means[k] - x) / scales[k]) : 1 - lowerTail((x - means[k]) / scales[k])), 0)
  const half = 0.5 / 2 ** 23
  it('is where the CDF is the uniform: in both tails, in a narrow mode, in the gap between two', () => {
    const u = [half, 1e-5, 0.01, 0.1, 0.3, 0.45, 0.5, 0.55, 0.7, 0.94, 0.95, 0.96, 0.999, 1 - 2 * half, 1 - half, ...Array.from({ length: 200 }, (_, i) => uniform(3, 'sampling', i))]
    const { values, distance } = drawn(u)
    u.forEach((each, i) => {
      const off = Math.abs(cumulative(values[i]) - each) / Math.min(each, 1 - each)
      // A mode of a width of 0.001 around 0.2 has 10⁴ float32 numbers in each σ.
      expect(off, `u = ${each}: F(${values[i]}) = ${cumulative(values[i])}`).toBeLessThan(1e-4)
      expect(distance[i]).toBe(0)
    })
  })
  it('rises with the uniform', () => {
    const { values } = drawn(Array.from({ length: 500 }, (_, i) => (i + 0.5) / 500))
    values.forEach((value, i) => i > 0 && expect(value).toBeGreaterThan(values[i - 1]))
  })
  it('a given value has its distance: from the one drawn, or of its CDF from the uniform, whichever is less', () => {
    const u = [0.5, 0.5, 0.949999, 0.1]
    const free = drawn(u)
    const given = [free.values[0] + 1e-5, free.values[1] + 0.5, 20, -1e6]
    const { values, drawn: own, distance } = drawn(u, given)
    expect([...own]).toEqual([...free.drawn])
    given.forEach((each, i) => expect(values[i]).toBe(Math.fround(each)))
    expect(distance[0]).toBeLessThan(2e-5)
    expect(distance[1]).toBeCloseTo(Math.abs(cumulative(given[1]) - 0.5), 5)
    expect(distance[2], 'anywhere in the gap').toBeLessThan(1e-5)
    expect(distance[3]).toBeCloseTo(0.1, 5)
  })
})

describe('gaussianMixture', () => {
  it('of one Gaussian, a temperature is p^(1/T)', () => {
    const head = gaussianMixture({ components: 1 }).bind({ domain: real(1), width: 3, receivesParameters: true })
    const u = [0.02, 0.3, 0.77]
    const at = (temperature: number) =>
      head.draw({}, tf.tile(tf.tensor2d([[0, 0.4, 0.2]]), [3, 1]), { uniforms: tf.tensor3d(u, [3, 1, 1]), temperature: tf.tensor1d([temperature]), given: tf.zeros([3, 1]), isGiven: tf.zeros([3], 'bool') }).drawn.dataSync()
    const [plain, cool] = [at(1), at(0.25)]
    plain.forEach((value, i) => expect(cool[i] - 0.4).toBeCloseTo((value - 0.4) * 0.5, 5))
  })
  it('no scale is below the smallest, and the option says which that is', () => {
    const density = (smallestScale?: number) => {
      const head = gaussianMixture({ components: 1, ...(smallestScale && { smallestScale }) }).bind({ domain: real(1), width: 3, receivesParameters: true })
      return head.logProbability({}, tf.tensor3d([[[0, 0, -50]]]), tf.tensor3d([[[0]]])).dataSync()[0]
    }
    expect(density()).toBeCloseTo(-Math.log(1e-3) - 0.5 * Math.log(2 * Math.PI), 4)
    expect(density(0.1)).toBeCloseTo(-Math.log(0.1) - 0.5 * Math.log(2 * Math.PI), 4)
  })
  it('is of real values, and other heads are not', () => {
    const whole: Domain = { length: 4, components: 1, values: 5 }
    expect(() => gaussianMixture().parametersPerVariable(whole)).toThrow(UnsupportedError)
    expect(gaussianMixture({ components: 4 }).parametersPerVariable(real(3))).toBe(28)
    for (const head of [categorical(), discretizedLogisticMixture(), chained(categorical())]) expect(() => head.parametersPerVariable(real(1))).toThrow(/the domain's values are real/)
    expect(() => rgbLogisticMixture().parametersPerVariable(real(3))).toThrow(UnsupportedError)
    expect(() => gaussianMixture({ smallestScale: 0 })).toThrow(InvalidOptionError)
    expect(() => gaussianMixture({ mixtures: 3 } as never)).toThrow(/unknown option "mixtures"/)
  })
})
