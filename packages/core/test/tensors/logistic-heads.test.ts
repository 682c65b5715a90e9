import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Domain, uniform, UnsupportedError } from '../../src/index.js'
import { categorical, chained, discretizedLogisticMixture, factorized, headFromName, rgbLogisticMixture } from '../../src/tensors/index.js'
import { drawFromMixture, type LogisticMixture, mixtureLogProbability } from '../../src/tensors/head/logistic-mixture.js'
import { discretizedLogistic } from '../../src/tensors/primitives/discretized-logistic.js'
import { runningSum } from '../../src/tensors/primitives/running-sum.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const domain = (components: number, values: number): Domain => ({ length: 4, components, values })

/** log p(x) of one logistic in float64, by the difference itself in the tail that loses nothing. */
function exact(x: number, mean: number, rate: number, V: number): number {
  const [a, b] = [x === 0 ? -Infinity : (x - 0.5 - mean) * rate, x === V - 1 ? Infinity : (x + 0.5 - mean) * rate]
  const [low, high] = a > 0 ? [-b, -a] : [a, b]
  const logSigmoid = (z: number) => (z < -30 ? z : -Math.log1p(Math.exp(-z)))
  return logSigmoid(high) + Math.log(-Math.expm1(logSigmoid(low) - logSigmoid(high)))
}

describe('discretizedLogistic', () => {
  const V = 256
  const cases = [-40, 0, 0.3, 100, 128.5, 255, 300].flatMap((mean) => [0.01, 0.2, 3, 32].map((rate): [number, number] => [mean, rate]))
  const at = (mean: number, rate: number) => {
    const x = tf.tensor2d(Int32Array.from({ length: V }, (_, v) => v), [V, 1], 'int32')
    const f = (m: tf.Tensor, r: tf.Tensor) => discretizedLogistic(x, tf.tile(m, [V, 1]), tf.tile(r, [V, 1]), V)
    const parameters = [tf.tensor2d([[mean]]), tf.tensor2d([[Math.log(rate)]])]
    return { values: f(parameters[0], parameters[1]).dataSync<'float32'>(), gradientOf: (v: number) => tf.grads((m, r) => tf.slice(f(m, r), [v, 0], [1, 1]))(parameters).map((gradient) => gradient.dataSync()[0]) }
  }
  it.each(cases)('mean %d, rate %d: log p in the middle and far in the tails, and Σ p = 1', (mean, rate) => {
    const { values } = at(mean, rate)
    values.forEach((value, x) => {
      const expected = exact(x, mean, Math.fround(rate), V)
      expect(Math.abs(value - expected), `x = ${x}: ${value} against ${expected}`).toBeLessThan(2e-5 + 2e-6 * Math.abs(expected))
    })
    expect(values.reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 5)
  })
  it.each(cases)('mean %d, rate %d: gradients are those of float64 differences, tails included', (mean, rate) => {
    const { gradientOf } = at(mean, rate)
    const step = 1e-5
    for (const x of [0, 1, 100, 128, 254, 255]) {
      const logRate = Math.log(rate)
      const expected = [
        (exact(x, mean + step, rate, V) - exact(x, mean - step, rate, V)) / (2 * step),
        (exact(x, mean, Math.exp(logRate + step), V) - exact(x, mean, Math.exp(logRate - step), V)) / (2 * step),
      ]
      gradientOf(x).forEach((value, i) => expect(Math.abs(value - expected[i]), `x = ${x}: ${value} against ${expected[i]}`).toBeLessThan(1e-3 + 1e-4 * Math.abs(expected[i])))
    }
  })
})

