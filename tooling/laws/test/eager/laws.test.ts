/** The laws, eagerly on the cpu backend, for every network × head × order (a pairwise cover; all of it with CHAINRULE_LONG=1). */
import '@tensorflow/tfjs-backend-cpu'
import { conditionLaws, eagerSampler, endingLaws, givenCondition, modelLaws, networkLaws, overfitsOneBatch, packingLaw, randomConditions, samplerLaws, shaken } from '@chainrule/conformance'
import { UnsupportedError } from '@chainrule/core'
import { createModel } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Combination, componentCombinations, conditionalCombinations, endedCombinations, fixedLengthCombinations, learners, pairwise, realCombinations, variableLengthCombinations } from './combinations.js'

const isLong = Boolean(process.env.CHAINRULE_LONG)
const fixed = fixedLengthCombinations()
const combinations = [...(isLong ? fixed : pairwise(fixed)), ...variableLengthCombinations(), ...endedCombinations(), ...componentCombinations(), ...realCombinations()]
const titled = (list: readonly Combination[]): [string, Combination][] => list.map((combination) => [combination.title, combination])

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('eager laws', () => {
  it.each(titled(combinations))('network: %s', (_, { network, domain, order, head }) => {
    networkLaws(network, { domain, order, head, length: 8 })
  })

  it.each(titled(combinations))('model and sampler: %s', async (_, pieces) => {
    const model = createModel(pieces)
    await modelLaws(model, { count: isLong ? 4_000 : 300 })
    await samplerLaws(eagerSampler(model, shaken(model.initialize(3), 3)), pieces)
  })

  it.each(titled(endedCombinations()))('ending and packing: %s', (_, pieces) => {
    const model = createModel(pieces)
    endingLaws(model)
    if (model.boundNetwork.packs) packingLaw(model)
    else expect(() => packingLaw(model)).toThrow(UnsupportedError)
  })

  const conditional = conditionalCombinations().map((combination): [string, typeof combination] => [combination.title, combination])

  it.each(conditional)('conditions: %s', (_, pieces) => conditionLaws(pieces))

  it.each(conditional.filter((_, i) => isLong || i % 6 === 0))('conditions held fixed: %s', async (_, pieces) => {
    const { domain, order, head, condition } = pieces
    const network = givenCondition(pieces.network, condition, randomConditions(condition.size, condition, 1, 8))
    networkLaws(network, { domain, order, head, length: 8 })
    const model = createModel({ domain, order, head, network })
    await modelLaws(model, { count: isLong ? 4_000 : 300 })
    await samplerLaws(eagerSampler(model, shaken(model.initialize(3), 3)), pieces)
    if (domain.end !== undefined && model.boundNetwork.packs && !condition.isSequence) packingLaw(model)
  })

  it.each(titled(learners()))('learns a batch by heart: %s', (_, pieces) => {
    overfitsOneBatch(createModel(pieces), { learningRate: ['causalConvolution', 'transformer'].includes(pieces.network.name) ? 0.02 : 0.1 })
  })
})
