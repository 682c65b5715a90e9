/** What an update may be besides AdamW on one batch: accumulated gradients, averaged parameters, known parameters to begin with. */
import { InvalidCheckpointError, InvalidOptionError, type ParameterArrays } from '@chainrule/core'
import { createModel } from '@chainrule/core/tensors'
import { transformer } from '@chainrule/networks'
import { expect, test } from 'vitest'
import { averageRate, eager, fit, stateOf, train, type TrainingState } from '../src/index.js'
import { bits, data, model, settings, stateBits } from './counting-model.js'

const engine = eager()

/** The largest difference of two records of parameters. */
const distance = (a: ParameterArrays, b: ParameterArrays) => Math.max(...Object.entries(a).flatMap(([name, { data }]) => [...data].map((value, i) => Math.abs(value - b[name].data[i]))))

test('n micro-batches are one batch of n times the size', async () => {
  const told: number[][] = []
  const run = async (batchSize: number, accumulation: number) => {
    const numbers: number[] = []
    // One that is clipped in some updates, and averaged.
    const trained = await fit(model, data, { ...settings, batchSize, accumulation, averageDecay: 0.8, clipNorm: 1.2, engine, onProgress: ({ nats, gradientNorm }) => numbers.push(nats, gradientNorm) })
    told.push(numbers)
    return trained.state
  }
  const [whole, parts] = [await run(12, 1), await run(3, 4)]
  told[0].forEach((value, i) => expect(told[1][i]).toBeCloseTo(value, 4))
  expect(Math.max(...told[0].filter((_, i) => i % 2))).toBeGreaterThan(1.2)
  expect(Math.min(...told[0].filter((_, i) => i % 2))).toBeLessThan(1.2)
  for (const part of ['firstMoments', 'secondMoments'] as const) expect(distance(whole[part], parts[part])).toBeLessThan(1e-4)
  // AdamW divides by the root of the second moment: where a gradient is almost 0, its rounding decides the direction of a step.
  for (const part of ['parameters', 'average'] as const) expect(distance(whole[part]!, parts[part]!)).toBeLessThan(2e-3)
  expect(distance(whole.parameters, model.initialize(settings.seed))).toBeGreaterThan(0.05)
})

test('the average is the one of the formula, and the result', async () => {
  const expected = Object.fromEntries(Object.entries(model.initialize(settings.seed)).map(([name, { data }]) => [name, Float64Array.from(data)]))
  const updates = train(model, data, { ...settings, engine, averageDecay: 0.7 })
  for (;;) {
    const next = await updates.next()
    if (next.done) {
      const { parameters, selection, state } = next.value
      for (const [name, { data }] of Object.entries(parameters)) data.forEach((value, i) => expect(value).toBeCloseTo(expected[name][i], 5))
      expect(selection).toEqual({ kind: 'average', step: 12 })
      expect(bits(parameters)).toEqual(bits(state.average!))
      expect(distance(parameters, state.parameters)).toBeGreaterThan(1e-3)
      break
    }
    const { step, state } = next.value
    for (const [name, { data }] of Object.entries((await state()).parameters)) {
      const decay = Math.min(0.7, step / (9 + step))
      data.forEach((value, i) => (expected[name][i] = decay * expected[name][i] + (1 - decay) * value))
    }
  }
  expect(averageRate(1e6, 0.999)).toBeCloseTo(1e-3, 12)
  expect(averageRate(5, 0)).toBe(0)
})

test('the average leaves the parameters alone, and goes on exactly', async () => {
  const plain = await fit(model, data, { ...settings, engine })
  const whole = await fit(model, data, { ...settings, engine, averageDecay: 0.9 })
  expect(bits(whole.state.parameters)).toEqual(bits(plain.parameters))
  let state: TrainingState | undefined
  for await (const progress of train(model, data, { ...settings, engine, averageDecay: 0.9 })) {
    if (progress.step < 7) continue
    state = await progress.state()
    break
  }
  expect(state!.step).toBe(7)
  const resumed = await fit(model, data, { ...settings, engine, averageDecay: 0.9, state })
  expect(stateBits(resumed.state)).toEqual(stateBits(whole.state))
  await expect(fit(model, data, { ...settings, engine, state })).rejects.toThrow(/holds an average of the parameters, but averageDecay is 0/)
  await expect(fit(model, data, { ...settings, engine, averageDecay: 0.9, state: { ...state!, average: undefined } })).rejects.toThrow(InvalidCheckpointError)
})

test('from: a training that begins with known parameters', async () => {
  const { parameters } = await fit(model, data, { ...settings, steps: 60, engine })
  const losses: number[] = []
  const tuned = await fit(model, data, { ...settings, engine, from: parameters, onProgress: ({ nats }) => losses.push(nats) })
  expect(losses[0]).toBeLessThan(1)
  expect(tuned.state.step).toBe(12)
  const same = await fit(model, data, { ...settings, engine, state: stateOf(model, parameters) })
  expect(bits(tuned.parameters)).toEqual(bits(same.parameters))
  await expect(fit(model, data, { ...settings, engine, from: parameters, state: tuned.state })).rejects.toThrow(InvalidOptionError)
  const wider = createModel({ ...model, network: transformer({ layers: 1, heads: 2, width: 16, context: 4 }) })
  await expect(fit(wider, data, { ...settings, engine, from: parameters })).rejects.toThrow(/from holds parameters of another model: "network\/embedding" is \[5,8\], expected \[5,16\]/)
  const deeper = createModel({ ...model, network: transformer({ layers: 2, heads: 2, width: 8, context: 4 }) })
  await expect(fit(deeper, data, { ...settings, engine, from: parameters })).rejects.toThrow(/is absent, expected \[/)
})
