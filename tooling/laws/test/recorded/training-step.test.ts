/** Recorded = eager, for whole training steps: loss, gradient norm, parameters and both moments after several updates of AdamW. */
import '@tensorflow/tfjs-backend-cpu'
import { randomConditions, randomRows, shaken } from '@chainrule/conformance'
import { createModel } from '@chainrule/core/tensors'
import { onnx } from '@chainrule/onnx'
import { type Data, eager, initialState, train, type Trained } from '@chainrule/train'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Combination, componentCombinations, conditionalCombinations, endedCombinations, fixedLengthCombinations, pairwise, realCombinations, variableLengthCombinations, wideCombinations } from '../eager/combinations.js'

const isLong = Boolean(process.env.CHAINRULE_LONG)
const fixed = fixedLengthCombinations()
// The n-gram alone is counted: it has no training step.
const trained = [...(isLong ? fixed : pairwise(fixed)), ...variableLengthCombinations(), ...endedCombinations(), ...componentCombinations(), ...realCombinations(), ...wideCombinations().slice(1), ...conditionalCombinations().filter((_, i) => isLong || i % 3 === 1)].filter(({ network }) => network.name !== 'ngram')
const combinations = trained.map((combination): [string, Combination] => [combination.title, combination])

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('recorded = eager, over training steps', () => {
  it.each(combinations)('%s', async (_, pieces) => {
    const model = createModel(pieces)
    const { domain } = pieces
    const length = domain.length === 'variable' ? 6 : domain.length
    const C = domain.components
    const values = randomRows(7, { ...domain, end: undefined }, 40, length + 1)
    const { condition } = pieces
    const isEnded = domain.end !== undefined
    const isPacked = isEnded && !condition && model.boundNetwork.packs === true
    const data: Data = {
      length: 40,
      at(i) {
        const variables = (from: number, to: number) => values.slice((i * (length + 1) + from) * C, (i * (length + 1) + to) * C)
        const [previous, x] = [variables(0, 1), variables(1, length + 1)]
        const continues = domain.length === 'variable' && i % 3 > 0
        // With an end, where the network takes them side by side: several documents, a new one wherever the last has ended.
        const isStart = isPacked && Uint8Array.from(x, (_, at) => ((at === 0 ? !continues || previous[0] === domain.end : x[at - 1] === domain.end) ? 1 : 0))
        if (isEnded && !isPacked && x.includes(domain.end!)) x.fill(domain.end!, x.indexOf(domain.end!))
        if (isEnded && !isPacked && previous[0] === domain.end) previous[0] = 0
        return { x, ...(condition && { condition: randomConditions(i, condition, 1, length) }), ...(continues && { previous }), ...(isStart && { isStart }) }
      },
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
    recorded.told.forEach((value, i) => expect(Math.abs(value - reference.told[i]), `${i % 2 ? 'gradient norm' : 'loss'} of update ${Math.floor(i / 2)}`).toBeLessThan(1e-4 * Math.max(1, Math.abs(value))))
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
