import '@tensorflow/tfjs-backend-cpu'
import { asTensors, networkLaws, randomValues, shaken } from '@chainrule/conformance'
import { type DiscreteDomain, InvalidOptionError, leftToRight, random, reversed, UnsupportedError } from '@chainrule/core'
import { bernoulli, createModel, negativeLogLikelihood } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { nade, type NadeOptions, networkFromName } from '../src/index.js'
import { bindTo, columnTimes, example, plus, sigmoid, wants } from './grids.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const domainOf = (length: number, values = 2, components = 1): DiscreteDomain => ({ length, components, values })

describe('forward', () => {
  // Lengths within a chunk, of one chunk exactly, and of several with the last one not full.
  it.each([[5, 2, 1], [16, 2, 2], [37, 3, 1], [33, 2, 1]])('%d variables of %d values, %d components: variable by variable, in order', (length, values, components) => {
    for (const order of [leftToRight(), random({ seed: 3 })]) {
      const domain = domainOf(length, values, components)
      const { parameters, x, features } = example(bindTo(nade({ hidden: 6 }), domain, order), domain)
      let sums = Array.from({ length: 6 }, (_, k) => parameters['hidden/bias'].data[k])
      for (const p of order.resolve(domain).permutation) {
        const units = sums.map(sigmoid)
        const V = columnTimes({ shape: [3, 6], data: parameters['output/weight'].data.slice(p * 18, (p + 1) * 18) }, units)
        plus(V, [...parameters['output/bias'].data.slice(p * 3, (p + 1) * 3)]).forEach((value, i) => expect(features[p][i]).toBeCloseTo(value, 4))
        for (let c = 0; c < components; c++) {
          const v = x[p * components + c]
          const row = values === 2 ? p * components + c : (p * components + c) * values + v
          sums = sums.map((sum, k) => sum + (values === 2 ? v : 1) * parameters['hidden/weight'].data[row * 6 + k])
        }
      }
    }
  })
})

describe('training', () => {
  it('has the gradients of differences', () => {
    const model = createModel({ domain: domainOf(19), order: random({ seed: 1 }), network: nade({ hidden: 5 }), head: bernoulli() })
    const start = shaken(model.initialize(1), 1)
    const names = Object.keys(start)
    const x = tf.tensor(randomValues(1, 2, 4 * 19), [4, 19, 1], 'int32')
    const loss = (...values: tf.Tensor[]) => negativeLogLikelihood(model, Object.fromEntries(names.map((name, i) => [name, values[i]])), x) as tf.Scalar
    const all = names.map((name) => asTensors(start)[name])
    tf.grads(loss)(all).forEach((gradient, which) => {
      const data = all[which].dataSync()
      for (const at of [0, Math.floor(data.length / 2), data.length - 1]) {
        const shifted = (by: number) => loss(...all.map((tensor, i) => (i === which ? tf.tensor(data.map((value, j) => (j === at ? value + by : value)), tensor.shape) : tensor))).dataSync()[0]
        expect(Math.abs((shifted(0.05) - shifted(-0.05)) / 0.1 - gradient.dataSync()[at]), `${names[which]} [${at}]`).toBeLessThan(2e-4)
      }
    })
  })
})

describe('the laws', () => {
  it.each([[1, 2, 1], [6, 3, 2], [19, 2, 1]])('of %d variables of %d values, %d components', (length, values, components) => {
    for (const order of [leftToRight(), reversed(), random({ seed: 2 })]) networkLaws(nade({ hidden: 7 }), { domain: domainOf(length, values, components), order, head: wants(3) })
  })
})

describe('options', () => {
  it('are what they were, with the default said; a file names the network; the size changes the result', () => {
    expect(nade().options).toEqual({ hidden: 500 })
    expect(networkFromName({ name: 'nade', options: { hidden: 3 } }).options).toEqual({ hidden: 3 })
    const features = (hidden: number) => JSON.stringify(example(bindTo(nade({ hidden }), domainOf(4), leftToRight()), domainOf(4)).features)
    expect(features(3)).not.toBe(features(4))
  })
  it.each<[string, object, RegExp]>([
    ['a name', { units: 2 }, /unknown option "units". Known: hidden/],
    ['a size of 0', { hidden: 0 }, /hidden must be a whole number of at least 1, got 0/],
  ])('%s is refused', (_, options, message) => {
    expect(() => nade(options as NadeOptions)).toThrow(InvalidOptionError)
    expect(() => nade(options as NadeOptions)).toThrow(message)
  })
  it('groups, a variable length and a variable before the first are refused', () => {
    expect(() => bindTo(nade(), domainOf(4), leftToRight({ groupSize: 2 }))).toThrow(UnsupportedError)
    expect(() => bindTo(nade(), { length: 'variable', components: 1, values: 2 }, leftToRight())).toThrow(/fixed length/)
    const bound = bindTo(nade({ hidden: 2 }), domainOf(3), leftToRight())
    const before = { values: tf.zeros([1, 1], 'int32'), isStart: tf.zeros([1], 'bool') }
    expect(() => bound.forward(asTensors(bound.initialize(1)), tf.zeros([1, 3, 1], 'int32'), before)).toThrow(UnsupportedError)
  })
})
