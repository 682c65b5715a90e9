import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { custom, type Domain, InvalidDataError, InvalidOptionError, leftToRight, type Order, type ParameterArrays, random, reversed, uniform, UnsupportedError } from '../../src/index.js'
import { bernoulli, categorical, countTabular, createModel, tabular } from '../../src/tensors/index.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const domain: Domain = { length: 4, components: 1, values: 3 }
const orders: Order[] = [leftToRight(), reversed(), random({ seed: 1 }), random({ seed: 2 }), custom({ permutation: [1, 3, 0, 2] })]
const all = Array.from({ length: 81 }, (_, which) => [27, 9, 3, 1].map((place) => Math.floor(which / place) % 3))
/** 300 examples, far from uniform and far from independent. */
const examples = Array.from({ length: 300 }, (_, i) => {
  const a = Math.floor(uniform(1, 'batches', i) ** 2 * 3)
  const b = uniform(1, 'batches', i, 1) < 0.7 ? a : Math.floor(uniform(1, 'batches', i, 2) * 3)
  return [a, b, (a + b) % 3, Math.floor(uniform(1, 'batches', i, 3) * (a + 1))]
})

function joint(order: Order, parameters: ParameterArrays): number[] {
  const model = createModel({ domain, order, network: tabular(), head: categorical() })
  const tensors = Object.fromEntries(Object.entries(parameters).map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape])]))
  return Array.from(tf.sum(model.logProbability(tensors, tf.tensor(all.flat(), [81, 4, 1], 'int32')), 1).dataSync(), Math.exp)
}

describe('countTabular', () => {
  it('gives every x its relative frequency, whatever the order: the joint is one and the same', () => {
    for (const order of orders) {
      const p = joint(order, countTabular(domain, order.resolve(domain), examples))
      all.forEach((x, which) => expect(p[which]).toBeCloseTo(examples.filter((example) => example.every((value, i) => value === x[i])).length / examples.length, 6))
      expect(p.reduce((a, b) => a + b)).toBeCloseTo(1, 5)
    }
  })
  it('with smoothing is a distribution without zeros, and no longer the same in every order', () => {
    const joints = orders.map((order) => joint(order, countTabular(domain, order.resolve(domain), examples, 1)))
    for (const p of joints) {
      expect(p.reduce((a, b) => a + b)).toBeCloseTo(1, 5)
      expect(Math.min(...p)).toBeGreaterThan(0)
    }
    expect(Math.max(...joints[0].map((value, i) => Math.abs(value - joints[1][i])))).toBeGreaterThan(1e-4)
  })
  it('by hand: two variables, three examples', () => {
    const pair: Domain = { length: 2, components: 1, values: 2 }
    const { data } = countTabular(pair, reversed().resolve(pair), [[0, 1], [1, 1], [1, 1]])['network/logits']
    // Rows: x₁; then x₀ given x₁ = 0 (never seen: uniform), and given x₁ = 1.
    expect(Array.from(data.slice(2, 4))).toEqual([0, 0])
    expect(Array.from(data, Math.exp).filter((_, i) => i < 2 || i > 3)).toEqual([0, 1, expect.closeTo(1 / 3, 6), expect.closeTo(2 / 3, 6)])
  })
  it('refuses what is no example', () => {
    const order = leftToRight().resolve(domain)
    expect(() => countTabular(domain, order, [[0, 1, 2]])).toThrow(/example 0 has 3 variables, expected 4/)
    expect(() => countTabular(domain, order, [[0, 0, 0, 0], [0, 1, 3, 0]])).toThrow(InvalidDataError)
    expect(() => countTabular(domain, order, [[0, 1, 0.5, 0]])).toThrow(/holds 0.5 at position 2/)
    expect(() => countTabular(domain, order, [], -1)).toThrow(InvalidOptionError)
  })
})

describe('tabular', () => {
  const bindTo = (d: Domain, order: Order = leftToRight(), head = categorical()) => createModel({ domain: d, order, network: tabular(), head })
  it('refuses what a table cannot do', () => {
    expect(() => bindTo({ ...domain, length: 'variable' })).toThrow(/fixed length/)
    expect(() => bindTo(domain, leftToRight({ groupSize: 2 }))).toThrow(UnsupportedError)
    expect(() => bindTo({ ...domain, length: 30 })).toThrow(/rows, at most/)
    expect(() => bindTo({ ...domain, values: 2 }, leftToRight(), bernoulli())).toThrow(/Use categorical/)
    expect(() => tabular({ smoothing: 1 } as never)).toThrow(InvalidOptionError)
  })
  it('x cannot carry on from anything: a value before the first is refused, not ignored', () => {
    const model = bindTo(domain)
    const weights = { 'network/logits': tf.zeros([40, 3]) }
    const before = { values: tf.zeros([1, 1], 'int32'), isStart: tf.zeros([1], 'bool') }
    expect(() => model.logProbability(weights, tf.zeros([1, 4, 1], 'int32'), before)).toThrow(UnsupportedError)
  })
})
