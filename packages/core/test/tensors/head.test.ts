import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Domain, InvalidOptionError, UnknownPieceError, UnsupportedError } from '../../src/index.js'
import { bernoulli, categorical, headFromName } from '../../src/tensors/index.js'
import { drawByInverseCdf } from '../../src/tensors/head/inverse-cdf.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const binary: Domain = { length: 4, components: 1, values: 2 }
const request = (uniforms: number[], given?: number[]) => ({
  uniforms: tf.tensor3d(uniforms, [uniforms.length, 1, 1]),
  temperature: tf.tensor1d([1]),
  given: tf.tensor2d(given ?? uniforms.map(() => 0), [uniforms.length, 1], 'int32'),
  isGiven: tf.tensor1d(uniforms.map(() => (given ? 1 : 0)), 'bool'),
})
const draw = (p: number[], uniforms: number[], given?: number[]) => {
  const result = drawByInverseCdf(tf.tensor2d(uniforms.flatMap(() => p), [uniforms.length, p.length]), request(uniforms, given))
  return { values: [...result.values.dataSync()], drawn: [...result.drawn.dataSync()], distance: [...result.distance.dataSync()] }
}
/** The largest uniform that the noise can give, and the smallest. */
const [highest, lowest] = [1 - 2 ** -24, 2 ** -24]

describe('drawByInverseCdf', () => {
  it('draws v where c(v−1) ≤ u < c(v)', () => {
    expect(draw([0.25, 0.5, 0.25], [lowest, 0.2499, 0.25, 0.7499, 0.75, highest]).drawn).toEqual([0, 0, 1, 1, 2, 2])
  })
  it('never draws a value of probability 0, first, between or last', () => {
    // Sums of float32 thirds and sevenths end below 1: the last uniforms lie above them.
    const seventh = Math.fround(1 / 7) - 2 ** -27
    expect(draw([0, 0.5, 0, 0.5, 0], [lowest, 0.5, highest]).drawn).toEqual([1, 3, 3])
    expect(draw([...Array<number>(7).fill(seventh), 0], [highest, 1 - 2 ** -22, 1 - 2 ** -21]).drawn).toEqual([6, 6, 6])
  })
  it('keeps a given value and says how far the uniform lies outside its interval', () => {
    const { values, drawn, distance } = draw([0.25, 0.5, 0.25], [0.125, 0.5, 0.875, 0.5, 0.5], [1, 0, 0, 2, 1])
    expect(values).toEqual([1, 0, 0, 2, 1])
    expect(drawn).toEqual([0, 1, 2, 1, 1])
    ;[0.125, 0.25, 0.625, 0.25, 0].forEach((expected, i) => expect(distance[i]).toBeCloseTo(expected, 6))
  })
})

describe('bernoulli', () => {
  it('is the categorical of the logits 0 and l', () => {
    const l = [-90, -3, 0, 0.5, 90]
    const one = bernoulli().bind({ domain: binary, width: 1, receivesParameters: true })
    const two = categorical().bind({ domain: binary, width: 2, receivesParameters: true })
    for (const x of [0, 1]) {
      const values = tf.tensor3d(l.map(() => x), [1, l.length, 1], 'int32')
      const a = one.logProbability({}, tf.tensor3d(l, [1, l.length, 1]), values).dataSync()
      const b = two.logProbability({}, tf.tensor3d(l.flatMap((value) => [0, value]), [1, l.length, 2]), values).dataSync()
      a.forEach((nats, i) => expect(nats).toBeCloseTo(b[i], 4))
    }
  })
  it('draws x = 1 for a high logit, and its distance and log-probabilities agree with the categorical', () => {
    const head = bernoulli().bind({ domain: binary, width: 1, receivesParameters: true })
    const result = head.draw({}, tf.tensor2d([[20], [-20], [Math.log(3)]], [3, 1]), request([0.4, 0.6, 0.75]))
    expect([...result.values.dataSync()]).toEqual([1, 0, 1])
    const [, , , , p0, p1] = result.logProbabilities!.dataSync()
    expect([p0, p1].map((nats) => Math.exp(nats))).toEqual([expect.closeTo(0.25, 6), expect.closeTo(0.75, 6)])
  })
})

describe('heads', () => {
  it('refuse domains they cannot speak of', () => {
    expect(() => bernoulli().parametersPerVariable({ ...binary, values: 3 })).toThrow(UnsupportedError)
    expect(() => bernoulli().parametersPerVariable({ ...binary, components: 2 })).toThrow(UnsupportedError)
    expect(() => categorical().parametersPerVariable({ ...binary, components: 3 })).toThrow(UnsupportedError)
    expect(() => categorical({ tied: true }).bind({ domain: binary, width: 2, receivesParameters: true })).toThrow(/tied needs a network with features/)
    expect(() => categorical({ shared: true } as never)).toThrow(InvalidOptionError)
    expect(() => bernoulli({ tied: true } as never)).toThrow(/Known: none/)
  })
  it('say how many parameters they want, and own a matrix of that width only where they project', () => {
    expect(categorical().parametersPerVariable({ ...binary, values: 7 })).toBe(7)
    expect(bernoulli().parametersPerVariable(binary)).toBe(1)
    const shapes = (receivesParameters: boolean, tied = false) => Object.values(categorical({ tied }).bind({ domain: binary, width: 5, receivesParameters }).initialize(1)).map(({ shape }) => shape)
    expect([shapes(false), shapes(true), shapes(false, true)]).toEqual([[[5, 2]], [], []])
  })
  it('tied: the logits are products with the value rows of the embedding, not with its start row', () => {
    const head = categorical({ tied: true }).bind({ domain: binary, width: 2, receivesParameters: false })
    const result = head.draw({ embedding: tf.tensor2d([[1, 0], [3, 2], [50, 50]]) }, tf.tensor2d([[1, 1]]), request([0.5]))
    const [a, b] = result.logProbabilities!.dataSync()
    expect(result.logProbabilities!.shape).toEqual([1, 2])
    expect(b - a).toBeCloseTo(4, 5)
  })
  it('come back from their names', () => {
    expect(headFromName({ name: 'categorical', options: { tied: true } }).options).toEqual({ tied: true })
    expect(headFromName({ name: 'bernoulli', options: {} }).name).toBe('bernoulli')
    for (const name of ['gaussian', 'constructor']) expect(() => headFromName({ name, options: {} })).toThrow(UnknownPieceError)
  })
})
