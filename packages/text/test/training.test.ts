/** Training on a text with the recorded engine: validation, averages, accumulation, previews, fine-tuning, plans, runs. */
import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import '@tensorflow/tfjs-backend-cpu'
import { InterruptedError, InvalidCheckpointError, InvalidDataError, InvalidOptionError, type ParameterArrays } from '@chainrule/core'
import { readBest, resolveSettings, type TrainingState } from '@chainrule/train'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  bestFile,
  categorical,
  character,
  checkpointFile,
  contextOf,
  createRunDirectory,
  describeData,
  describeRun,
  eager,
  evaluate,
  exportModel,
  fit,
  type FitTextOptions,
  loadModel,
  metricsFile,
  modelOf,
  plan,
  readRun,
  sample,
  splitHeldOut,
  splitValidation,
  textModel,
  trainedOf,
  trainingEnd,
  transformer,
} from '../src/index.js'

const text = 'abcdefghijklmnopqrstuvwxyz\n'.repeat(30)
const pieces = () => ({ tokenizer: character({ characters: text }), network: transformer({ layers: 1, heads: 2, width: 16, context: 8 }), head: categorical({ tied: true }) })
const model = textModel(pieces())
const settings = { steps: 24, batchSize: 4, seed: 1, learningRate: 2e-2, threads: 1 }
/** The last letters are in another order: what is learned helps at first, then hurts. */
const validation = { text: `${text}acbdfeghjilkmonprqstvuwyxz\n`.repeat(2), begin: text.length, end: text.length + 27, everySteps: 4 }

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-training-'))
})
afterAll(() => rm(folder, { recursive: true }))

