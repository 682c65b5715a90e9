import '@tensorflow/tfjs-backend-cpu'
import { asTensors, networkLaws, randomValues, shaken } from '@chainrule/conformance'
import { type DiscreteDomain, InvalidOptionError, leftToRight, type Order, type ParameterArrays, random, reversed, UnknownPieceError, UnsupportedError } from '@chainrule/core'
import { categorical, createModel, type Head } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { networkFromName, recurrent, type RecurrentOptions } from '../src/index.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

/** The equations of the header, unit by unit in float64, for one x (by position) of a beginning: features by position. */
function unitByUnit({ cell = 'lstm', layers, width }: RecurrentOptions, domain: DiscreteDomain, order: Order, parameters: ParameterArrays, x: readonly number[][]): number[][] {
  const { permutation } = order.resolve(domain)
  const ranks = permutation.length ? [...permutation] : x.map((_, i) => i)
  const row = (name: string, at: number) => Array.from(parameters[name].data.subarray(at * width, (at + 1) * width))
  const times = (name: string, vector: readonly number[]) => Array.from({ length: parameters[name].shape[0] }, (_, r) => row(name, r).reduce((sum, weight, k) => sum + weight * vector[k], 0))
  const zeros = () => Array.from({ length: layers }, () => new Array<number>(width).fill(0))
  const [h, c] = [zeros(), zeros()]
  const features: number[][] = []
  ranks.forEach((position, rank) => {
    const start = domain.components * domain.values
    const rows = rank === 0 ? Array<number>(domain.components).fill(start) : x[ranks[rank - 1]].map((value, component) => component * domain.values + value)
    let input = rows.map((at) => row('embedding', at)).reduce((a, b) => a.map((value, k) => value + b[k]))
    for (let layer = 0; layer < layers; layer++) {
      const fromInput = times(`layer${layer}/input`, input).map((value, unit) => value + parameters[`layer${layer}/bias`].data[unit])
      const fromHidden = times(`layer${layer}/recurrent`, h[layer])
      const gate = (values: readonly number[], which: number, unit: number) => values[which * width + unit]
      h[layer] = h[layer].map((old, unit) => {
        const [a, b, d, e] = [0, 1, 2, 3].map((which) => gate(fromInput, which, unit) + gate(fromHidden, which, unit))
        if (cell === 'lstm') {
          c[layer][unit] = sigmoid(b) * c[layer][unit] + sigmoid(a) * Math.tanh(d)
          return sigmoid(e) * Math.tanh(c[layer][unit])
        }
        const candidate = Math.tanh(gate(fromInput, 2, unit) + sigmoid(a) * (gate(fromHidden, 2, unit) + parameters[`layer${layer}/candidateBias`].data[unit]))
        return (1 - sigmoid(b)) * candidate + sigmoid(b) * old
      })
      input = h[layer]
    }
    features[position] = [...h[h.length - 1]]
  })
  return features
}

const bindTo = (options: RecurrentOptions, domain: DiscreteDomain, order: Order = leftToRight()) => recurrent(options).bind({ domain, order: order.resolve(domain), parametersPerVariable: domain.values })

describe('the equations', () => {
  const two = (values: number): DiscreteDomain => ({ length: 5, components: 2, values })
  it.each<[string, RecurrentOptions, DiscreteDomain, Order]>([
    ['LSTM, few values', { cell: 'lstm', layers: 1, width: 7 }, { length: 6, components: 1, values: 3 }, leftToRight()],
    ['LSTM, more values than units', { cell: 'lstm', layers: 2, width: 3 }, { length: 6, components: 1, values: 11 }, random({ seed: 3 })],
    ['LSTM, two components', { layers: 1, width: 8 }, two(3), reversed()],
    ['GRU, few values', { cell: 'gru', layers: 2, width: 6 }, { length: 'variable', components: 1, values: 3 }, leftToRight()],
    ['GRU, more values than units', { cell: 'gru', layers: 1, width: 4 }, { length: 6, components: 1, values: 11 }, reversed()],
    ['GRU, two components, many values', { cell: 'gru', layers: 1, width: 4 }, two(9), random({ seed: 4 })],
  ])('%s', (_, options, domain, order) => {
    const bound = bindTo(options, domain, order)
    const parameters = shaken(bound.initialize(1), 1)
    const [B, N, C] = [3, domain.length === 'variable' ? 6 : domain.length, domain.components]
    const x = randomValues(2, domain.values, B * N * C)
    const features = tf.tidy(() => bound.forward(asTensors(parameters), tf.tensor(x, [B, N, C], 'int32')).arraySync() as number[][][])
    features.forEach((rows, b) => {
      const example = Array.from({ length: N }, (_, n) => Array.from(x.subarray((b * N + n) * C, (b * N + n + 1) * C)))
      const expected = unitByUnit(options, domain, order, parameters, example)
      rows.forEach((row, n) => row.forEach((value, unit) => expect(Math.abs(value - expected[n][unit]), `example ${b}, variable ${n}, unit ${unit}`).toBeLessThan(1e-5)))
    })
  })
})

