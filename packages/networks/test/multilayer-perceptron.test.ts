import '@tensorflow/tfjs-backend-cpu'
import { asTensors, networkLaws, randomValues, shaken } from '@chainrule/conformance'
import { custom, type DiscreteDomain, groupOfPosition, InvalidOptionError, leftToRight, type Order, type ParameterArrays, random, reversed, UnsupportedError } from '@chainrule/core'
import { bernoulli, categorical, createModel, type Head, negativeLogLikelihood, type Network } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { multilayerPerceptron } from '../src/index.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

/** A head that only says how many parameters it wants. */
const wants = (parameters: number): Head => ({ ...categorical(), parametersPerVariable: () => parameters })
const bindTo = (network: Network, domain: DiscreteDomain, order: Order, P: number) => network.bind({ domain, order: order.resolve(domain), parametersPerVariable: P })

/**
 * The same network unit by unit, from eqs. 8 and 9 of the paper, for one x with one component: no matrices, no masks, in float64.
 */
function unitByUnit(domain: DiscreteDomain, order: Order, layers: readonly number[], direct: boolean, P: number, parameters: ParameterArrays, x: ArrayLike<number>): number[][] {
  const d = domain.length as number
  const E = domain.values === 2 ? 1 : domain.values
  const g = groupOfPosition(order.resolve(domain))
  const groups = Math.max(...g) + 1
  const weight = (name: string, row: number, column: number) => parameters[name].data[row * parameters[name].shape[1] + column]
  const inputs = Array.from({ length: d }, (_, q) => (E === 1 ? [x[q]] : Array.from({ length: E }, (_, v) => (x[q] === v ? 1 : 0))))
  let below: { value: number; degree: number }[] = []
  layers.forEach((units, layer) => {
    below = Array.from({ length: units }, (_, k) => {
      const degree = k % (groups - 1)
      let sum = parameters[`hidden${layer}/bias`].data[k]
      if (layer === 0) inputs.forEach((encoded, q) => g[q] <= degree && encoded.forEach((value, e) => (sum += value * weight('hidden0/weight', q * E + e, k))))
      else below.forEach((unit, j) => unit.degree <= degree && (sum += unit.value * weight(`hidden${layer}/weight`, j, k)))
      return { value: Math.max(0, sum), degree }
    })
  })
  return Array.from({ length: d }, (_, p) =>
    Array.from({ length: P }, (_, j) => {
      let sum = parameters['output/bias'].data[p * P + j]
      below.forEach((unit, k) => unit.degree < g[p] && (sum += unit.value * weight('output/weight', p * P + j, k)))
      if (direct) inputs.forEach((encoded, q) => g[q] < g[p] && encoded.forEach((value, e) => (sum += value * weight('direct/weight', q * E + e, p * P + j))))
      return sum
    }),
  )
}

describe('forward', () => {
  const orders: Order[] = [leftToRight(), reversed(), random({ seed: 3 }), custom({ permutation: [4, 1, 0, 5, 2, 3], groups: [0, 1, 1, 2, 2, 3] })]
  const shapes: [number[], boolean][] = [[[], true], [[7], false], [[9, 6], false], [[6, 7, 8], true]]
  it.each(shapes.flatMap(([hidden, direct]) => orders.flatMap((order) => [2, 3].map((values) => [hidden, direct, order.name, values, order] as const))))('hidden %j, direct %s, %s, %d values: as the paper defines it', (hidden, direct, _, values, order) => {
    const domain: DiscreteDomain = { length: 6, components: 1, values }
    const bound = bindTo(multilayerPerceptron({ hidden, direct }), domain, order, 4)
    const parameters = shaken(bound.initialize(1), 1)
    const x = randomValues(2, values, 3 * 6)
    const features = bound.forward(asTensors(parameters), tf.tensor(x, [3, 6, 1], 'int32')).dataSync()
    const expected = [0, 1, 2].flatMap((b) => unitByUnit(domain, order, hidden, direct, 4, parameters, x.subarray(b * 6, (b + 1) * 6)).flat())
    features.forEach((value, i) => expect(value, `number ${i}`).toBeCloseTo(expected[i], 4))
  })
})

