import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InterruptedError, InvalidCheckpointError, InvalidDataError, InvalidOptionError, NonFiniteError, uniformIndex } from '@chainrule/core'
import { createModel, type Engine } from '@chainrule/core/tensors'
import { transformer } from '@chainrule/networks'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { decodeCheckpoint, drawBatches, eager, encodeCheckpoint, evaluate, fit, initialState, readCheckpoint, train, type TrainingProgress, writeCheckpoint } from '../src/index.js'
import { bits, data, model, settings } from './counting-model.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-train-'))
})
afterAll(() => rm(folder, { recursive: true }))

test('training lowers the loss and evaluation agrees with it', async () => {
  const losses: number[] = []
  const before = await evaluate(model, model.initialize(5), data, { engine: eager(), batchSize: 7 })
  const trained = await fit(model, data, { ...settings, steps: 80, engine: eager(), onProgress: ({ nats }) => losses.push(nats) })
  const after = await evaluate(model, trained.parameters, data, { engine: eager(), batchSize: 7 })
  expect(losses).toHaveLength(80)
  expect(before).toMatchObject({ variables: 240, examples: 40 })
  expect(before.totalNats / before.variables).toBeCloseTo(Math.log(4), 1)
  expect(after.totalNats / after.variables).toBeLessThan(0.5)
  const whole = await evaluate(model, trained.parameters, data, { engine: eager(), batchSize: 64 })
  expect(whole.totalNats).toBeCloseTo(after.totalNats, 3)
})

test('a resumed run equals an uninterrupted one, bit for bit, through the file', async () => {
  const whole = await fit(model, data, { ...settings, engine: eager() })
  const path = join(folder, 'resume.safetensors')
  const abort = new AbortController()
  const interrupted = fit(model, data, {
    ...settings,
    engine: eager(),
    signal: abort.signal,
    checkpoint: { path, run: { note: 'kept' } },
    onProgress: ({ step }) => step === 5 && abort.abort(),
  })
  await expect(interrupted).rejects.toThrow(InterruptedError)
  const { state, run } = await readCheckpoint(path)
  expect(run).toEqual({ note: 'kept' })
  expect(state.step).toBe(5)
  const resumed = await fit(model, data, { ...settings, engine: eager(), state })
  expect(bits(resumed.parameters)).toEqual(bits(whole.parameters))
  expect(bits(resumed.state.secondMoments)).toEqual(bits(whole.state.secondMoments))
})

test('step 0 is on disk before the first update, and no temporary file stays', async () => {
  const path = join(folder, 'first.safetensors')
  let first: Promise<Buffer> | undefined
  await fit(model, data, { ...settings, steps: 2, engine: eager(), checkpoint: { path, run: {} }, onProgress: ({ step }) => step === 1 && (first = readFile(path)) })
  expect(decodeCheckpoint(await first!, path).state.step).toBe(0)
  expect((await readCheckpoint(path)).state.step).toBe(2)
  expect((await readdir(folder)).filter((name) => name.includes('partial'))).toEqual([])
})

test('what a killed program left of a checkpoint is overwritten', async () => {
  const path = join(folder, 'killed.safetensors')
  await writeFile(`${path}.partial`, 'x'.repeat(1_000_000))
  await writeCheckpoint(path, { state: initialState(model, 1), run: {} })
  expect((await readCheckpoint(path)).state.step).toBe(0)
  expect((await readdir(folder)).filter((name) => name.includes('partial'))).toEqual([])
})

test('batches are a function of seed and step, and cover the data evenly', () => {
  const draw = (seed: number, step: number) => [...drawBatches(data, { seed, batchSize: 3, accumulation: 1 }, step, { length: 6, components: 1, values: 2 })[0].x]
  expect(draw(1, 7)).toEqual(draw(1, 7))
  expect(draw(1, 7)).not.toEqual(draw(1, 8))
  expect(draw(1, 7)).not.toEqual(draw(2, 7))
  const counts = new Float64Array(10)
  for (let step = 0; step < 10_000; step++) counts[uniformIndex(10, 3, 'batches', step)]++
  const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)
  expect(chiSquare).toBeLessThan(38) // 9 degrees of freedom: exceeded by chance with probability 2e-5; the seed is fixed
})

