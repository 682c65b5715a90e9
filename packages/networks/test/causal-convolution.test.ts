import '@tensorflow/tfjs-backend-cpu'
import { asTensors, networkLaws, packingLaw, randomValues, shaken } from '@chainrule/conformance'
import { type DiscreteDomain, InvalidOptionError, leftToRight, type Order, type ParameterArrays, random, reversed, UnsupportedError } from '@chainrule/core'
import { begin, bernoulli, categorical, createModel, factorized } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { causalConvolution, type CausalConvolutionOptions, networkFromName } from '../src/index.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const bindTo = (options: CausalConvolutionOptions, domain: DiscreteDomain, order: Order = leftToRight()) => causalConvolution(options).bind({ domain, order: order.resolve(domain), parametersPerVariable: domain.values })
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const relu = (x: number) => Math.max(0, x)

/** The equations of the header, in float64, without a state: features by rank of what came before, ranked [N][C], nothing before the first. */
function fromTheHeader(options: CausalConvolutionOptions, { components: C, values: V }: DiscreteDomain, parameters: ParameterArrays, before: readonly (readonly number[] | undefined)[]): number[][] {
  const { prediction } = options
  const { layers, width: W, dilations, kernel = 2, residual = true, skip = true, gated = true, input = 'embedding', skipWidth = W } = options as Required<CausalConvolutionOptions>
  const at = (name: string, row: number, size: number) => Array.from(parameters[name].data.subarray(row * size, (row + 1) * size))
  const sum = (vectors: readonly (readonly number[])[], size: number) => Array.from({ length: size }, (_, i) => vectors.reduce((total, vector) => total + vector[i], 0))
  const times = (x: readonly number[], name: string, size: number, first = 0) => sum(x.map((value, i) => at(name, first + i, size).map((weight) => value * weight)), size)
  const { filter = [], lags = 16, unit = 1 / 64 } = prediction ?? {}
  const heard = before.map((values) => (values ? ((2 * values[0]) / (V - 1) - 1) / unit : 0))
  const foreseen = heard.map((_, t) => filter.reduce((total, c, r) => total + c * (heard[t - r] ?? 0), 0))
  const residuals = heard.map((sample, t) => sample - (foreseen[t - 1] ?? 0))
  let h = before.map((values, t) => {
    if (prediction) {
      const curves = [1, 16, 256].map((k) => (Math.sign(residuals[t]) * Math.log1p(k * Math.abs(residuals[t]))) / Math.log1p(k))
      return times([...curves, ...curves.map(Math.abs), values ? 1 : 0, values ? 0 : 1], 'input', W)
    }
    if (input === 'embedding') return values ? sum(values.map((value, c) => at('embedding', c * V + value, W)), W) : at('embedding', C * V, W).map((entry) => C * entry)
    return values ? sum([times(values.map((value) => (2 * value) / (V - 1) - 1), 'input', W), at('input', C, W)], W) : at('input', C + 1, W)
  })
  const G = gated ? 2 * W : W
  const allZ = Array.from({ length: layers }, (_, l) => {
    const D = dilations[l % dilations.length]
    const z = h.map((_, t) => {
      const taps = Array.from({ length: kernel }, (_, k) => h[t - (kernel - 1 - k) * D] && times(h[t - (kernel - 1 - k) * D], `layer${l}/weight`, G, k * W)).filter(Boolean)
      const s = sum([at(`layer${l}/bias`, 0, G), ...taps], G)
      return Array.from({ length: W }, (_, i) => (gated ? Math.tanh(s[i]) * sigmoid(s[W + i]) : relu(s[i])))
    })
    h = z.map((row, t) => (!residual ? row : `layer${l}/output` in parameters ? sum([h[t], times(row, `layer${l}/output`, W)], W) : h[t]))
    return z
  })
  const withPrediction = (features: number[], t: number) => {
    if (!prediction) return features
    const coefficients = sum([times(features, 'prediction/weight', lags), at('prediction/bias', 0, lags)], lags)
    return [...features, coefficients.reduce((total, a, j) => total + a * (residuals[t - (lags - 1 - j)] ?? 0), foreseen[t])]
  }
  if (!skip) return h.map(withPrediction)
  const P = skipWidth
  return before.map((_, t) => {
    const skipped = sum([times(allZ.flatMap((z) => z[t]), 'skip/weight', P), at('skip/bias', 0, P)], P).map(relu)
    return withPrediction(sum([times(skipped, 'features/weight', P), at('features/bias', 0, P)], P).map(relu), t)
  })
}