const bits = (parameters: ParameterArrays = {}) => Object.entries(parameters).map(([name, { data }]) => [name, Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')])
const stateBits = ({ step, best, parameters, firstMoments, secondMoments, average }: TrainingState) => [step, best, ...[parameters, firstMoments, secondMoments, average].map(bits)]

/** A run as the command line makes it. @param described whose pieces it is said to have */
async function fitRun(name: string, more: Partial<FitTextOptions> = {}, described = model) {
  const directory = join(folder, name)
  const isResumed = more.state !== undefined
  const path = isResumed ? join(directory, checkpointFile) : await createRunDirectory(directory)
  const heldOut = splitHeldOut(text, 0.1)
  const data = describeData('alphabet.txt', text, { ...heldOut, validationBegin: splitValidation(text, heldOut.begin, 0.1) })
  const { threads: _threads, ...known } = settings
  const resolved = resolveSettings({ ...known, seed: more.seed ?? known.seed, averageDecay: 0.8, accumulation: 2 })
  const description = describeRun(described, contextOf(model.model)!, resolved, data, { validation: { everySteps: 5, patience: 20 } })
  return fit(model, text.slice(0, trainingEnd(data)), {
    ...resolved,
    threads: 1,
    validation: { ...description.validation!, text, begin: data.validationBegin, end: data.heldOutBegin },
    checkpoint: { path, run: description },
    metrics: { path: join(directory, metricsFile) },
    ...more,
  })
}

describe('the recorded engine', () => {
  test('accumulates and averages as the eager one does', async () => {
    const run = (more: object) => fit(model, text, { ...settings, steps: 6, accumulation: 3, averageDecay: 0.8, ...more })
    const [recorded, reference] = [(await run({})).state, (await run({ engine: eager('cpu') })).state]
    for (const part of ['parameters', 'average'] as const) {
      for (const [name, { data }] of Object.entries(reference[part]!)) data.forEach((value, i) => expect(Math.abs(recorded[part]![name].data[i] - value), `${part} ${name}`).toBeLessThan(2e-3))
    }
  })

  test('goes on exactly with everything on, as a run', async () => {
    const whole = await fitRun('whole')
    expect(whole.selection.kind).toBe('average')
    const abort = new AbortController()
    await expect(fitRun('broken', { signal: abort.signal, onProgress: ({ step }) => step === 13 && abort.abort() })).rejects.toThrow(InterruptedError)
    const { state, best } = await readRun(join(folder, 'broken'))
    expect([state.step, best!.step]).toEqual([13, state.best!.step])
    const resumed = await fitRun('broken', { state, best })
    expect(stateBits(resumed.state)).toEqual(stateBits(whole.state))
    expect(bits(resumed.parameters)).toEqual(bits(whole.parameters))
    const again = trainedOf(await readRun(join(folder, 'broken')))
    expect(bits(again.parameters)).toEqual(bits(whole.parameters))
    expect(again.selection).toEqual(whole.selection)
    expect((await readdir(join(folder, 'broken'))).sort()).toEqual([bestFile, checkpointFile, metricsFile])
  })

  test('is counted as the eager one is, whose primitives are composed', async () => {
    const [recorded, reference] = [await plan(model, settings), await plan(model, { ...settings, engine: eager('cpu') })].map(({ forwardOperations, backwardOperations }) => [forwardOperations, backwardOperations])
    expect(recorded).toEqual(reference)
  })
})

describe('validation', () => {
  test('is evaluation of that part, and chooses the parameters that are evaluated, sampled and exported', async () => {
    const seen: [number, number][] = []
    const trained = await fit(model, text, { ...settings, steps: 60, validation, onProgress: ({ step, validation }) => validation && seen.push([step, validation.nats]) })
    const [step, nats] = seen.reduce((a, b) => (b[1] < a[1] ? b : a))
    expect(step).toBeLessThan(60)
    expect(trained.selection).toEqual({ kind: 'last', step, validationNats: nats })
    expect((await evaluate(trained, validation.text, { begin: validation.begin, end: validation.end, threads: 1 })).natsPerToken).toBeCloseTo(nats, 8)
    const last = { ...trained, parameters: trained.state.parameters }
    expect((await evaluate(last, validation.text, { begin: validation.begin, end: validation.end, threads: 1 })).natsPerToken).toBeGreaterThan(nats)
    expect(await sample(trained, { length: 50, seed: 3 })).not.toEqual(await sample(last, { length: 50, seed: 3 }))
    await exportModel(trained, join(folder, 'chosen'))
    const loaded = await loadModel(join(folder, 'chosen'), { provider: 'cpu' })
    try {
      expect(loaded.manifest.card.training).toMatchObject({ updates: 60, parametersKept: 'last', parametersOfUpdate: step, validationNatsPerToken: nats })
      expect(bits((await modelOf(loaded)).parameters).sort()).toEqual(bits(trained.parameters).sort())
    } finally {
      await loaded.release()
    }
  })

  test('has a part of its own, before the held-out one', () => {
    const { begin } = splitHeldOut('x'.repeat(1000), 0.1)
    expect(splitValidation('x'.repeat(1000), begin, 0.05)).toBe(850)
    expect(splitValidation('x'.repeat(1000), begin, 0)).toBeUndefined()
    expect(splitValidation('a👩bcd', 4, 0.3)).toBe(1)
    expect(() => splitValidation('x'.repeat(10), 5, 0.5)).toThrow(/leaves 0 characters to train on/)
    expect(() => splitValidation('x'.repeat(10), 9, 0.6)).toThrow(InvalidOptionError)
  })

  test('a run without its best parameters, or with those of another, is refused', async () => {
    await fitRun('first')
    await fitRun('second', { seed: 2 })
    const [first, second] = [join(folder, 'first'), join(folder, 'second')]
    expect((await readBest(join(first, bestFile))).best.step).toBeGreaterThan(0)
    await rm(join(second, bestFile))
    await expect(readRun(second)).rejects.toThrow(/best\.safetensors is missing/)
    await copyFile(join(second, checkpointFile), join(second, bestFile))
    await expect(readRun(second)).rejects.toThrow(InvalidCheckpointError)
    await copyFile(join(first, bestFile), join(second, bestFile))
    await expect(readRun(second)).rejects.toThrow(/does not belong to the checkpoint beside it/)
  })

  test('a run whose parameters are not those that its pieces have is refused when it is read', async () => {
    const wider = textModel({ ...pieces(), network: transformer({ layers: 1, heads: 2, width: 20, context: 8 }) })
    await fitRun('narrow', { steps: 2 }, wider)
    await expect(readRun(join(folder, 'narrow'))).rejects.toThrow(/parameters are not those of its pieces: "network\/.*" is \[.*16\], expected \[.*20\]\. .*train it anew/)
  })
})

describe('previews', () => {
  test('are what the model would write at that step', async () => {
    const shown: [number, string][] = []
    const trained = await fit(model, text, { ...settings, preview: { everySteps: 12, prompt: 'xyz', length: 10, seed: 7, temperature: 0.5, show: (written, step) => void shown.push([step, written]) } })
    expect(shown.map(([step]) => step)).toEqual([12, 24])
    expect(shown[1][1]).toBe((await sample(trained, { prompt: 'xyz', length: 10, seed: 7, temperature: 0.5 }))[0])
    expect(shown[0][1]).not.toBe(shown[1][1])
    await expect(fit(model, text, { ...settings, preview: { everySteps: 1, prompt: 'É', show: () => undefined } })).rejects.toThrow(InvalidDataError)
    await expect(fit(model, text, { ...settings, preview: { everySteps: 1, ...{ count: 2 }, show: () => undefined } })).rejects.toThrow(/unknown option "count"/)
  })
})

describe('fine-tuning', () => {
  test('begins where the other training ended', async () => {
    const first = await fit(model, text, { ...settings, steps: 60 })
    const losses: number[] = []
    await fit(model, text, { ...settings, steps: 2, from: first, onProgress: ({ nats }) => losses.push(nats) })
    expect(losses[0]).toBeLessThan(1.5)
    const same = await fit(model, text, { ...settings, steps: 2, from: first.parameters })
    expect(bits(same.parameters)).not.toEqual(bits(first.parameters))
    const other = textModel({ ...pieces(), tokenizer: character({ characters: `${text}!`.replaceAll('a', '') }) })
    await expect(fit(other, text.replaceAll('a', '!'), { ...settings, from: first })).rejects.toThrow(/from has another tokenizer \(character, 27 values; this model: character, 27 values\)/)
    const deeper = textModel({ ...pieces(), network: transformer({ layers: 2, heads: 2, width: 16, context: 8 }) })
    await expect(fit(deeper, text, { ...settings, from: first })).rejects.toThrow(/from holds parameters of another model/)
  })
})

test('memory of the recorded engine stays flat over a long training', async () => {
  const steps = process.env.CHAINRULE_LONG ? 20_000 : 1000
  const resident: number[] = []
  await fit(model, text, {
    ...settings,
    steps,
    averageDecay: 0.9,
    accumulation: 2,
    validation: { ...validation, everySteps: 100 },
    onProgress: ({ step }) => step >= 300 && step % 50 === 0 && resident.push(process.memoryUsage().rss),
  })
  const half = Math.floor(resident.length / 2)
  const growth = Math.max(...resident.slice(half)) - Math.max(...resident.slice(0, half))
  expect(growth, `resident: ${resident.map((bytes) => Math.round(bytes / 1e6)).join(' ')} MB`).toBeLessThan(60e6)
}, 1_800_000)

test('the recorded engine drops as the eager one does', async () => {
  const dropping = textModel({ ...pieces(), network: transformer({ layers: 2, heads: 2, width: 16, context: 8, dropout: 0.2 }) })
  const losses = async (more: object) => {
    const seen: number[] = []
    await fit(dropping, text, { ...settings, steps: 5, ...more, onProgress: ({ nats }) => seen.push(nats) })
    return seen
  }
  const [recorded, reference] = [await losses({}), await losses({ engine: eager('cpu') })]
  recorded.forEach((nats, i) => expect(Math.abs(nats - reference[i])).toBeLessThan(2e-4))
})
