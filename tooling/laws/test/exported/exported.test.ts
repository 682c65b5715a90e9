/**
 * The laws of exported models: what was recorded says the same as the eager program, and all samplers of a model replay each other:
 * eager, step by step, the whole loop. (Python's onnxruntime: tooling/interop.)
 */
import '@tensorflow/tfjs-backend-cpu'
import { eagerSampler, freeRunningLaw, randomConditions, randomRows, replayLaw, type Sampler, samplerLaws, shaken } from '@chainrule/conformance'
import { conditionSpecification, isReal, valueType } from '@chainrule/core'
import { createModel } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Combination, componentCombinations, conditionalCombinations, endedCombinations, fixedLengthCombinations, pairwise, realCombinations, variableLengthCombinations, wideCombinations } from '../eager/combinations.js'
import { exported, samplerOf } from './exported.js'

const isLong = Boolean(process.env.CHAINRULE_LONG)
const fixed = fixedLengthCombinations()
const titled = (list: readonly Combination[]): [string, Combination][] => list.map((combination) => [combination.title, combination])
const conditional = conditionalCombinations()
const combinations = titled([...(isLong ? fixed : pairwise(fixed)), ...variableLengthCombinations(), ...endedCombinations(), ...componentCombinations(), ...realCombinations(), ...wideCombinations()])
const all = [...combinations, ...titled(conditional.filter((_, i) => isLong || i % 3 === 0))]

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const seed = 11

describe('exported models', () => {
  it.each(all)('scores and samples as eagerly: %s', async (_, pieces) => {
    const model = createModel(pieces)
    // Real values feed on themselves: with less of a shake they stay near 1.
    const parameters = shaken(model.initialize(3), 3, isReal(pieces.domain) ? 0.2 : 0.5)
    const opened = await exported(model, parameters)
    try {
      expect(tf.getBackend()).toBe('cpu')
      const length = pieces.domain.length === 'variable' ? Math.min(9, model.boundNetwork.longest ?? 9) : pieces.domain.length
      const count = 5
      const x = randomRows(seed, pieces.domain, count, length)
      const told = pieces.condition && { condition: randomConditions(seed, pieces.condition, count, length) }
      const specification = pieces.condition && conditionSpecification(pieces.condition, count, length)
      const eager = tf.tidy(() => {
        const tensors = Object.fromEntries(Object.entries(parameters).map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape])]))
        return model.logProbability(tensors, tf.tensor(x, [count, length, pieces.domain.components], valueType(pieces.domain)), undefined, undefined, specification && tf.tensor(told!.condition, specification.shape, specification.type)).dataSync()
      })
      const nats = await opened.score({ x, length, ...told })
      nats.forEach((value, i) => expect(Math.abs(value + eager[i]), `variable ${i}: ${value} against ${-eager[i]}`).toBeLessThan(1e-4 * Math.max(1, Math.abs(value))))

      const samplers: [string, Sampler][] = [
        ['eager', eagerSampler(model, parameters)],
        ['steps', samplerOf(opened, 'steps')],
        ['graph', samplerOf(opened, 'graph')],
      ]
      const order = model.resolvedOrder.isLeftToRight ? Array.from({ length }, (_, i) => i) : model.resolvedOrder.permutation
      for (const temperature of [1, 0.7]) {
        for (const [a, drawing] of samplers) {
          const original = await drawing({ count, length, seed, temperature, ...told })
          for (const [b, following] of samplers) {
            if (a === b) continue
            const replayed = await following({ count, length, seed, temperature, ...told, given: original.values, isGiven: new Uint8Array(count * length).fill(1) })
            replayLaw(replayed, original)
            freeRunningLaw(original.values, (await following({ count, length, seed, temperature, ...told })).values, replayed.distance, order)
            replayed.logProbability.forEach((value, i) => expect(Math.abs(value - original.logProbability[i])).toBeLessThan(1e-4 * Math.max(1, Math.abs(value))))
          }
        }
      }
    } finally {
      await opened.release()
    }
  })

  it.each(combinations.filter((_, i) => isLong || i % 6 === 0))('obey the laws of samplers: %s', async (_, pieces) => {
    const model = createModel(pieces)
    const opened = await exported(model, shaken(model.initialize(3), 3))
    try {
      for (const sampler of ['graph', 'steps'] as const) await samplerLaws(samplerOf(opened, sampler), pieces)
    } finally {
      await opened.release()
    }
  })

  it('one thread, one graph: bit for bit the same', async () => {
    const model = createModel(variableLengthCombinations()[0])
    const parameters = shaken(model.initialize(1), 1)
    const draw = async () => {
      const opened = await exported(model, parameters)
      const result = await opened.sample({ count: 3, length: 40, seed })
      await opened.release()
      return result
    }
    expect(await draw()).toEqual(await draw())
  })

  it('beyond the context, in pieces, with a prompt: one and the same distribution', async () => {
    const pieces = variableLengthCombinations().find(({ network }) => network.options.positions === 'rotary' && network.options.context === 3)!
    const model = createModel(pieces)
    const parameters = shaken(model.initialize(2), 2)
    const opened = await exported(model, parameters)
    try {
      const length = 600
      const { values, nats } = await opened.sample({ count: 1, length, seed })
      const scored = await opened.score({ x: values, length })
      scored.forEach((value, i) => expect(Math.abs(value - nats[i])).toBeLessThan(1e-4))
      const prompt = values.slice(0, 300)
      const rest = await opened.sample({ count: 2, length: length - 300, prompt, seed })
      rest.distance.forEach((distance) => expect(distance).toBe(0))
      expect([...rest.values.subarray(0, 300)]).toEqual([...values.subarray(300)])
    } finally {
      await opened.release()
    }
  })
})
