/** The laws of densities and of conditions have defects that they must catch: heads and networks that are wrong on purpose. */
import '@tensorflow/tfjs-backend-cpu'
import { conditionLaws, headLaws, integratesToOne, shaken } from '@chainrule/conformance'
import { type Domain, label, leftToRight } from '@chainrule/core'
import { type BoundHead, type BoundNetwork, categorical, createModel, gaussianMixture, type Head, type Network } from '@chainrule/core/tensors'
import { recurrent } from '@chainrule/networks'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const pairs: Domain = { length: 3, components: 2, values: 'real' }
const right = gaussianMixture({ components: 2 })

/** The head with something about it changed. */
const wrong = (change: (bound: BoundHead) => Partial<BoundHead>): Head => ({ ...right, bind: (binding) => ({ ...right.bind(binding), ...change(right.bind(binding)) }) })

describe('densities', () => {
  it('hold for a right head', () => {
    headLaws(right, { domain: pairs })
  })

  const heads: [string, Head, RegExp][] = [
    ['a density whose integral is 1.05', wrong(({ logProbability }) => ({ logProbability: (...args) => tf.add(logProbability(...args), Math.log(1.05)) })), /the integral of p/],
    ['draws that are hotter than they should be', wrong(({ draw }) => ({ draw: (parameters, features, request) => draw(parameters, features, { ...request, temperature: tf.mul(request.temperature, 1.1) }) })), /from where the CDF is its uniform/],
    ['a temperature that changes nothing', wrong(({ draw }) => ({ draw: (parameters, features, request) => draw(parameters, features, { ...request, temperature: tf.onesLike(request.temperature) }) })), /Is temperature ignored/],
    ['given values that are lost', wrong(({ draw }) => ({ draw: (parameters, features, request) => draw(parameters, features, { ...request, isGiven: tf.zerosLike(request.isGiven) }) })), /a given value did not stay/],
    ['a distance that is always 0', wrong(({ draw }) => ({ draw: (...args) => ({ ...draw(...args), distance: tf.zeros([args[2].uniforms.shape[0]!]) }) })), /hardly any distance/],
    ['a draw that is said to be likelier than it is', wrong(({ draw }) => ({ draw: (...args) => ({ ...draw(...args), logProbability: tf.add(draw(...args).logProbability, 0.01) }) })), /log-probability of a draw/],
  ]
  it.each(heads)('%s', (_, head, message) => {
    expect(() => headLaws(head, { domain: pairs })).toThrow(message)
  })

  it('a model whose densities have integral 1.05', () => {
    const modelOf = (head: Head) => createModel({ domain: { ...pairs, length: 2, components: 1 }, order: leftToRight(), network: recurrent({ layers: 1, width: 4 }), head })
    integratesToOne(modelOf(right), shaken(modelOf(right).initialize(1), 1, 0.3))
    const model = modelOf(wrong(({ logProbability }) => ({ logProbability: (...args) => tf.add(logProbability(...args), Math.log(1.05)) })))
    expect(() => integratesToOne(model, shaken(model.initialize(1), 1, 0.3))).toThrow(/the integral of p over the variable/)
  })
})

describe('conditions', () => {
  const network = recurrent({ layers: 1, width: 5 })
  const told = (change: (bound: BoundNetwork) => Partial<BoundNetwork>): Network => ({ ...network, bind: (binding) => ({ ...network.bind(binding), ...change(network.bind(binding)) }) })
  const laws = (each: Network) => conditionLaws({ domain: { length: 4, components: 1, values: 3 }, order: leftToRight(), network: each, head: categorical(), condition: label({ values: 3 }) })

  it('hold for a right network', () => {
    laws(network)
  })

  const networks: [string, Network, RegExp][] = [
    ['rows that are told each other’s label', told(({ forward }) => ({ forward: (parameters, x, before, masks, condition) => forward(parameters, x, before, masks, condition && tf.reverse(condition, 0)) })), /row \d/],
    ['a step that is told nothing', told(({ step }) => ({ step: (parameters, state, { values, isStart }) => step(parameters, state, { values, isStart }) })), /step by step/],
    [
      'a label that makes no difference',
      told(({ forward, step }) => ({
        forward: (parameters, x, before, masks, condition) => forward(parameters, x, before, masks, condition && tf.zerosLike(condition)),
        step: (parameters, state, previous) => step(parameters, state, { ...previous, condition: previous.condition && tf.zerosLike(previous.condition) }),
      })),
      /liveness/,
    ],
  ]
  it.each(networks)('%s', (_, each, message) => {
    expect(() => laws(each)).toThrow(message)
  })
})
