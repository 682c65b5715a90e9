import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Domain, InvalidOptionError, leftToRight, reversed, type StateTensor, UnsupportedError } from '../../src/index.js'
import { begin, type BoundNetwork, categorical, constantInitial, createModel, extendByStep, negativeLogLikelihood, type Network, normalInitial, scoped, tabular } from '../../src/tensors/index.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const domain: Domain = { length: 3, components: 1, values: 2 }

/** Features that are the same for every variable: enough to see which parameters reach whom. */
function constant(parameter: string): Network {
  return {
    name: 'constant',
    options: {},
    bind: (): BoundNetwork => ({
      width: 2,
      emitsParameters: false,
      state: [{ name: 'index', type: 'int32', shape: [1] }],
      initialize: () => ({ [parameter]: constantInitial([3, 2], 0.5) }),
      forward: (parameters, x) => tf.add(tf.zeros([x.shape[0]!, x.shape[1]!, 2]), tf.slice(parameters[parameter], [0, 0], [1, 2])),
      step: (parameters, state) => ({ features: tf.slice(parameters[parameter], [0, 0], [1, 2]), state: { index: tf.add(state.index, tf.scalar(1, 'int32')) } }),
      extend: () => {
        throw new Error('not needed')
      },
      dependencies: () => [],
    }),
  }
}

describe('createModel', () => {
  it('gives network and head parameters of their own, by prefix', () => {
    const model = createModel({ domain, order: leftToRight(), network: constant('weight'), head: categorical() })
    expect(Object.keys(model.initialize(1)).sort()).toEqual(['head/weight', 'network/weight'])
    expect(model.initialize(1)).toEqual(model.initialize(1))
    expect(model.initialize(1)['head/weight'].data).not.toEqual(model.initialize(2)['head/weight'].data)
  })
  it('tied: the head reads the network’s embedding; without one the model throws', () => {
    const tied = createModel({ domain, order: leftToRight(), network: constant('embedding'), head: categorical({ tied: true }) })
    expect(Object.keys(tied.initialize(1))).toEqual(['network/embedding'])
    const weights = { 'network/embedding': tf.tensor2d([[1, 0], [3, 0], [9, 9]]) }
    const [nats] = tied.logProbability(weights, tf.tensor3d([1, 0, 0], [1, 3, 1], 'int32')).dataSync()
    expect(nats).toBeCloseTo(-Math.log(1 + Math.exp(1 - 3)), 5)
    const untied = createModel({ domain, order: leftToRight(), network: constant('weight'), head: categorical({ tied: true }) })
    expect(() => untied.initialize(1)).toThrow(UnsupportedError)
    expect(() => untied.initialize(1)).toThrow(/categorical: tied needs a network with an embedding, constant has none/)
  })
  it('refuses pieces that do not fit', () => {
    expect(() => createModel({ domain: { ...domain, values: 1 }, order: leftToRight(), network: tabular(), head: categorical() })).toThrow(InvalidOptionError)
    expect(() => createModel({ domain: { ...domain, components: 3 }, order: leftToRight(), network: tabular(), head: categorical() })).toThrow(UnsupportedError)
    expect(() => createModel({ domain: { ...domain, length: 'variable' }, order: reversed(), network: constant('weight'), head: categorical() })).toThrow(/fixed length/)
  })
  it('the loss is nats a variable', () => {
    const model = createModel({ domain, order: reversed(), network: tabular(), head: categorical() })
    const loss = negativeLogLikelihood(model, { 'network/logits': tf.zeros([7, 2]) }, tf.zeros([4, 3, 1], 'int32'))
    expect(loss.dataSync()[0]).toBeCloseTo(Math.log(2), 6)
    expect(loss.shape).toEqual([])
  })
})

describe('scoped', () => {
  it('keeps what begins with the prefix, and takes the prefix away once', () => {
    expect(scoped({ 'head/a': 1, 'head/head/b': 2, 'network/a': 3, head: 4 }, 'head/')).toEqual({ a: 1, 'head/b': 2 })
  })
})

describe('state', () => {
  it('begins as zeros of the types and shapes declared, with a past of 0', () => {
    const declared: StateTensor[] = [{ name: 'index', type: 'int32', shape: [1] }, { name: 'keys', type: 'float32', shape: ['batch', 2, 'past', 4] }]
    const state = begin(declared, 3)
    expect([state.index.dtype, state.index.shape, [...state.index.dataSync()]]).toEqual(['int32', [1], [0]])
    expect([state.keys.dtype, state.keys.shape]).toEqual(['float32', [3, 2, 0, 4]])
  })
  it('extendByStep feeds one variable after the other', () => {
    const seen: number[] = []
    const { features, state } = extendByStep(
      (_, { sum }, { values, isStart }) => {
        seen.push(isStart.dataSync()[0])
        return { features: tf.add(sum, values), state: { sum: tf.add(sum, values) } }
      },
      {},
      { sum: tf.zeros([1, 1], 'int32') },
      { values: tf.tensor3d([1, 2, 3], [1, 3, 1], 'int32'), isStart: tf.tensor2d([1, 0, 0], [1, 3], 'bool') },
    )
    expect([features.shape, [...features.dataSync()], [...state.sum.dataSync()], seen]).toEqual([[1, 3, 1], [1, 3, 6], [6], [1, 0, 0]])
  })
})

describe('initial values', () => {
  it('depend on the seed and the name alone', () => {
    const { shape, data } = normalInitial(1, 'network/weight', [50, 40], 0.02)
    expect(shape).toEqual([50, 40])
    expect(normalInitial(1, 'network/weight', [2000], 0.02).data).toEqual(data)
    expect(normalInitial(1, 'head/weight', [50, 40], 0.02).data).not.toEqual(data)
    const variance = data.reduce((sum, x) => sum + x * x, 0) / data.length
    expect(Math.sqrt(variance)).toBeGreaterThan(0.018)
    expect(Math.sqrt(variance)).toBeLessThan(0.022)
  })
})
