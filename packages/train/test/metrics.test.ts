/** The metrics file: a line for each update that is due, each step once, whatever happened. And previews. */
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eager, fit, type TrainingState } from '../src/index.js'
import { bits, data, model, otherData, settings } from './counting-model.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-metrics-'))
})
afterAll(() => rm(folder, { recursive: true }))

const engine = eager()
const linesOf = async (path: string) => (await readFile(path, 'utf8')).split('\n').slice(0, -1).map((line) => JSON.parse(line))

test('has a line for every so many updates, for each validation and for the last update', async () => {
  const path = join(folder, 'metrics.jsonl')
  await fit(model, data, { ...settings, steps: 11, engine, metrics: { path, everySteps: 4 }, validation: { data: otherData, everySteps: 5 } })
  const lines = await linesOf(path)
  expect(lines.map(({ step }) => step)).toEqual([4, 5, 8, 10, 11])
  expect(lines.map((line) => 'validationNats' in line)).toEqual([false, true, false, true, true])
  for (const { nats, gradientNorm, learningRate, variablesPerSecond } of lines) for (const value of [nats, gradientNorm, learningRate, variablesPerSecond]) expect(value).toBeGreaterThan(0)
})

test('going on drops what came after the checkpoint, and torn lines', async () => {
  const path = join(folder, 'again.jsonl')
  let at5: TrainingState | undefined
  await fit(model, data, { ...settings, steps: 9, engine, metrics: { path }, onProgress: (progress) => void (progress.step === 5 && progress.state().then((state) => (at5 = state))) })
  const first = await linesOf(path)
  await appendFile(path, '{"step":10,"na')
  expect(at5!.step).toBe(5)
  await fit(model, data, { ...settings, steps: 9, engine, metrics: { path }, state: at5 })
  const second = await linesOf(path)
  const numbers = (lines: object[]) => lines.map((line) => ({ ...line, variablesPerSecond: 0 }))
  expect(second.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect(numbers(second)).toEqual(numbers(first))
  expect(second.slice(0, 5)).toEqual(first.slice(0, 5))
  await expect(fit(model, data, { ...settings, engine, metrics: { path, everySteps: 0 } })).rejects.toThrow(/everySteps must be a whole number/)
})

test('previews are given the parameters of their update, and change nothing', async () => {
  const plain = await fit(model, data, { ...settings, steps: 7, engine, averageDecay: 0.5 })
  const shown: [number, Record<string, string>][] = []
  const previewed = await fit(model, data, { ...settings, steps: 7, engine, averageDecay: 0.5, preview: { everySteps: 3, show: (parameters, step) => void shown.push([step, bits(parameters)]) } })
  expect(bits(previewed.parameters)).toEqual(bits(plain.parameters))
  expect(shown.map(([step]) => step)).toEqual([3, 6])
  const three = await fit(model, data, { ...settings, steps: 7, engine, averageDecay: 0.5, preview: { everySteps: 7, show: (parameters, step) => void shown.push([step, bits(parameters)]) } })
  expect(shown[2]).toEqual([7, bits(three.state.average!)])
  await expect(fit(model, data, { ...settings, engine, preview: { everySteps: 0, show: () => undefined } })).rejects.toThrow(/preview: everySteps/)
})