it('obeys the laws of networks with several components, whichever way the first layer goes', () => {
  const wants: Head = { ...categorical(), parametersPerVariable: () => 4 }
  for (const width of [3, 6]) networkLaws(recurrent({ cell: 'gru', layers: 1, width }), { domain: { length: 3, components: 2, values: 2 }, order: random({ seed: 2 }), head: wants })
})

describe('initial values', () => {
  const [width, domain] = [50, { length: 'variable', components: 1, values: 20 } as const]
  it('LSTM: gates that remember, weights within ±1/√width', () => {
    const parameters = bindTo({ layers: 2, width }, domain).initialize(3)
    for (const layer of [0, 1]) expect(Array.from(parameters[`layer${layer}/bias`].data)).toEqual([0, 1, 0, 0].flatMap((bias) => Array<number>(width).fill(bias)))
    const spread = (name: string) => Math.sqrt(parameters[name].data.reduce((sum, value) => sum + value * value, 0) / parameters[name].data.length)
    for (const name of ['layer0/recurrent', 'layer1/input', 'layer1/recurrent']) {
      expect(Math.max(...parameters[name].data.map(Math.abs))).toBeLessThan(1 / Math.sqrt(width))
      expect(spread(name)).toBeCloseTo(1 / Math.sqrt(3 * width), 2)
    }
    // Rows of length about ½ through weights within ±2: as large as what comes from rows of unit variance through ±1/√width.
    expect(spread('embedding') * Math.sqrt(width)).toBeCloseTo(0.5, 1)
    expect(spread('layer0/input')).toBeCloseTo(2 / Math.sqrt(3), 1)
  })
  it('differ from layer to layer and with the seed', () => {
    const bound = bindTo({ cell: 'gru', layers: 2, width }, domain)
    const [a, b] = [bound.initialize(1), bound.initialize(2)]
    expect(a['layer0/recurrent'].data).not.toEqual(a['layer1/recurrent'].data)
    expect(a['layer0/recurrent'].data).not.toEqual(b['layer0/recurrent'].data)
  })
})

describe('options', () => {
  it('are rebuilt from a file', () => {
    const { name, options } = recurrent({ cell: 'gru', layers: 2, width: 4 })
    expect(networkFromName({ name, options })).toMatchObject({ name: 'recurrent', options: { cell: 'gru', layers: 2, width: 4 } })
    expect(() => networkFromName({ name: 'recurrence', options })).toThrow(UnknownPieceError)
  })
  it.each([
    [{ layers: 1, width: 4, heads: 2 }, /unknown option "heads"/],
    [{ cell: 'rnn', layers: 1, width: 4 }, /'lstm' or 'gru', got "rnn"/],
    [{ layers: 0, width: 4 }, /layers/],
    [{ layers: 1, width: 1.5 }, /width/],
  ])('%j throws', (options, message) => {
    expect(() => recurrent(options as never)).toThrow(InvalidOptionError)
    expect(() => recurrent(options as never)).toThrow(message)
  })
  it('an order with groups is refused', () => {
    const domain: DiscreteDomain = { length: 4, components: 1, values: 2 }
    expect(() => createModel({ domain, order: leftToRight({ groupSize: 2 }), network: recurrent({ layers: 1, width: 4 }), head: categorical() })).toThrow(UnsupportedError)
  })
})
