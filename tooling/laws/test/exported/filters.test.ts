/**
 * Sampling filters: the eager sampler, the step and the whole loop draw what plain JavaScript draws from the definitions, whatever
 * the logits (ties and extremes among them); they replay each other; each option changes the result.
 * The model is tabular, d = 3: its parameters are the logits of each context.
 */
import '@tensorflow/tfjs-backend-cpu'
import { eagerSampler, type FilterSettings, filteredDistribution, freeRunningLaw, replayLaw, type Sampler, shaken } from '@chainrule/conformance'
import { type Domain, leftToRight, type SamplingFilters, truncations, uniform, UnsupportedError } from '@chainrule/core'
import { bernoulli, categorical, chained, createModel, discretizedLogisticMixture, factorized, gaussianMixture, type Head, type Network, rgbLogisticMixture, tabular } from '@chainrule/core/tensors'
import { maskedConvolution, recurrent, transformer } from '@chainrule/networks'
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { exported, samplerOf } from './exported.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const d = 3
const settingsOf = ({ seen: _seen, ...settings }: FilterSettings) => settings

/** What the definitions draw; −1 from where a uniform or a filter stands on a border, where rounding may decide either way. */
function expectedValues(logits: Float32Array, V: number, settings: FilterSettings, seed: number, sample: number): number[] {
  const seen = new Array<number>(V).fill(0)
  let row = 0
  return Array.from({ length: d }, (_, i) => {
    if (row < 0) return -1
    const start = (V ** i - 1) / (V - 1)
    const own = logits.subarray((start + row) * V, (start + row + 1) * V)
    const p = filteredDistribution(own, { ...settings, seen })
    const u = uniform(seed, 'sampling', sample, i)
    let value = 0
    let sum = p[0]
    while (sum <= u && value < V - 1) sum += p[++value]
    const isNear = (a: number, b: number) => Math.abs(a - b) < 1e-5
    const { topP = 1, minP = 0 } = settings
    const near: SamplingFilters[] = [...(topP < 1 ? [{ topP: topP - 1e-5 }, { topP: topP + 1e-5 }] : []), ...(minP > 0 && minP < 1 ? [{ minP: minP - 1e-5 }, { minP: minP + 1e-5 }] : [])]
    const isOnBorder = near.some((other) => filteredDistribution(own, { ...settings, seen, ...other }).some((q, v) => !isNear(q, p[v])))
    if (isOnBorder || isNear(sum, u) || isNear(sum - p[value], u)) {
      row = -1
      return -1
    }
    seen[value] = 1
    row = row * V + value
    return value
  })
}

const logit = fc.oneof(fc.integer({ min: -2, max: 2 }), fc.double({ min: -4, max: 4, noNaN: true }), fc.constantFrom(-90, 90, 0))
const settings: fc.Arbitrary<FilterSettings> = fc.record(
  {
    temperature: fc.constantFrom(0.5, 1, 1.6),
    topK: fc.integer({ min: 0, max: 7 }),
    topP: fc.constantFrom(0.05, 0.37, 0.81, 0.999, 1),
    minP: fc.constantFrom(0, 0.03, 0.21, 1),
    repetitionPenalty: fc.constantFrom(0.6, 1, 1.3, 5),
  },
  { requiredKeys: [] },
)

