/** Counted models and mixtures of text: through fit, evaluation, sampling, scoring, export, runs. */
import '@tensorflow/tfjs-backend-cpu'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { categorical, character, checkpointFile, contextOf, describeData, describeRun, eager, evaluate, exportModel, fit, loadModel, mixture, mixtureParameters, ngram, readRun, sample, score, textModel, trainedOf, transformer } from '../src/index.js'

const lines = ['the cat sat on the mat', 'the dog sat on the cat', 'a cat and a dog', 'the mat sat', 'a dog on a mat']
const text = `${lines.join('\n')}\n`.repeat(4)
const tokenizer = character({ characters: text })
const unseen = 'a cat sat on a dog\nthe dog and the cat\n'
const network = () => ngram({ order: 5, minimumCount: 1 })

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-ngram-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('an n-gram', () => {
  test('is counted by fit, and says the same eagerly, recorded and exported', async () => {
    const trained = await fit(textModel({ tokenizer, network: network() }), text, { window: 16, threads: 1 })
    const recorded = await evaluate(trained, unseen, { protocol: { windows: 64 }, threads: 1 })
    const reference = await evaluate(trained, unseen, { protocol: { windows: 64 }, engine: eager('cpu') })
    expect(recorded.totalNats).toBeCloseTo(reference.totalNats, 3)
    expect(recorded.natsPerCharacter).toBeLessThan(1.2)
    await exportModel(trained, join(folder, 'ngram'))
    const loaded = await loadModel(join(folder, 'ngram'), { provider: 'cpu' })
    try {
      expect((await score(loaded, unseen)).totalNats).toBeCloseTo(recorded.totalNats, 3)
      expect(loaded.manifest.card.training).toEqual({ counted: true, window: 16, seconds: 0 })
      const [first] = await sample(loaded, { prompt: 'the ', length: 40, seed: 3 })
      expect(await sample(trained, { prompt: 'the ', length: 40, seed: 3, provider: 'cpu' })).toEqual([first])
      // The exported tables say what its own words cost: about as little as the text it was counted on.
      expect((await score(loaded, first)).natsPerCharacter).toBeLessThan(1.5)
    } finally {
      await loaded.release()
    }
  })

  test('of documents learns how they begin and end', async () => {
    const trained = await fit(textModel({ tokenizer, documents: true, network: network() }), [lines, lines, lines, lines].flat(), { window: 16, threads: 1 })
    const samples = await sample(trained, { count: 40, length: 60, seed: 1, provider: 'cpu' })
    expect(samples.filter((each) => /^(the|a) /.test(each)).length).toBeGreaterThan(20)
    expect(samples.filter((each) => /(mat|cat|dog|sat)$/.test(each)).length).toBeGreaterThan(20)
  })

  test('is a run like any other', async () => {
    const model = textModel({ tokenizer, network: network() })
    const directory = join(folder, 'run')
    await mkdir(directory)
    const { settings } = await fit(model, text, { window: 16 })
    const run = describeRun(model, 16, settings, describeData('text.txt', text, { begin: text.length, end: text.length }))
    const trained = await fit(model, text, { window: 16, checkpoint: { path: join(directory, checkpointFile), run } })
    const again = trainedOf(await readRun(directory))
    expect(again.parameters['network/logits'].data).toEqual(trained.parameters['network/logits'].data)
  })

  test('has no window of its own, and takes no steps', async () => {
    await expect(fit(textModel({ tokenizer, network: network() }), text, {})).rejects.toThrow(/ngram has no context of its own; say how many tokens/)
    await expect(fit(textModel({ tokenizer, network: network() }), text, { window: 8, steps: 3 })).rejects.toThrow(/counted, not trained by updates, so steps would change nothing/)
  })
})

test('a mixture of trained models is better than each on the text that its weights are learned from', async () => {
  const parts = [transformer({ layers: 1, heads: 2, width: 16, context: 8 }), network()]
  const neural = await fit(textModel({ tokenizer, network: parts[0], head: categorical({ tied: true }) }), text, { steps: 80, seed: 1, learningRate: 1e-2, threads: 1 })
  const counted = await fit(textModel({ tokenizer, network: parts[1] }), text, { window: 8 })
  const model = textModel({ tokenizer, network: mixture({ networks: parts, tied: true }) })
  expect(contextOf(model.model)).toBe(8)
  const from = mixtureParameters(model.model.initialize(1), [neural.parameters, counted.parameters])
  const other = 'the dog sat on a mat and a cat on the dog\n'
  const mixed = await fit(model, other, { from, steps: 60, seed: 1, learningRate: 3e-2, threads: 1 })
  const natsOf = async (trained: typeof mixed) => (await evaluate(trained, other, { protocol: { windows: 64 }, threads: 1 })).natsPerCharacter
  const [first, second, both] = [await natsOf(neural), await natsOf(counted), await natsOf(mixed)]
  expect(both).toBeLessThan(Math.min(first, second))
  await exportModel(mixed, join(folder, 'mixture'))
  const loaded = await loadModel(join(folder, 'mixture'), { provider: 'cpu' })
  try {
    expect((await score(loaded, other)).natsPerCharacter).toBeCloseTo(both, 4)
    expect(await sample(loaded, { length: 30, seed: 2 })).toEqual(await sample(mixed, { length: 30, seed: 2, provider: 'cpu' }))
  } finally {
    await loaded.release()
  }
})
