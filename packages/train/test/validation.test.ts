/** Validation: measured when due, the best kept, stopped when stale; all of it the same after an interruption. */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InterruptedError, InvalidCheckpointError, InvalidDataError, NonFiniteError } from '@chainrule/core'
import type { Engine } from '@chainrule/core/tensors'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { decodeBest, eager, encodeBest, evaluate, fit, type FitOptions, readBest, readCheckpoint, type TrainingProgress } from '../src/index.js'
import { bits, data, model, otherData, settings, stateBits } from './counting-model.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-validation-'))
})
afterAll(() => rm(folder, { recursive: true }))

const engine = eager()
const validation = { data: otherData, everySteps: 4 }
const natsPerVariable = async (parameters: Parameters<typeof evaluate>[1]) => {
  const { totalNats, variables } = await evaluate(model, parameters, otherData, { engine })
  return totalNats / variables
}

test('is made when due and after the last update, and changes nothing of the training', async () => {
  const seen: TrainingProgress[] = []
  const plain = await fit(model, data, { ...settings, steps: 10, engine })
  const validated = await fit(model, data, { ...settings, steps: 10, engine, validation, onProgress: (progress) => seen.push(progress) })
  expect(seen.filter(({ validation }) => validation).map(({ step }) => step)).toEqual([4, 8, 10])
  expect(bits(validated.state.parameters)).toEqual(bits(plain.parameters))
  expect(seen.at(-1)!.validation!.nats).toBeCloseTo(await natsPerVariable(plain.parameters), 10)
})

test('the best parameters are the result, not the last ones', async () => {
  const seen: TrainingProgress[] = []
  const trained = await fit(model, data, { ...settings, steps: 100, engine, validation: { ...validation, everySteps: 10 }, onProgress: (progress) => seen.push(progress) })
  const validated = seen.filter(({ validation }) => validation)
  const best = validated.reduce((a, b) => (b.validation!.nats < a.validation!.nats ? b : a))
  expect(best.step).toBeLessThan(100)
  expect(trained.selection).toEqual({ kind: 'last', step: best.step, validationNats: best.validation!.nats })
  expect(await natsPerVariable(trained.parameters)).toBeCloseTo(best.validation!.nats, 10)
  expect(await natsPerVariable(trained.state.parameters)).toBeGreaterThan(best.validation!.nats + 0.1)
  const until = await fit(model, data, { ...settings, steps: 100, engine, validation: { ...validation, everySteps: 10, patience: 3 } })
  expect(until.state.step).toBe(best.step + 30)
  expect(bits(until.parameters)).toEqual(bits(trained.parameters))
})

test('with everything on, an interrupted training goes on exactly, through its files', async () => {
  const all: Omit<FitOptions, 'engine'> = { ...settings, steps: 60, averageDecay: 0.9, accumulation: 2, learningRate: 3e-2, validation: { ...validation, everySteps: 5, patience: 3 } }
  const at = (name: string) => ({ checkpoint: { path: join(folder, name, 'checkpoint.safetensors'), run: { name: 'kept' } }, metrics: { path: join(folder, name, 'metrics.jsonl') } })
  await mkdir(join(folder, 'whole'))
  await mkdir(join(folder, 'broken'))
  const whole = await fit(model, data, { ...all, engine, ...at('whole') })
  expect(whole.state.step).toBeLessThan(60)
  expect(whole.selection.kind).toBe('average')
  expect(whole.state.step - whole.selection.step).toBe(15)
  let state, best
  for (const stopAt of [3, 5, 12, whole.selection.step + 7]) {
    const abort = new AbortController()
    const broken = fit(model, data, { ...all, engine, ...at('broken'), state, best, signal: abort.signal, onProgress: ({ step }) => step === stopAt && abort.abort() })
    await expect(broken).rejects.toThrow(InterruptedError)
    ;({ state } = await readCheckpoint(join(folder, 'broken', 'checkpoint.safetensors')))
    expect(state.step).toBe(stopAt)
    best = state.best && (await readBest(join(folder, 'broken', 'best.safetensors'))).best
  }
  const resumed = await fit(model, data, { ...all, engine, ...at('broken'), state, best })
  expect(stateBits(resumed.state)).toEqual(stateBits(whole.state))
  expect(bits(resumed.parameters)).toEqual(bits(whole.parameters))
  expect(resumed.selection).toEqual(whole.selection)
  expect(await readFile(join(folder, 'broken', 'best.safetensors'))).toEqual(await readFile(join(folder, 'whole', 'best.safetensors')))
  // One that has stopped for want of improvement stays as it is.
  const again = await fit(model, data, { ...all, engine, state: resumed.state, best })
  expect(stateBits(again.state)).toEqual(stateBits(whole.state))
  const lines = async (name: string) => (await readFile(join(folder, name, 'metrics.jsonl'), 'utf8')).trim().split('\n').map((line) => ({ ...JSON.parse(line), variablesPerSecond: 0 }))
  expect(await lines('broken')).toEqual(await lines('whole'))
})