describe('the laws', () => {
  const grouped = custom({ permutation: [3, 0, 2, 1], groups: [0, 0, 1, 2] })
  it.each([2, 3])('of variables with two components of %d values', (values) => {
    for (const network of [multilayerPerceptron({ hidden: [] }), multilayerPerceptron({ hidden: [9] }), multilayerPerceptron({ hidden: [8, 9], direct: true })]) {
      for (const order of [reversed(), grouped]) networkLaws(network, { domain: { length: 4, components: 2, values }, order, head: wants(3) })
    }
  })
  it('of layers too narrow for all degrees, which leave some variables out of reach and say so', () => {
    const domain: DiscreteDomain = { length: 7, components: 1, values: 2 }
    const narrow = multilayerPerceptron({ hidden: [2] })
    networkLaws(narrow, { domain, order: random({ seed: 2 }), head: bernoulli(), attempts: 40 })
    networkLaws(multilayerPerceptron({ hidden: [8, 3] }), { domain, order: leftToRight(), head: bernoulli(), attempts: 40 })
    const dependencies = (network: Network) => Array.from({ length: 7 }, (_, p) => bindTo(network, domain, leftToRight(), 1).dependencies(p))
    expect(dependencies(narrow)).toEqual([[], [], [0, 1], [0, 1], [0, 1], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]])
    const full = [[], [0], [0, 1], [0, 1, 2], [0, 1, 2, 3], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 5]]
    expect(dependencies(multilayerPerceptron({ hidden: [2], direct: true }))).toEqual(full)
    expect(dependencies(multilayerPerceptron({ hidden: [6, 6] }))).toEqual(full)
  })
  it('of one variable, and of one group: nothing depends on anything', () => {
    for (const [length, order] of [[1, leftToRight()], [3, leftToRight({ groupSize: 3 })]] as const) {
      const domain: DiscreteDomain = { length, components: 1, values: 3 }
      for (const hidden of [[], [4]]) networkLaws(multilayerPerceptron({ hidden }), { domain, order, head: categorical() })
    }
  })
})

describe('training', () => {
  it('gives a masked weight a gradient of exactly zero, and all others one that is not', () => {
    const domain: DiscreteDomain = { length: 4, components: 1, values: 2 }
    const model = createModel({ domain, order: leftToRight(), network: multilayerPerceptron({ hidden: [], direct: true }), head: bernoulli() })
    const parameters = asTensors(shaken(model.initialize(1), 1))
    const names = Object.keys(parameters)
    const x = tf.tensor(randomValues(1, 2, 40), [10, 4, 1], 'int32')
    const gradients = tf.grads((...tensors: tf.Tensor[]) => negativeLogLikelihood(model, Object.fromEntries(names.map((name, i) => [name, tensors[i]])), x) as tf.Scalar)(names.map((name) => parameters[name]))
    gradients[names.indexOf('network/direct/weight')].dataSync().forEach((value, at) => expect(value !== 0).toBe(Math.floor(at / 4) < at % 4))
  })
  it('begins at log V', () => {
    const domain: DiscreteDomain = { length: 50, components: 1, values: 5 }
    const model = createModel({ domain, order: leftToRight(), network: multilayerPerceptron({ hidden: [100, 100] }), head: categorical() })
    const loss = negativeLogLikelihood(model, asTensors(model.initialize(1)), tf.tensor(randomValues(1, 5, 16 * 50), [16, 50, 1], 'int32')).dataSync()[0]
    expect(Math.abs(loss - Math.log(5))).toBeLessThan(0.05)
  })
})

describe('options', () => {
  it('are what they were, with the defaults said', () => {
    expect(multilayerPerceptron().options).toEqual({ hidden: [500], direct: false })
    expect(multilayerPerceptron({ hidden: [] }).options).toEqual({ hidden: [], direct: true })
    expect(multilayerPerceptron({ hidden: [3, 4], direct: true }).options).toEqual({ hidden: [3, 4], direct: true })
  })
  it.each<[string, object, RegExp]>([
    ['a name', { layers: 2 }, /unknown option "layers". Known: hidden, direct/],
    ['a size of 0', { hidden: [4, 0] }, /hidden\[1\] must be a whole number of at least 1, got 0/],
    ['a number for a list', { hidden: 500 }, /hidden must be a list/],
    ['direct as text', { direct: 'yes' }, /direct must be true or false, got yes/],
    ['nothing connected', { hidden: [], direct: false }, /nothing is connected/],
  ])('%s is refused', (_, options, message) => {
    expect(() => multilayerPerceptron(options)).toThrow(InvalidOptionError)
    expect(() => multilayerPerceptron(options)).toThrow(message)
  })
  it('a variable length and a variable before the first are refused', () => {
    const network = multilayerPerceptron({ hidden: [4] })
    expect(() => bindTo(network, { length: 'variable', components: 1, values: 2 }, leftToRight(), 1)).toThrow(UnsupportedError)
    const bound = bindTo(network, { length: 3, components: 1, values: 2 }, leftToRight(), 1)
    const before = { values: tf.zeros([1, 1], 'int32'), isStart: tf.zeros([1], 'bool') }
    expect(() => bound.forward(asTensors(bound.initialize(1)), tf.zeros([1, 3, 1], 'int32'), before)).toThrow(UnsupportedError)
  })
})