describe('a draw from a mixture', () => {
  const mixture = (values: number, count: number): LogisticMixture => ({
    logits: tf.tile(tf.tensor2d([[0.3, -1, 1]]), [count, 1]),
    mean: tf.tile(tf.tensor2d([[0.1 * values, 0.5 * values, 0.93 * values]]), [count, 1]),
    logRate: tf.tile(tf.tensor2d([[20, 60, 7].map((rate) => Math.log(rate / values))]), [count, 1]),
  })
  const request = (uniforms: ArrayLike<number>, { temperature = 1, given }: { temperature?: number; given?: Int32Array } = {}) => ({
    uniforms: tf.tensor(Float32Array.from(uniforms), [uniforms.length, 1, 1]),
    temperature: tf.tensor1d([temperature]),
    given: tf.tensor2d(given ?? new Int32Array(uniforms.length), [uniforms.length, 1], 'int32'),
    isGiven: tf.fill([uniforms.length], given ? 1 : 0, 'bool'),
  })
  const uniforms = Float32Array.from({ length: 2000 }, (_, i) => uniform(3, 'sampling', i))

  it('by search is by table: the same values, distances and probabilities', () => {
    // 1025 values are searched; a table of theirs is drawn from by hand.
    const V = 1025
    const of = mixture(V, 1)
    const p = Array.from(mixtureLogProbability({ logits: tf.expandDims(of.logits, 1), mean: tf.expandDims(of.mean, 1), logRate: tf.expandDims(of.logRate, 1) }, tf.reshape(tf.range(0, V, 1, 'int32'), [1, V, 1]), V).dataSync(), Math.exp)
    const sums = p.map(((sum) => (value: number) => (sum += value))(0))
    expect(sums[V - 1]).toBeCloseTo(1, 5)
    const { drawn, distance } = drawFromMixture(mixture(V, uniforms.length), request(uniforms), V)
    drawn.dataSync().forEach((value, i) => {
      expect(uniforms[i]).toBeGreaterThan((value === 0 ? 0 : sums[value - 1]) - 1e-5)
      expect(uniforms[i]).toBeLessThan(sums[value] + 1e-5)
    })
    expect(distance.dataSync().every((value) => value === 0)).toBe(true)
    const given = Int32Array.from(uniforms, (_, i) => (i * 37) % V)
    const kept = drawFromMixture(mixture(V, uniforms.length), request(uniforms, { given }), V)
    expect([...kept.values.dataSync()]).toEqual([...given])
    expect([...kept.drawn.dataSync()]).toEqual([...drawn.dataSync()])
    kept.distance.dataSync().forEach((value, i) => expect(value).toBeCloseTo(Math.max((given[i] === 0 ? 0 : sums[given[i] - 1]) - uniforms[i], uniforms[i] - sums[given[i]], 0), 4))
    kept.logProbability.dataSync().forEach((value, i) => expect(value).toBeCloseTo(Math.log(p[given[i]]), 3))
  })
  it('of 65 536 values: the quantiles of the distribution, both ends included', () => {
    const V = 65_536
    const edges = [2 ** -24, 1 - 2 ** -24, 0.001, 0.25, 0.5, 0.75, 0.999]
    const { drawn, distance, logProbabilities } = drawFromMixture(mixture(V, edges.length), request(edges), V)
    expect(logProbabilities).toBeUndefined()
    const weights = [0.3, -1, 1].map(Math.exp)
    const total = weights.reduce((a, b) => a + b)
    const cdf = (x: number) => (x >= V - 1 ? 1 : x < 0 ? 0 : [[0.1, 20], [0.5, 60], [0.93, 7]].reduce((sum, [mean, rate], k) => sum + weights[k] / total / (1 + Math.exp(-(x + 0.5 - mean * V) * (rate / V))), 0))
    drawn.dataSync().forEach((value, i) => {
      expect(cdf(value - 1)).toBeLessThan(edges[i] + 2e-6)
      expect(cdf(value)).toBeGreaterThan(edges[i] - 2e-6)
    })
    expect(distance.dataSync().every((value) => value === 0)).toBe(true)
  })
  it.each([300, 1026, 65_537])('with an end, of %d values: what the levels have without it, less its share; the end is no level', (V) => {
    const uniforms = Float32Array.from({ length: 300 }, (_, i) => uniform(3, 'sampling', i))
    const [levels, endLogit] = [V - 1, -0.7]
    const share = 1 / (1 + Math.exp(-endLogit))
    const ending = (count: number): LogisticMixture => ({ ...mixture(levels, count), endLogit: tf.fill([count, 1], endLogit) })
    const some = Int32Array.from(uniforms, (_, i) => (i === 0 ? levels : i === 1 ? levels - 1 : (i * 37) % levels))
    const logs = (of: LogisticMixture, values: number) => drawFromMixture(of, request(uniforms, { given: some }), values).logProbability.dataSync()
    const plain = logs(mixture(levels, uniforms.length), levels)
    logs(ending(uniforms.length), V).forEach((value, i) => expect(value).toBeCloseTo(i === 0 ? Math.log(share) : plain[i] + Math.log(1 - share), 4))
    // u below 1 − σ(e) picks the level that u / (1 − σ(e)) picks without an end, and the end above it.
    const inner = Float32Array.from(uniforms, (u) => u * (1 - share))
    const [drawn, without] = [drawFromMixture(ending(uniforms.length), request(inner), V), drawFromMixture(mixture(levels, uniforms.length), request(uniforms), levels)]
    const [a, b] = [drawn, without].map(({ drawn }) => drawn.dataSync<'int32'>())
    expect(a.filter((value, i) => value !== b[i]).length).toBeLessThan(0.01 * uniforms.length)
    const outer = drawFromMixture(ending(3), request([1 - share + 1e-6, 0.8, 1 - 2 ** -24]), V)
    expect([...outer.drawn.dataSync()]).toEqual([levels, levels, levels])
    for (const { distance } of [drawn, outer]) expect(distance.dataSync().every((value) => value === 0)).toBe(true)
    const kept = drawFromMixture(ending(2), request([0.3, 0.9], { given: Int32Array.of(levels, levels - 1) }), V).distance.dataSync()
    expect(kept[0]).toBeCloseTo(1 - share - 0.3, 5)
    expect(kept[1]).toBeCloseTo(0.9 - (1 - share), 5)
    // A temperature: p^(1/T) of all values where they are tabled; of ending or not where they are searched.
    const ends = drawFromMixture(ending(uniforms.length), request(uniforms, { temperature: 0.5 }), V).drawn.dataSync<'int32'>().filter((value) => value === levels).length / uniforms.length
    const odds = (share / (1 - share)) ** 2
    const squares = V > 1024 ? 1 : drawFromMixture(mixture(levels, 1), request([0.5]), levels).logProbabilities!.dataSync<'float32'>().reduce((sum, log) => sum + Math.exp(2 * log), 0)
    expect(Math.abs(ends - odds / (odds + squares))).toBeLessThan(0.08)
  })
  it('beyond 1024 values a temperature narrows the logistics', () => {
    const narrow = { ...mixture(2000, uniforms.length), mean: tf.fill([uniforms.length, 3], 1000), logRate: tf.fill([uniforms.length, 3], Math.log(0.02)) }
    const spreadAt = (temperature: number) => {
      const values = drawFromMixture(narrow, request(uniforms, { temperature }), 2000).values.dataSync<'int32'>()
      return values.reduce((sum, value) => sum + Math.abs(value - 1000), 0) / values.length
    }
    expect(spreadAt(0.5) / spreadAt(1)).toBeCloseTo(0.5, 2)
    expect(spreadAt(0.01)).toBeLessThan(5)
  })
})