test('best parameters that were kept just before a kill are found again', async () => {
  const path = join(folder, 'checkpoint.safetensors')
  const options = { ...settings, steps: 12, engine, validation }
  const whole = await fit(model, data, { ...options, checkpoint: { path, run: {} } })
  const abort = new AbortController()
  await expect(fit(model, data, { ...options, checkpoint: { path: join(folder, 'early.safetensors'), bestPath: join(folder, 'early-best.safetensors'), run: {} }, signal: abort.signal, onProgress: ({ step }) => step === 6 && abort.abort() })).rejects.toThrow(InterruptedError)
  const { state } = await readCheckpoint(join(folder, 'early.safetensors'))
  const { best: newer } = await readBest(join(folder, 'best.safetensors'))
  expect(newer.step).toBeGreaterThan(state.step)
  const resumed = await fit(model, data, { ...options, state, best: newer })
  expect(stateBits(resumed.state)).toEqual(stateBits(whole.state))
  expect(bits(resumed.parameters)).toEqual(bits(whole.parameters))
})

test('what does not fit is refused with a reason', async () => {
  const { state, parameters } = await fit(model, data, { ...settings, steps: 4, engine, validation })
  const go = (more: object) => fit(model, data, { ...settings, engine, state, ...more })
  await expect(go({})).rejects.toThrow(/has validated \(best: update 4\); go on with the same validation/)
  await expect(go({ validation })).rejects.toThrow(InvalidCheckpointError)
  await expect(go({ validation, best: { step: 3, nats: 1, parameters } })).rejects.toThrow(/its best parameters are those of update 3/)
  await expect(go({ validation: { ...validation, everySteps: 0 } })).rejects.toThrow(/everySteps must be a whole number/)
  await expect(go({ validation: { ...validation, patience: 0 } })).rejects.toThrow(/patience must be a whole number/)
  await expect(go({ validation: { ...validation, fraction: 1 } })).rejects.toThrow(/unknown option "fraction"/)
  await expect(fit(model, data, { ...settings, engine, validation: { ...validation, data: { length: 0, at: data.at } } })).rejects.toThrow(InvalidDataError)
  expect(() => decodeBest(encodeBest({ best: { step: -1, nats: 1, parameters }, run: {} }), 'a file')).toThrow(/a file: its metadata lacks step or nats/)
})

test('nats that are not a number stop the training', async () => {
  const broken: Engine = {
    name: 'evaluates to nothing',
    async compile(program, specification) {
      const compiled = await engine.compile(program, specification)
      return { ...compiled, run: async (inputs) => ({ ...(await compiled.run(inputs)), logProbability: new Float32Array(1000).fill(NaN) }) }
    },
  }
  await expect(fit(model, data, { ...settings, engine: broken, validation })).rejects.toThrow(NonFiniteError)
})