const text = (values: number): DiscreteDomain => ({ length: 'variable', components: 1, values })
const cases: [string, CausalConvolutionOptions, DiscreteDomain, Order][] = [
  ['gated, all of it', { layers: 3, width: 4, dilations: [1, 2, 4] }, text(5), leftToRight()],
  ['dilations over and over, no residual', { layers: 3, width: 4, dilations: [1, 3], residual: false }, { length: 9, components: 1, values: 3 }, random({ seed: 3 })],
  ['no skip, three taps, relu', { layers: 2, width: 3, dilations: [2], kernel: 3, skip: false, gated: false }, text(4), leftToRight()],
  ['frames of numbers, wide features', { layers: 2, width: 3, dilations: [1, 2], input: 'scaled', skipWidth: 5 }, { length: 9, components: 2, values: 9 }, reversed()],
  ['linear prediction', { layers: 2, width: 3, dilations: [1, 2], prediction: { filter: [1.5, 0, -0.6], lags: 3, unit: 1 / 2 } }, text(40), leftToRight()],
  ['linear prediction without a filter, one lag, no skip', { layers: 2, width: 3, dilations: [1, 2], skip: false, prediction: { lags: 1 } }, { length: 9, components: 1, values: 50 }, leftToRight()],
  ['frames of vectors', { layers: 2, width: 3, dilations: [1, 2] }, { length: 9, components: 2, values: 4 }, leftToRight()],
]

describe('a block is its steps in a row', () => {
  it.each([...cases, ['rings shorter, longer and as long as a block', { layers: 4, width: 3, dilations: [1, 4, 9, 2], kernel: 3 }, text(5), leftToRight()] as (typeof cases)[number]])('%s', (_, options, domain, order) => {
    const bound = bindTo(options, domain, order)
    const parameters = asTensors(shaken(bound.initialize(1), 1))
    const { length: U, begin: beginBlock } = bound.blocks!
    const B = 2
    let one = begin(bound.state, B)
    let many = begin(bound.state, B)
    for (let block = 0; block < 4; block++) {
      const inARow = beginBlock(parameters, many)
      for (let u = 0; u < U; u++) {
        const before = { values: tf.tensor(randomValues(block * U + u, domain.values, B * domain.components), [B, domain.components], 'int32'), isStart: tf.tensor1d([block + u === 0, block + u === 0], 'bool') }
        const alone = bound.step(parameters, one, before)
        one = alone.state
        const [expected, got] = [alone.features.dataSync(), inARow.step(before).dataSync()]
        expected.forEach((value, i) => expect(Math.abs(got[i] - value)).toBeLessThan(1e-5 * Math.max(1, Math.abs(value))))
      }
      many = inARow.state()
      expect(Object.keys(many).sort()).toEqual(Object.keys(one).sort())
      for (const name of Object.keys(one)) many[name].dataSync().forEach((value, i) => expect(value).toBeCloseTo(one[name].dataSync()[i], 4))
    }
  })
})

