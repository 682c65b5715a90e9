/**
 * Waves in exported models: the graph that draws many variables at once replays, and is replayed by, the whole loop, single steps and the
 * eager sampler, in several orders and with every kind of head; and its samples follow p(x).
 */
import '@tensorflow/tfjs-backend-cpu'
import { eagerSampler, freeRunningLaw, randomConditions, replayLaw, type Sampler, samplerLaws, samplesFollowModel, shaken } from '@chainrule/conformance'
import { checkerboard, columnMajor, type Condition, controlSequence, type Domain, isReal, label, type Order, random, raster, reversed, UnsupportedError } from '@chainrule/core'
import { categorical, chained, createModel, discretizedLogisticMixture, gaussianMixture, type Head, type Network, rgbLogisticMixture } from '@chainrule/core/tensors'
import { maskedConvolution, rowLstm } from '@chainrule/networks'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { exported, samplerOf } from './exported.js'

const gridOf = (rows: number, columns: number, components: number, values: Domain['values']): Domain => ({ length: rows * columns, components, values, locations: { axes: ['row', 'column'], shape: [rows, columns] } })
const [gray, wide, pairs, pixels] = [gridOf(7, 6, 1, 5), gridOf(4, 13, 1, 4), gridOf(5, 8, 2, 3), gridOf(6, 7, 3, 4)]
const cases: [string, Domain, Order, Network, Head, Condition?][] = [
  ['categorical, raster', gray, raster(), maskedConvolution({ layers: 2, width: 6, firstKernel: 3 }), categorical()],
  ['a mixture, reversed', gray, reversed(), maskedConvolution({ layers: 1, width: 6, firstKernel: 3, activation: 'gated' }), discretizedLogisticMixture({ components: 2 })],
  ['chained components, raster', pairs, raster(), maskedConvolution({ layers: 1, width: 6, firstKernel: 3, bottleneck: true }), chained(categorical(), { width: 5 })],
  ['RGB mixture, raster', pixels, raster(), maskedConvolution({ layers: 1, width: 5, firstKernel: 3, input: 'embedding' }), rgbLogisticMixture({ components: 2 })],
  ['groups of a checkerboard', gray, checkerboard({ groups: true }), maskedConvolution({ layers: 1, width: 6, firstKernel: 3 }), categorical()],
  ['groups of a random order', pairs, random({ seed: 5, groupSize: 8 }), maskedConvolution({ layers: 1, width: 6, firstKernel: 5 }), chained(categorical(), { width: 5 })],
  ['real values, raster', gridOf(4, 8, 1, 'real'), raster(), maskedConvolution({ layers: 1, width: 6, firstKernel: 3 }), gaussianMixture({ components: 3 })],
  ['real pairs, reversed', gridOf(4, 6, 2, 'real'), reversed(), maskedConvolution({ layers: 1, width: 6, firstKernel: 3 }), gaussianMixture({ components: 2 })],
  ['a label', gray, raster(), maskedConvolution({ layers: 1, width: 6, firstKernel: 3 }), categorical(), label({ values: 3 })],
  ['a control sequence', pairs, reversed(), maskedConvolution({ layers: 1, width: 6, firstKernel: 3 }), chained(categorical(), { width: 5 }), controlSequence({ channels: 2 })],
  ['both stacks, a label', wide, raster(), maskedConvolution({ layers: 1, width: 4, firstKernel: 3, kind: 'gated' }), categorical(), label({ values: 3 })],
  ['both stacks, column by column, a control sequence', gridOf(14, 4, 2, 3), columnMajor(), maskedConvolution({ layers: 2, width: 4, firstKernel: 3, kind: 'gated' }), chained(categorical(), { width: 4 }), controlSequence({ channels: 2 })],
  ['a row LSTM, reversed, a label', wide, reversed(), rowLstm({ layers: 2, width: 4, firstKernel: 3 }), categorical(), label({ values: 2 })],
]
const seed = 11

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('wave by wave', () => {
  it.each(cases)('all samplers replay each other: %s', async (_, domain, order, network, head, condition) => {
    const model = createModel({ domain, order, network, head, ...(condition && { condition }) })
    // A chain of wild real draws, each of which widens the next, would run off to where float32 is coarse.
    const parameters = shaken(model.initialize(3), 3, isReal(domain) ? 0.1 : 0.5)
    const opened = await exported(model, parameters)
    try {
      expect(opened.manifest.sampling).toMatch(/^waves: /)
      const length = domain.length as number
      const count = 3
      const isGiven = new Uint8Array(count * length).fill(1)
      const waves = samplerOf(opened, 'waves')
      const others: Sampler[] = [eagerSampler(model, parameters), samplerOf(opened, 'steps'), samplerOf(opened, 'graph')]
      for (const temperature of [1, 0.7]) {
        const request = { count, length, seed, temperature, ...(condition && { condition: randomConditions(4, condition, count, length) }) }
        const original = await waves(request)
        for (const other of others) {
          const drawn = await other(request)
          const replayed = await other({ ...request, given: original.values, isGiven })
          replayLaw(replayed, original)
          freeRunningLaw(original.values, drawn.values, replayed.distance, model.resolvedOrder.permutation)
          replayLaw(await waves({ ...request, given: drawn.values, isGiven }), drawn)
          replayed.logProbability.forEach((value, i) => expect(Math.abs(value - original.logProbability[i])).toBeLessThan(1e-4))
        }
      }
      if (!condition) await samplerLaws(waves, { domain, order })
    } finally {
      await opened.release()
    }
  })

  it('the samples follow p(x): all x of a small image', async () => {
    const model = createModel({ domain: gridOf(2, 4, 1, 2), order: checkerboard({ groups: true }), network: maskedConvolution({ layers: 1, width: 6, firstKernel: 3 }), head: categorical() })
    const parameters = shaken(model.initialize(2), 2, 1)
    const opened = await exported(model, parameters)
    try {
      await samplesFollowModel(model, parameters, { sampler: samplerOf(opened, 'waves') })
      await expect(samplesFollowModel(model, parameters, { sampler: (request) => samplerOf(opened, 'waves')({ ...request, temperature: 1.3 }) })).rejects.toThrow(/do not follow/)
    } finally {
      await opened.release()
    }
  })

  it('is what whole samples are drawn by, with filters too, except where a penalty needs all that occurred before', async () => {
    const [, domain, order, network, head] = cases[0]
    const opened = await exported(createModel({ domain, order, network, head }), shaken(createModel({ domain, order, network, head }).initialize(3), 3))
    try {
      const draw = (more: object) => opened.sample({ count: 2, seed, ...more })
      const plain = await draw({})
      expect(opened.memory.openGraphs).toContain('waves')
      expect(opened.memory.openGraphs).not.toContain('sample')
      expect(plain).toEqual(await draw({ sampler: 'waves' }))
      for (const filter of [{ topK: 2 }, { topP: 0.5 }, { minP: 0.6 }]) {
        const filtered = await draw({ ...filter, sampler: 'waves' })
        expect(filtered.values).toEqual((await draw({ ...filter, sampler: 'steps' })).values)
        expect(filtered.values).not.toEqual(plain.values)
      }
      await expect(draw({ repetitionPenalty: 2, sampler: 'waves' })).rejects.toThrow(UnsupportedError)
      expect((await draw({ repetitionPenalty: 2 })).values).toEqual((await draw({ repetitionPenalty: 2, sampler: 'steps' })).values)
      expect(() => opened.stream({ seed, sampler: 'waves' })).toThrow(/waves draw whole samples/)
    } finally {
      await opened.release()
    }
  })
})