describe('sampling filters', () => {
  it('every sampler draws what the definitions draw', async () => {
    let compared = 0
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 6 }).chain((V) => fc.array(logit, { minLength: V * ((V ** d - 1) / (V - 1)), maxLength: V * ((V ** d - 1) / (V - 1)) }).map((logits) => ({ V, logits: Float32Array.from(logits) }))),
        fc.array(settings, { minLength: 4, maxLength: 4 }),
        async ({ V, logits }, all) => {
          const model = createModel({ domain: { length: d, components: 1, values: V }, order: leftToRight(), network: tabular(), head: categorical() })
          const [[name, { shape }]] = Object.entries(model.initialize(1))
          const parameters = { [name]: { shape, data: logits } }
          const opened = await exported(model, parameters)
          try {
            for (const [which, options] of all.entries()) {
              const request = { count: 40, length: d, seed: which, ...settingsOf(options) }
              for (const sampler of [eagerSampler(model, parameters), samplerOf(opened, 'steps'), samplerOf(opened, 'graph')]) {
                const { values, distance } = await sampler(request)
                for (let sample = 0; sample < request.count; sample++) {
                  expectedValues(logits, V, options, which, sample).forEach((value, i) => {
                    if (value < 0) return
                    compared++
                    expect(values[sample * d + i], `${JSON.stringify(options)}, sample ${sample}, variable ${i}`).toBe(value)
                  })
                }
                expect(distance.every((value) => value === 0)).toBe(true)
              }
            }
          } finally {
            await opened.release()
          }
        },
      ),
      { numRuns: 8, seed: 2 },
    )
    expect(compared, 'few variables stand on a border').toBeGreaterThan(0.8 * 8 * 4 * 3 * 40 * d)
  })

  const all: SamplingFilters[] = [{ topK: 3 }, { topP: 0.6 }, { minP: 0.3 }, { repetitionPenalty: 1.8 }, { topK: 5, topP: 0.9, minP: 0.05, repetitionPenalty: 1.2 }]
  it('samplers replay each other over a long chain, and each option changes what is drawn', async () => {
    const model = createModel({ domain: { length: 'variable', components: 1, values: 12 }, order: leftToRight(), network: transformer({ layers: 1, heads: 2, width: 8, context: 6 }), head: categorical({ tied: true }) })
    const parameters = shaken(model.initialize(3), 3, 1)
    const opened = await exported(model, parameters)
    try {
      const request = { count: 4, length: 40, seed: 5 }
      const order = Array.from({ length: request.length }, (_, i) => i)
      const samplers: [string, Sampler][] = [['eager', eagerSampler(model, parameters)], ['steps', samplerOf(opened, 'steps')], ['graph', samplerOf(opened, 'graph')]]
      const plain = await samplerOf(opened, 'graph')(request)
      for (const filters of all) {
        for (const [a, drawing] of samplers) {
          const original = await drawing({ ...request, ...filters })
          expect(original.values, JSON.stringify(filters)).not.toEqual(plain.values)
          for (const [b, following] of samplers) {
            if (a === b) continue
            const replayed = await following({ ...request, ...filters, given: original.values, isGiven: new Uint8Array(request.count * request.length).fill(1) })
            replayLaw(replayed, original)
            freeRunningLaw(original.values, (await following({ ...request, ...filters })).values, replayed.distance, order)
          }
        }
        // A sampler that knows nothing of the filters is found out.
        const unfiltered = await samplerOf(opened, 'graph')({ ...request, ...filters, given: plain.values, isGiven: new Uint8Array(request.count * request.length).fill(1) })
        expect(() => replayLaw(unfiltered, plain)).toThrow(/different distributions/)
      }
    } finally {
      await opened.release()
    }
  })

  it('what stands in the prompt has occurred, however it was read', async () => {
    const model = createModel({ domain: { length: 'variable', components: 1, values: 12 }, order: leftToRight(), network: transformer({ layers: 1, heads: 2, width: 8, context: 6 }), head: categorical() })
    const opened = await exported(model, shaken(model.initialize(3), 3, 1))
    try {
      const prompt = Int32Array.of(0, 1, 2, 3, 4, 5, 6)
      const request = { prompt, seed: 3, count: 60, length: 1, repetitionPenalty: 3 }
      for (const sampler of ['graph', 'steps'] as const) {
        const { values } = await opened.sample({ ...request, sampler })
        expect(values).toEqual((await opened.sample({ ...request, sampler: sampler === 'graph' ? 'steps' : 'graph' })).values)
        expect(values).not.toEqual((await opened.sample({ ...request, repetitionPenalty: 1, sampler })).values)
        const streamed: number[] = []
        for await (const chunk of opened.stream({ prompt, seed: 3, length: 30, repetitionPenalty: 1.5, sampler })) streamed.push(...chunk.values)
        expect(streamed).toEqual([...(await opened.sample({ prompt, seed: 3, length: 30, repetitionPenalty: 1.5, sampler })).values])
      }
      const lastOnly = await opened.sample({ ...request, prompt: prompt.subarray(6) })
      expect(lastOnly.values).not.toEqual((await opened.sample(request)).values)
    } finally {
      await opened.release()
    }
  })

  const grid = (components: number, values: number): Domain => ({ length: 24, components, values, locations: { axes: ['row', 'column'], shape: [3, 8] } })
  const convolution = () => maskedConvolution({ layers: 1, width: 6, firstKernel: 3 })
  it.each<[string, Domain, Network, Head]>([
    ['chained logistics', grid(3, 20), convolution(), chained(discretizedLogisticMixture({ components: 2 }), { width: 6 })],
    ['chained categoricals', grid(2, 4), recurrent({ cell: 'gru', layers: 1, width: 6 }), chained(categorical(), { width: 6 })],
    ['colours', grid(3, 20), convolution(), rgbLogisticMixture({ components: 2 })],
    ['factorised logistics', grid(2, 20), convolution(), factorized(discretizedLogisticMixture({ components: 2 }))],
    ['logistics', grid(1, 20), convolution(), discretizedLogisticMixture({ components: 2 })],
    ['two values', grid(1, 2), convolution(), bernoulli()],
  ])('those that leave out values work on each component: all samplers of %s replay each other', async (_, domain, network, head) => {
    const model = createModel({ domain, order: leftToRight(), network, head })
    const parameters = shaken(model.initialize(3), 3, 0.5)
    const opened = await exported(model, parameters)
    try {
      expect(opened.manifest.samplingFilters).toEqual(truncations)
      const request = { count: 3, length: 24, seed: 5 }
      const names = ['steps', 'graph', ...(network.name === 'maskedConvolution' ? (['waves'] as const) : [])] as const
      const samplers: Sampler[] = [eagerSampler(model, parameters), ...names.map((name) => samplerOf(opened, name))]
      const plain = await samplerOf(opened, 'graph')(request)
      for (const filters of [{ topK: 1 }, { topP: 0.4 }, { minP: 0.9 }, { topK: 2, temperature: 1.5 }]) {
        for (const drawing of samplers) {
          const original = await drawing({ ...request, ...filters })
          expect(original.values, JSON.stringify(filters)).not.toEqual(plain.values)
          for (const following of samplers) if (following !== drawing) replayLaw(await following({ ...request, ...filters, given: original.values, isGiven: new Uint8Array(72).fill(1) }), original)
        }
      }
      await expect(opened.sample({ seed: 1, repetitionPenalty: 1.2 })).rejects.toThrow(/does not know repetitionPenalty; it knows topK, topP, minP/)
    } finally {
      await opened.release()
    }
  })

  it.each<[Head, number | 'real', RegExp]>([
    [gaussianMixture(), 'real', /gaussianMixture, does not know topP; it knows no sampling filter/],
    [discretizedLogisticMixture(), 65_536, /discretizedLogisticMixture, does not know topP; it knows no sampling filter/],
  ])('are refused by heads without a table of probabilities, whose graphs have no such inputs', async (head, values, message) => {
    const model = createModel({ domain: { length: 4, components: 1, values }, order: leftToRight(), network: recurrent({ cell: 'gru', layers: 1, width: 3 }), head })
    const opened = await exported(model, model.initialize(1))
    try {
      expect(opened.manifest.samplingFilters).toBeUndefined()
      await expect(opened.sample({ seed: 1, topP: 0.9 })).rejects.toThrow(UnsupportedError)
      await expect(opened.sample({ seed: 1, topP: 0.9 })).rejects.toThrow(message)
      expect((await opened.sample({ seed: 1 })).values).toHaveLength(4)
    } finally {
      await opened.release()
    }
  })
})
