import '@tensorflow/tfjs-backend-cpu'
import { asTensors, randomValues, shaken } from '@chainrule/conformance'
import { type Domain, InvalidOptionError, leftToRight, UnsupportedError } from '@chainrule/core'
import { bernoulli, categorical, createModel, type Network, type Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { mixture, type MixtureOptions, mixtureParameters, networkFromName, ngram, recurrent, transformer } from '../src/index.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const V = 3
const domain: Domain = { length: 'variable', components: 1, values: V }
const modelOf = (network: Network, tied = false) => createModel({ domain, order: leftToRight(), network, head: categorical({ tied }) })
const small = transformer({ layers: 1, heads: 1, width: 4, context: 4 })
const x = randomValues(5, V, 7 * 6)
const logProbabilities = (model: ReturnType<typeof modelOf>, parameters: Tensors) => model.logProbability(parameters, tf.tensor(x, [7, 6, 1], 'int32')).dataSync()

describe('a mixture', () => {
  it.each([true, false])('of trained models is the weighted sum of their probabilities (tied %s)', (tied) => {
    const models = [modelOf(small, tied), modelOf(ngram({ order: 3 }))]
    const parts = [shaken(models[0].initialize(1), 1), models[1].count!([randomValues(2, V, 400)])]
    const mixed = modelOf(mixture({ networks: [small, ngram({ order: 3 })], tied, weights: 'constant' }))
    const parameters = mixtureParameters(mixed.initialize(1), parts)
    parameters['network/weights/bias'].data.set([0.3, -0.9])
    const w = 1 / (1 + Math.exp(-1.2))
    const [first, second] = models.map((model, k) => logProbabilities(model, asTensors(parts[k])))
    logProbabilities(mixed, asTensors(parameters)).forEach((value, i) => expect(value).toBeCloseTo(Math.log(w * Math.exp(first[i]) + (1 - w) * Math.exp(second[i])), 4))
  })

  it('has weights that depend on the features of its first network', () => {
    const [first, second] = [recurrent({ cell: 'gru', layers: 1, width: 2 }), ngram({ order: 2 })]
    const mixed = modelOf(mixture({ networks: [first, second] }))
    const parameters = shaken(mixed.initialize(1), 1)
    const of = (k: number) => (k === 0 ? first : second).bind({ domain, order: leftToRight().resolve(domain), parametersPerVariable: V })
    const tensor = tf.tensor(x, [7, 6, 1], 'int32')
    const part = (k: number) => Object.fromEntries(Object.entries(asTensors(parameters)).flatMap(([name, value]) => (name.startsWith(`network/${k}/`) ? [[name.slice(`network/${k}/`.length), value]] : [])))
    const h = of(0).forward(part(0), tensor)
    const p0 = tf.softmax(tf.reshape(tf.matMul(tf.reshape(h, [42, 2]), part(0).projection as tf.Tensor2D), [7, 6, V])).dataSync()
    const p1 = tf.softmax(of(1).forward(part(1), tensor)).dataSync()
    const { data: kernel } = parameters['network/weights/kernel']
    const { data: bias } = parameters['network/weights/bias']
    const features = h.dataSync()
    logProbabilities(mixed, asTensors(parameters)).forEach((value, i) => {
      const scores = [0, 1].map((k) => features[2 * i] * kernel[k] + features[2 * i + 1] * kernel[2 + k] + bias[k])
      const w = 1 / (1 + Math.exp(scores[1] - scores[0]))
      expect(value).toBeCloseTo(Math.log(w * p0[i * V + x[i]] + (1 - w) * p1[i * V + x[i]]), 4)
    })
  })

  it('trains its weights only, or its networks too, but never what is counted', () => {
    const names = (options: Partial<MixtureOptions>) => {
      const model = modelOf(mixture({ networks: [small, ngram({ order: 2 })], ...options }))
      return Object.keys(model.initialize(1)).filter((name) => !model.isFixed(name))
    }
    expect(names({})).toEqual(['network/weights/kernel', 'network/weights/bias'])
    expect(names({ weights: 'constant' })).toEqual(['network/weights/bias'])
    const all = names({ trainNetworks: true })
    expect(all).toContain('network/0/embedding')
    expect(all).toContain('network/0/projection')
    expect(all.filter((name) => name.startsWith('network/1/'))).toEqual([])
  })

  it('drops what its networks drop, where they are trained', () => {
    const dropping = transformer({ layers: 1, heads: 1, width: 4, context: 4, dropout: 0.25 })
    const dropoutOf = (options: MixtureOptions) => modelOf(mixture(options)).boundNetwork.dropout
    expect(dropoutOf({ networks: [ngram(), dropping], trainNetworks: true })).toMatchObject({ rate: 0.25 })
    expect(Object.keys(dropoutOf({ networks: [ngram(), dropping], trainNetworks: true })!.masks(2, 3))).toEqual(['1/attention0', '1/feedForward0'])
    expect(dropoutOf({ networks: [ngram(), dropping] })).toBeUndefined()
    const other = transformer({ layers: 1, heads: 1, width: 4, context: 4, dropout: 0.5 })
    expect(() => dropoutOf({ networks: [other, dropping], trainNetworks: true })).toThrow(/different rates \(0.5, 0.25\)/)
    // The masks reach the network: with everything dropped but the embedding, the result is another.
    const mixed = modelOf(mixture({ networks: [ngram({ order: 2 }), dropping], trainNetworks: true }))
    const tensors = asTensors(shaken(mixed.initialize(1), 1))
    const input = tf.tensor(x, [7, 6, 1], 'int32')
    const masks = Object.fromEntries(['1/attention0', '1/feedForward0'].map((name) => [name, tf.zeros([7, 6, 4], 'bool')]))
    expect([...mixed.logProbability(tensors, input, undefined, masks).dataSync()]).not.toEqual([...mixed.logProbability(tensors, input).dataSync()])
  })

  it('is rebuilt by its name', () => {
    const { name, options } = mixture({ networks: [small, ngram({ order: 2 })], tied: true })
    const again = networkFromName(JSON.parse(JSON.stringify({ name, options })))
    expect(again.options).toEqual(options)
    expect(again.bind({ domain, order: leftToRight().resolve(domain), parametersPerVariable: V }).width).toBe(V)
  })

  it('ends where the first of its networks ends, and reads what any of them reads', () => {
    const learned = transformer({ layers: 1, heads: 1, width: 4, context: 3, positions: 'learned' })
    const { boundNetwork } = modelOf(mixture({ networks: [ngram({ order: 3 }), learned] }))
    expect(boundNetwork.longest).toBe(3)
    expect(modelOf(mixture({ networks: [ngram({ order: 2 }), ngram({ order: 4 })] })).boundNetwork.dependencies(6)).toEqual([3, 4, 5])
  })
})

describe('what is refused', () => {
  it('options', () => {
    expect(() => mixture({ networks: [small] })).toThrow(/at least two networks, got 1/)
    expect(() => mixture({ networks: [small, small], gate: 1 } as never)).toThrow(/unknown option "gate"/)
    expect(() => mixture({ networks: [small, small], weights: 'equal' as never })).toThrow(InvalidOptionError)
    expect(() => mixture({ networks: [small, small], tied: 1 as never })).toThrow(/tied must be true or false, got 1/)
  })
  it('heads and domains that it cannot speak to', () => {
    const network = mixture({ networks: [small, ngram({ order: 2 })] })
    expect(() => createModel({ domain: { ...domain, values: 2 }, order: leftToRight(), network, head: bernoulli() })).toThrow(UnsupportedError)
    const { embedding: _, ...rest } = recurrent({ layers: 1, width: 2 }).bind({ domain, order: leftToRight().resolve(domain), parametersPerVariable: V }).initialize(1)
    const bare: Network = { name: 'bare', options: {}, bind: (binding) => ({ ...small.bind(binding), initialize: () => rest }) }
    expect(() => modelOf(mixture({ networks: [bare, small], tied: true })).initialize(1)).toThrow(/tied needs networks with an embedding, bare has none/)
  })
  it('parameters of other models', () => {
    const mixed = modelOf(mixture({ networks: [small, ngram({ order: 2 })] }))
    const counted = modelOf(ngram({ order: 2 })).initialize(1)
    const fresh = mixed.initialize(1)
    expect(() => mixtureParameters(fresh, [modelOf(small, true).initialize(1), counted])).toThrow(/"network\/0\/projection" is missing from the parameters given/)
    expect(() => mixtureParameters(fresh, [counted, modelOf(small).initialize(1)])).toThrow(InvalidOptionError)
    expect(() => mixtureParameters(fresh, [modelOf(small).initialize(1)])).toThrow(/missing/)
  })
})