describe('the equations', () => {
  it.each(cases)('%s', (_, options, domain, order) => {
    const bound = bindTo(options, domain, order)
    const parameters = shaken(bound.initialize(1), 1)
    const [B, N, C] = [2, 9, domain.components]
    const x = randomValues(2, domain.values, B * N * C)
    const features = tf.tidy(() => bound.forward(asTensors(parameters), tf.tensor(x, [B, N, C], 'int32')).arraySync() as number[][][])
    const { permutation } = order.resolve(domain)
    const ranks = permutation.length ? [...permutation] : Array.from({ length: N }, (_, i) => i)
    features.forEach((rows, b) => {
      const variable = (n: number) => Array.from(x.subarray((b * N + n) * C, (b * N + n + 1) * C))
      const expected = fromTheHeader(options, domain, parameters, ranks.map((_, rank) => (rank === 0 ? undefined : variable(ranks[rank - 1]))))
      ranks.forEach((position, rank) => rows[position].forEach((value, unit) => expect(Math.abs(value - expected[rank][unit]), `example ${b}, rank ${rank}, unit ${unit}`).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected[rank][unit])))))
    })
  })
  it.each(cases)('the laws of networks: %s', (_, options, domain, order) => {
    networkLaws(causalConvolution(options), { domain: domain.length === 'variable' ? domain : { ...domain, length: 6 }, order, head: { ...categorical(), parametersPerVariable: () => 4 } })
  })
})

it('a step costs the same at every position: far beyond what it sees, step by step is the chunk, and the state keeps its size', () => {
  const domain = text(4)
  const bound = bindTo({ layers: 4, width: 3, dilations: [1, 5], kernel: 3 }, domain)
  const tensors = asTensors(shaken(bound.initialize(2), 2))
  const N = 150
  const x = tf.tensor(randomValues(3, 4, N), [1, N, 1], 'int32')
  const isStart = tf.tensor(Array.from({ length: N }, (_, i) => (i === 0 ? 1 : 0)), [1, N], 'bool')
  const whole = bound.extend(tensors, begin(bound.state, 1), { values: x, isStart })
  let state = begin(bound.state, 1)
  for (let i = 0; i < N; i++) {
    const result = bound.step(tensors, state, { values: tf.squeeze(tf.slice(x, [0, i, 0], [1, 1, 1]), [1]), isStart: tf.squeeze(tf.slice(isStart, [0, i], [1, 1]), [1]) })
    state = result.state
    const expected = tf.slice(whole.features, [0, i, 0], [1, 1, bound.width]).dataSync()
    result.features.dataSync().forEach((value, unit) => expect(Math.abs(value - expected[unit]), `variable ${i}`).toBeLessThan(1e-5))
  }
  expect(bound.state.map(({ shape }) => shape)).toEqual([[1], [2 * (1 + 5 + 1 + 5), 'batch', 3]])
  expect(state.index.dataSync()[0]).toBe(N)
  expect([...state.rows.dataSync()].every((value, i) => Math.abs(value - whole.state.rows.dataSync()[i]) < 1e-5)).toBe(true)
})

it('linear prediction goes on from what a chunk has behind it', () => {
  const bound = bindTo({ layers: 2, width: 3, dilations: [1, 2], prediction: { filter: [0.9, -0.2], lags: 4, unit: 1 } }, text(64))
  const tensors = asTensors(shaken(bound.initialize(2), 2))
  const x = tf.tensor(randomValues(3, 64, 20), [1, 20, 1], 'int32')
  const isStart = tf.tensor(Array.from({ length: 20 }, (_, i) => (i === 0 ? 1 : 0)), [1, 20], 'bool')
  const chunk = (first: number, size: number) => ({ values: tf.slice(x, [0, first, 0], [1, size, 1]), isStart: tf.slice(isStart, [0, first], [1, size]) })
  const whole = bound.extend(tensors, begin(bound.state, 1), chunk(0, 20)).features.dataSync()
  let state = begin(bound.state, 1)
  const pieces = [2, 1, 3, 14].flatMap((size, at, sizes) => {
    const result = bound.extend(tensors, state, chunk(sizes.slice(0, at).reduce((sum, each) => sum + each, 0), size))
    state = result.state
    return [...result.features.dataSync()]
  })
  whole.forEach((value, at) => expect(Math.abs(value - pieces[at])).toBeLessThan(1e-5))
})

it('sees back as far as its taps reach, and no further', () => {
  const back = (options: CausalConvolutionOptions) => [...bindTo(options, text(2)).dependencies(40)].map((position) => 39 - position).reverse()
  expect(back({ layers: 4, width: 2 })).toEqual(Array.from({ length: 16 }, (_, i) => i))
  expect(back({ layers: 2, width: 2, dilations: [3] })).toEqual([0, 3, 6])
  expect(back({ layers: 1, width: 2, dilations: [4], kernel: 3 })).toEqual([0, 4, 8])
})

