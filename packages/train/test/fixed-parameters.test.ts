/** Networks that are counted, and parameters that updates leave as they are. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidDataError, InvalidOptionError, leftToRight, type ParameterArrays } from '@chainrule/core'
import { categorical, createModel, type Network } from '@chainrule/core/tensors'
import { mixture, mixtureParameters, ngram, transformer } from '@chainrule/networks'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Data, eager, evaluate, fit, type FitOptions, readCheckpoint, train } from '../src/index.js'
import { bits, data, settings, stateBits } from './counting-model.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-fixed-'))
})
afterAll(() => rm(folder, { recursive: true }))

const engine = eager()
const modelOf = (network: Network) => createModel({ domain: { length: 'variable', components: 1, values: 4 }, order: leftToRight(), network, head: categorical() })
const counted = modelOf(ngram({ order: 3, minimumCount: 1 }))
/** x(i+1) = x(i) + 1 modulo 4, as `data` has it. */
const sequences = [0, 1, 2, 3].map((first) => Array.from({ length: 30 }, (_, i) => (first + i) % 4))
const countedData: Data = { ...data, sequences }
const small = transformer({ layers: 1, heads: 2, width: 8, context: 4 })

test('fit counts a network that is counted, and asks for no steps', async () => {
  const trained = await fit(counted, countedData, { engine, length: 6 })
  expect(trained).toMatchObject({ selection: { kind: 'last', step: 0 }, state: { step: 0, firstMoments: {}, secondMoments: {} } })
  const { totalNats, variables } = await evaluate(counted, trained.parameters, data, { engine })
  expect(totalNats / variables).toBeLessThan(0.35)
  const path = join(folder, 'counted.safetensors')
  await fit(counted, countedData, { engine, length: 6, checkpoint: { path, run: { note: 'kept' } } })
  const { state, run } = await readCheckpoint(path)
  expect(run).toEqual({ note: 'kept' })
  expect(bits(state.parameters)).toEqual(bits(trained.parameters))
})

test('examples that are whole are counted as they are; pieces need the sequences', async () => {
  const whole: Data = { length: 4, at: (i) => ({ x: Int32Array.from(sequences[i]) }) }
  const [a, b] = [await fit(counted, whole, { engine }), await fit(counted, countedData, { engine })]
  expect(bits(a.parameters)).toEqual(bits(b.parameters))
  await expect(fit(counted, data, { engine })).rejects.toThrow(InvalidDataError)
})

test('what only updates have a use for is refused', async () => {
  for (const option of [{ steps: 10 }, { seed: 1 }, { learningRate: 0.1 }, { from: {} }, { validation: { data, everySteps: 1 } }] as Partial<FitOptions>[]) {
    await expect(fit(counted, countedData, { engine, ...option })).rejects.toThrow(new RegExp(`ngram is counted, not trained by updates, so ${Object.keys(option)[0]} would change nothing`))
  }
  await expect(train(counted, data, { ...settings, engine, from: counted.initialize(1) }).next()).rejects.toThrow(/ngram has no parameters that updates change/)
  await expect(fit(modelOf(small), data, { engine, length: 6 })).rejects.toThrow(/steps must be a whole number/)
})

/** A mixture whose n-gram is counted, with an average, weight decay, and two micro-batches. */
const mixed = modelOf(mixture({ networks: [small, ngram({ order: 3, minimumCount: 1 })], trainNetworks: true }))
const mixedSettings = { ...settings, steps: 6, weightDecay: 0.5, averageDecay: 0.5, accumulation: 2, engine }
const beginning = (): ParameterArrays => mixtureParameters(mixed.initialize(5), [modelOf(small).initialize(5), counted.count!(sequences)])

test('updates leave fixed parameters alone: no moments, no decay, no average, and the rest is trained', async () => {
  const from = beginning()
  const trained = await fit(mixed, data, { ...mixedSettings, from })
  const fixed = ['network/1/next', 'network/1/logits']
  for (const name of fixed) expect(bits({ [name]: trained.parameters[name] })).toEqual(bits({ [name]: from[name] }))
  for (const part of ['firstMoments', 'secondMoments', 'average'] as const) expect(Object.keys(trained.state[part]!).sort()).toEqual(Object.keys(from).filter((name) => !fixed.includes(name)).sort())
  for (const [name, { data }] of Object.entries(from)) if (!fixed.includes(name)) expect([...trained.parameters[name].data], name).not.toEqual([...data])
  const before = await evaluate(mixed, from, data, { engine })
  expect((await evaluate(mixed, trained.parameters, data, { engine })).totalNats).toBeLessThan(before.totalNats)
})

test('a training with fixed parameters goes on bit for bit, through the file', async () => {
  const path = join(folder, 'mixed.safetensors')
  const whole = await fit(mixed, data, { ...mixedSettings, from: beginning(), checkpoint: { path, run: {} } })
  expect(stateBits((await readCheckpoint(path)).state)).toEqual(stateBits(whole.state))
  const updates = train(mixed, data, { ...mixedSettings, from: beginning() })
  for (let step = 0; step < 3; step++) await updates.next()
  const { value } = await updates.next()
  const state = await (value as { state(): Promise<typeof whole.state> }).state()
  await updates.return(undefined as never)
  const resumed = await fit(mixed, data, { ...mixedSettings, state })
  expect(stateBits(resumed.state)).toEqual(stateBits(whole.state))
})

test('fixed parameters have to be known before', async () => {
  await expect(fit(mixed, data, mixedSettings)).rejects.toThrow(InvalidOptionError)
  await expect(fit(mixed, data, mixedSettings)).rejects.toThrow(/"network\/1\/next" of mixture is not changed by updates, so it must be known before: give the parameters to begin with \(from\)/)
  const { 'network/1/next': _, ...incomplete } = beginning()
  await expect(fit(mixed, data, { ...mixedSettings, from: incomplete })).rejects.toThrow(/"network\/1\/next" is absent/)
})