it('range: a fresh mixture lies around the middle, and its means move in that unit', () => {
  const V = 65_536
  const densest = (range: number, mean: number) => {
    const bound = discretizedLogisticMixture({ components: 1, range }).bind({ domain: domain(1, V), width: 1, receivesParameters: true })
    const x = tf.tensor3d(Int32Array.from({ length: V }, (_, v) => v), [1, V, 1], 'int32')
    const p = Array.from(bound.logProbability({}, tf.tile(tf.tensor3d([[[0, mean, 0]]]), [1, V, 1]), x).dataSync(), Math.exp)
    expect(p.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 4)
    return p
  }
  const widest = (p: readonly number[]) => p.indexOf(Math.max(...p))
  expect(Math.abs(widest(densest(1 / 64, 1)) - (32_767.5 + 32_767.5 / 64))).toBeLessThan(2)
  expect(densest(1 / 64, 0)[32_767] / densest(1, 0)[32_767]).toBeCloseTo(64, 0)
  expect(discretizedLogisticMixture({ range: 0.25 }).options).toEqual({ components: 10, range: 0.25 })
  expect(() => discretizedLogisticMixture({ range: 0 })).toThrow(/range must be a number/)
})

it('with an end: a fresh head gives it what a level has, and gradients stay apart', () => {
  const bound = discretizedLogisticMixture({ components: 2 }).bind({ domain: { length: 'variable', components: 1, values: 17, end: 16 }, width: 7, receivesParameters: true })
  const logs = (x: number) => (raw: tf.Tensor) => tf.squeeze(bound.logProbability({}, raw, tf.tensor3d([[[x]]], [1, 1, 1], 'int32')))
  const fresh = tf.zeros([1, 1, 7])
  expect(Math.exp(logs(16)(fresh).dataSync()[0])).toBeCloseTo(1 / 17, 6)
  const gradients = [16, 15].map((x) => [...tf.grad(logs(x))(fresh).dataSync()])
  expect(gradients[0].slice(0, 6).every((value) => value === 0)).toBe(true)
  expect(gradients[0][6]).toBeCloseTo(16 / 17, 6)
  expect(gradients[1].slice(2, 6).every((value) => value !== 0)).toBe(true)
  expect(gradients[1][6]).toBeCloseTo(-1 / 17, 6)
})

