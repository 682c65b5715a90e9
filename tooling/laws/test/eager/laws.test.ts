/** The laws, eagerly on the cpu backend, for every network × head × order (a pairwise cover; all of it with CHAINRULE_LONG=1). */
import '@tensorflow/tfjs-backend-cpu'
import { eagerSampler, modelLaws, networkLaws, overfitsOneBatch, samplerLaws, shaken } from '@chainrule/conformance'
import { createModel } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, it } from 'vitest'
import { fixedLengthCombinations, pairwise, variableLengthCombinations } from './combinations.js'

const select = process.env.CHAINRULE_LONG ? <T>(all: T) => all : pairwise
const combinations = [...select(fixedLengthCombinations()), ...variableLengthCombinations()]

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('eager laws', () => {
  it.each(combinations)('network: $title', ({ network, domain, order, head }) => {
    networkLaws(network, { domain, order, head, length: 8 })
  })

  it.each(combinations)('model and sampler: $title', async (pieces) => {
    const model = createModel(pieces)
    await modelLaws(model)
    const parameters = shaken(model.initialize(3), 3)
    await samplerLaws(eagerSampler(model, parameters), pieces)
  })

  it.each(combinations.filter((_, i) => process.env.CHAINRULE_LONG || i % 4 === 0))('learns a batch by heart: $title', (pieces) => {
    overfitsOneBatch(createModel(pieces))
  })
})