it('keeps documents apart that stand side by side', () => {
  packingLaw(createModel({ domain: { length: 'variable', components: 1, values: 3, end: 2 }, order: leftToRight(), network: causalConvolution({ layers: 2, width: 3, dilations: [1, 2], kernel: 3 }), head: categorical() }))
})

describe('options', () => {
  it('are rebuilt from a file', () => {
    const { name, options } = causalConvolution({ layers: 3, width: 4 })
    expect(options).toEqual({ layers: 3, width: 4, dilations: [1, 2, 4], kernel: 2, residual: true, skip: true, skipWidth: 4, gated: true, input: 'embedding' })
    expect(networkFromName({ name, options })).toMatchObject({ name, options })
    const plain = causalConvolution({ layers: 1, width: 2, skip: false })
    const predicting = causalConvolution({ layers: 1, width: 2, prediction: { filter: [0.5] } })
    expect(predicting.options.prediction).toEqual({ filter: [0.5], lags: 16, unit: 1 / 64 })
    expect(networkFromName(predicting)).toMatchObject({ name, options: predicting.options })
    expect(networkFromName(plain)).toMatchObject({ name, options: plain.options })
  })
  it.each([
    [{ layers: 1, width: 4, depth: 2 }, /unknown option "depth"/],
    [{ layers: 0, width: 4 }, /layers/],
    [{ layers: 1, width: 0 }, /width/],
    [{ layers: 1, width: 4, kernel: 1 }, /kernel must be a whole number of at least 2/],
    [{ layers: 1, width: 4, dilations: [] }, /dilations must be a list/],
    [{ layers: 1, width: 4, dilations: [0] }, /dilations\[0\]/],
    [{ layers: 1, width: 4, dilations: [1, 2] }, /2 dilations for 1 layers/],
    [{ layers: 1, width: 4, residual: 1 }, /residual must be true or false/],
    [{ layers: 1, width: 4, skip: false, skipWidth: 8 }, /skipWidth belongs to skip/],
    [{ layers: 1, width: 4, input: 'scaled', prediction: {} }, /two ways in/],
    [{ layers: 1, width: 4, prediction: { order: 2 } }, /unknown option "order"/],
    [{ layers: 1, width: 4, prediction: { filter: [NaN] } }, /filter\[0\]/],
    [{ layers: 1, width: 4, prediction: { filter: 0.9 } }, /filter must be a list of numbers/],
    [{ layers: 1, width: 4, prediction: { lags: 0 } }, /lags/],
    [{ layers: 1, width: 4, prediction: { unit: 2 } }, /unit/],
    [{ layers: 1, width: 4, prediction: true }, /expected \{ filter, lags, unit \}/],
    [{ layers: 1, width: 4, input: 'raw' }, /'scaled' or 'embedding'/],
  ])('%j throws', (options, message) => {
    expect(() => causalConvolution(options as never)).toThrow(InvalidOptionError)
    expect(() => causalConvolution(options as never)).toThrow(message)
  })
  it('what does not fit is refused', () => {
    const domain: DiscreteDomain = { length: 4, components: 1, values: 2 }
    const prediction = causalConvolution({ layers: 1, width: 4, prediction: {} })
    expect(() => createModel({ domain: { ...domain, components: 2 }, order: leftToRight(), network: prediction, head: factorized(bernoulli()) })).toThrow(/variables of one sample/)
    expect(() => createModel({ domain, order: reversed(), network: prediction, head: bernoulli() })).toThrow(/from left to right/)
    expect(() => createModel({ domain, order: leftToRight({ groupSize: 2 }), network: causalConvolution({ layers: 1, width: 4 }), head: bernoulli() })).toThrow(UnsupportedError)
    expect(() => createModel({ domain, order: leftToRight(), network: causalConvolution({ layers: 1, width: 4, skipWidth: 6 }), head: categorical({ tied: true }) }).initialize(1)).toThrow(/tied needs features as wide as the embedding, 4, these have 6/)
  })
})