it.each([-1e4, -200, 200, 1e4])('scales as wild as e^%d leave numbers, and numbers as gradients', (raw) => {
  const bound = discretizedLogisticMixture({ components: 1 }).bind({ domain: domain(1, 256), width: 1, receivesParameters: true })
  const x = tf.tensor3d(Int32Array.of(0, 100, 255), [1, 3, 1], 'int32')
  const f = (parameters: tf.Tensor) => bound.logProbability({}, tf.tile(parameters, [1, 3, 1]), x)
  const parameters = tf.tensor3d([[[0, 0.3, raw]]])
  expect([...f(parameters).dataSync(), ...tf.grad((each) => tf.sum(f(each)))(parameters).dataSync()].every(Number.isFinite)).toBe(true)
})

describe('heads of several components', () => {
  it('say how many numbers they want', () => {
    expect(discretizedLogisticMixture().parametersPerVariable(domain(1, 256))).toBe(30)
    expect(discretizedLogisticMixture({ components: 4 }).parametersPerVariable(domain(1, 65_536))).toBe(12)
    expect(discretizedLogisticMixture({ components: 4 }).parametersPerVariable({ length: 'variable', components: 1, values: 65_537, end: 65_536 })).toBe(13)
    expect(rgbLogisticMixture({ components: 5 }).parametersPerVariable(domain(3, 256))).toBe(50)
    expect(factorized(categorical()).parametersPerVariable(domain(3, 7))).toBe(21)
    expect(chained(categorical(), { width: 9 }).parametersPerVariable(domain(3, 7))).toBe(9)
  })
  it('refuse domains and heads that do not suit', () => {
    expect(() => discretizedLogisticMixture().parametersPerVariable(domain(3, 256))).toThrow(/Use rgbLogisticMixture\(\), or chained\(\) or factorized\(\)/)
    expect(() => discretizedLogisticMixture().parametersPerVariable(domain(1, 65_537))).toThrow(UnsupportedError)
    expect(() => rgbLogisticMixture().parametersPerVariable(domain(1, 256))).toThrow(/3 components/)
    expect(() => chained(rgbLogisticMixture()).parametersPerVariable(domain(3, 256))).toThrow(UnsupportedError)
    expect(() => chained(categorical({ tied: true })).bind({ domain: domain(3, 4), width: 5, receivesParameters: false })).toThrow(/tied needs/)
    expect(() => chained(categorical(), { hidden: 3 } as never)).toThrow(/unknown option "hidden". Known: width/)
    expect(() => factorized(categorical(), { width: 3 } as never)).toThrow(/unknown option/)
    expect(() => rgbLogisticMixture({ components: 0 })).toThrow(/components must be a whole number of at least 1/)
  })
  it('around another one come back from their names', () => {
    const head = chained(factorized(discretizedLogisticMixture({ components: 2 })), { width: 3 })
    const again = headFromName(JSON.parse(JSON.stringify({ name: head.name, options: head.options })))
    expect(again.options).toEqual({ head: { name: 'factorized', options: { head: { name: 'discretizedLogisticMixture', options: { components: 2 } } } }, width: 3 })
  })
  it('chained: a component depends on those before it, and on none after; factorized: on none', () => {
    const features = tf.tensor3d([[[0.5, -0.3, 0.8]]])
    const given = (x: number[]) => tf.tensor3d([[x]], [1, 1, 4], 'int32')
    const logProbabilities = (head: ReturnType<typeof chained>, x: number[]) => {
      const bound = head.bind({ domain: domain(4, 3), width: 3, receivesParameters: false })
      const parameters = Object.fromEntries(Object.entries(bound.initialize(1)).map(([name, { shape, data }]) => [name, tf.tensor(data.map((value, i) => value + Math.sin(i)), [...shape])]))
      return [...bound.logProbability(parameters, features, given(x)).dataSync()]
    }
    for (let changed = 0; changed < 4; changed++) {
      const other = [1, 0, 2, 1].map((value, i) => (i === changed ? (value + 1) % 3 : value))
      const [a, b] = [logProbabilities(chained(categorical(), { width: 16 }), [1, 0, 2, 1]), logProbabilities(chained(categorical(), { width: 16 }), other)]
      a.forEach((value, i) => (i < changed ? expect(b[i]).toBe(value) : expect(b[i]).not.toBe(value)))
      const [c, d] = [logProbabilities(factorized(categorical()), [1, 0, 2, 1]), logProbabilities(factorized(categorical()), other)]
      c.forEach((value, i) => (i === changed ? expect(d[i]).not.toBe(value) : expect(d[i]).toBe(value)))
    }
  })
  it('chained, of more than 1024 values: rows would be too many, a vector takes x itself', () => {
    const bound = chained(discretizedLogisticMixture({ components: 2 }), { width: 4 }).bind({ domain: domain(3, 65_536), width: 5, receivesParameters: false })
    const parameters = bound.initialize(1)
    expect(parameters.inputs.shape).toEqual([2, 1, 4])
    const tensors = Object.fromEntries(Object.entries(parameters).map(([name, { shape, data }]) => [name, tf.tensor(data.map((value, i) => value + Math.sin(i)), [...shape])]))
    const features = tf.tensor2d([[0.5, -0.3, 0.8, 0, 1]])
    const draw = bound.draw(tensors, features, { uniforms: tf.tensor3d([[[0.3], [0.6], [0.9]]]), temperature: tf.tensor1d([1]), given: tf.zeros([1, 3], 'int32'), isGiven: tf.tensor1d([0], 'bool') })
    const logProbability = tf.sum(bound.logProbability(tensors, tf.expandDims(features, 1), tf.expandDims(draw.values, 1)))
    expect(logProbability.dataSync()[0]).toBeCloseTo(draw.logProbability.dataSync()[0], 4)
    expect(draw.values.shape).toEqual([1, 3])
    const earlier = tf.add(draw.values, tf.tensor2d([[-5000, 0, 0]], [1, 3], 'int32'))
    const changed = bound.logProbability(tensors, tf.expandDims(features, 1), tf.expandDims(earlier, 1)).dataSync()
    expect(changed[2]).not.toBe(bound.logProbability(tensors, tf.expandDims(features, 1), tf.expandDims(draw.values, 1)).dataSync()[2])
  })
  it('runningSum has the gradient of a running sum', () => {
    const x = tf.tensor3d(Array.from({ length: 24 }, (_, i) => Math.sin(i)), [2, 3, 4])
    const weight = tf.tensor3d(Array.from({ length: 24 }, (_, i) => Math.cos(i)), [2, 3, 4])
    const gradient = tf.grad((x) => tf.sum(tf.mul(runningSum(x), weight)))(x).dataSync()
    const w = weight.dataSync()
    gradient.forEach((value, i) => expect(value).toBeCloseTo(i < 12 ? w[i] + w[i + 12] : w[i], 5))
  })
})