test('a loss that is not a number stops the run and never reaches the checkpoint', async () => {
  const path = join(folder, 'finite.safetensors')
  const broken: Engine = {
    name: 'breaks at the third run',
    async compile(program, specification) {
      const compiled = await eager().compile(program, specification)
      let runs = 0
      return { ...compiled, run: async (inputs) => (++runs < 3 ? compiled.run(inputs) : { ...(await compiled.run(inputs)), nats: Float32Array.of(NaN) }) }
    },
  }
  await expect(fit(model, data, { ...settings, engine: broken, checkpoint: { path, run: {}, everySeconds: 0 } })).rejects.toThrow(NonFiniteError)
  expect((await readCheckpoint(path)).state.step).toBe(2)
})

test('what does not fit is refused with a reason', async () => {
  await expect(fit(model, { length: 0, at: data.at }, { ...settings, engine: eager() })).rejects.toThrow(InvalidDataError)
  await expect(fit(model, data, { ...settings, engine: eager(), batchSize: 0 })).rejects.toThrow(/batchSize must be a whole number/)
  await expect(fit(model, data, { ...settings, engine: eager(), ...{ momentum: 1 } })).rejects.toThrow(/unknown option "momentum"/)
  await expect(fit(model, data, { ...settings, engine: eager('none') })).rejects.toThrow(/No tfjs backend/)
  await expect(fit(model, data, { ...settings, length: undefined, engine: eager() })).rejects.toThrow(InvalidOptionError)
  await expect(fit(model, data, { ...settings, length: 7, engine: eager() })).rejects.toThrow(/expected 7 variables/)
  const other = createModel({ ...model, network: transformer({ layers: 1, heads: 1, width: 4, context: 4 }) })
  await expect(fit(model, data, { ...settings, engine: eager(), state: initialState(other, 0) })).rejects.toThrow(InvalidCheckpointError)
  await expect(fit(model, data, { ...settings, engine: eager(), state: { ...initialState(model, 0), step: 99 } })).rejects.toThrow(/99 updates/)
})

test('each option changes the result', async () => {
  const run = async (more: object) => bits((await fit(model, data, { ...settings, steps: 5, warmupSteps: 1, engine: eager(), ...more })).parameters)
  const plain = await run({})
  const variants = [{ seed: 6 }, { batchSize: 4 }, { learningRate: 2e-2 }, { minimumLearningRate: 0 }, { warmupSteps: 0 }, { decay: 'linear' }, { weightDecay: 0 }, { beta1: 0.5 }, { beta2: 0.9 }, { clipNorm: 0.01 }, { accumulation: 2 }, { averageDecay: 0.9 }]
  for (const variant of variants) expect(await run(variant), JSON.stringify(variant)).not.toEqual(plain)
})

test('damaged checkpoints give a named error, never another one', () => {
  const bytes = encodeCheckpoint({ state: initialState(model, 1), run: { a: 1 } })
  let refused = 0
  for (let mutation = 0; mutation < 400; mutation++) {
    const damaged = mutation % 4 === 0 ? bytes.slice(0, uniformIndex(bytes.length, 9, 'sampling', mutation)) : bytes.slice()
    if (mutation % 4 !== 0) damaged[uniformIndex(Math.min(bytes.length, 3000), 9, 'sampling', mutation, 1)] ^= 1 << (mutation % 8)
    try {
      decodeCheckpoint(damaged, 'damaged')
    } catch (error) {
      refused++
      expect(error instanceof InvalidDataError || error instanceof InvalidCheckpointError, String(error)).toBe(true)
    }
  }
  expect(refused).toBeGreaterThan(100)
})

test('the generator yields every update with rate and time left', async () => {
  const seen: TrainingProgress[] = []
  for await (const progress of train(model, data, { ...settings, steps: 4, engine: eager() })) seen.push(progress)
  expect(seen.map(({ step }) => step)).toEqual([1, 2, 3, 4])
  expect(seen[3].secondsLeft).toBe(0)
  expect(seen[1].variablesPerSecond).toBeGreaterThan(0)
  expect(seen[0].gradientNorm).toBeGreaterThan(0)
})
