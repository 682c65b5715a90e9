/** Recorded = eager, for whole training steps: loss, gradient norm, parameters and both moments after several updates of AdamW. */
import '@tensorflow/tfjs-backend-cpu'
import { randomValues, shaken } from '@chainrule/conformance'
import { createModel } from '@chainrule/core/tensors'
import { onnx } from '@chainrule/onnx'
import { type Data, eager, initialState, train, type Trained } from '@chainrule/train'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Combination, fixedLengthCombinations, pairwise, variableLengthCombinations } from '../eager/combinations.js'

const isLong = Boolean(process.env.CHAINRULE_LONG)
const fixed = fixedLengthCombinations()
const combinations = [...(isLong ? fixed : pairwise(fixed)), ...variableLengthCombinations()].map((combination): [string, Combination] => [combination.title, combination])

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('recorded = eager, over training steps', () => {
  it.each(combinations)('%s', async (_, pieces) => {
    const model = createModel(pieces)
    const { domain } = pieces
    const length = domain.length === 'variable' ? 6 : domain.length
    const values = randomValues(7, domain.values, 40 * (length + 1))
    const data: Data = {
      length: 40,
      at: (i) => ({ x: values.slice(i * (length + 1) + 1, (i + 1) * (length + 1)), ...(domain.length === 'variable' && i % 3 > 0 && { previous: values.slice(i * (length + 1), i * (length + 1) + 1) }) }),
    }
    // Shaken: equal logits give gradients that cancel, and AdamW makes whole steps of what rounding leaves of them.
    const start = initialState(model, 2)
    const state = { ...start, parameters: shaken(start.parameters, 2) }
    const run = async (engine: ReturnType<typeof eager>) => {
      const told: number[] = []
      const updates = train(model, data, { engine, state, steps: 4, batchSize: 5, seed: 2, learningRate: 1e-2, ...(domain.length === 'variable' && { length }) })
      for (;;) {
        const next = await updates.next()
        if (next.done) return { told, trained: next.value as Trained }
        told.push(next.value.nats, next.value.gradientNorm)
      }
    }
    const [recorded, reference] = [await run(onnx({ threads: 1 })), await run(eager('cpu'))]
    recorded.told.forEach((value, i) => expect(Math.abs(value - reference.told[i]), `${i % 2 ? 'gradient norm' : 'loss'} of update ${Math.floor(i / 2)}`).toBeLessThan(1e-4))
    for (const part of ['parameters', 'firstMoments', 'secondMoments'] as const) {
      for (const [name, { data: expected }] of Object.entries(reference.trained.state[part])) {
        const got = recorded.trained.state[part][name].data
        // AdamW divides by the root of the second moment: where a gradient is almost 0, its rounding decides the direction of a whole step.
        const tolerance = part === 'parameters' ? 2e-3 : 1e-4
        got.forEach((value, i) => expect(Math.abs(value - expected[i]), `${part} ${name} [${i}]: ${value} against ${expected[i]}`).toBeLessThan(tolerance * Math.max(1, Math.abs(expected[i]))))
      }
    }
  })
})
