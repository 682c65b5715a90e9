/** Texts that end: documents, through training, evaluation, sampling, scoring, export, and runs. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import '@tensorflow/tfjs-backend-cpu'
import { InvalidDataError, InvalidOptionError } from '@chainrule/core'
import { resolveSettings } from '@chainrule/train'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeText, partOf } from '../src/documents.js'
import {
  byte,
  categorical,
  character,
  checkpointFile,
  describeData,
  describeRun,
  eager,
  evaluate,
  exportModel,
  fit,
  type LoadedText,
  loadModel,
  modelOf,
  openTrained,
  readRun,
  recurrent,
  sample,
  score,
  splitHeldOut,
  splitValidation,
  stream,
  textModel,
  trainedOf,
  transformer,
  type TrainedText,
} from '../src/index.js'
import { documentWindows, evaluationWindows } from '../src/windows.js'

/** "a", "bb", "ccc": how long a text is follows from its first letter. */
const documents = ['a', 'bb', 'ccc']
const tokenizer = character({ characters: 'abc' })
const end = 3
const pieces = () => ({ tokenizer, documents: true, network: transformer({ layers: 1, heads: 2, width: 16, context: 8 }), head: categorical({ tied: true }) })
const settings = { steps: 250, batchSize: 8, seed: 1, learningRate: 2e-2, threads: 1 }

let folder: string
let trained: TrainedText
let loaded: LoadedText
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-documents-'))
  trained = await fit(textModel(pieces()), documents, settings)
  await exportModel(trained, join(folder, 'model'))
  loaded = await loadModel(join(folder, 'model'), { provider: 'cpu' })
})
afterAll(async () => {
  await loaded.release()
  await rm(folder, { recursive: true })
})

describe('what a model of documents reads', () => {
  const reading = { tokenizer, documents: true }
  test('its domain has one more value; a text has its tokens and the end', () => {
    expect(trained.model.domain).toEqual({ ...tokenizer.domain, values: 4, end })
    expect(textModel({ ...pieces(), documents: false }).model.domain).toEqual(tokenizer.domain)
    expect([...encodeText(reading, 'cab')]).toEqual([2, 0, 1, end])
    expect([...encodeText(reading, '')]).toEqual([end])
    expect([...encodeText({ tokenizer, documents: false }, 'cab')]).toEqual([2, 0, 1])
    expect(encodeText({ tokenizer: byte(), documents: true }, 'x'.repeat(300_000))).toHaveLength(300_001)
  })

  test('training windows: a circle of all documents, each token as often as any other, a start after each end', () => {
    const tokens = Int32Array.from(documents.flatMap((text) => [...encodeText(reading, text)]))
    for (const length of [4, 25]) {
      const windows = documentWindows(tokens, end, length)
      expect(windows.length).toBe(tokens.length)
      const times = new Map<number, number>()
      for (let i = 0; i < windows.length; i++) {
        const { x, previous, isStart } = windows.at(i)
        x.forEach((value, at) => {
          const before = at === 0 ? previous![0] : x[at - 1]
          expect(value).toBe(tokens[(i + at) % tokens.length])
          expect(isStart![at]).toBe(before === end ? 1 : 0)
          times.set((i + at) % tokens.length, (times.get((i + at) % tokens.length) ?? 0) + 1)
        })
        expect(previous![0]).toBe(tokens[(i + tokens.length - 1) % tokens.length])
      }
      expect([...times.values()]).toEqual(Array(tokens.length).fill(length))
    }
  })

  test('evaluation windows stay inside a document; parts are counted in documents', () => {
    const { stretches, data } = partOf(reading, ['aaaaa', 'b', ''], 0)
    expect(data).toHaveLength(3)
    const windows = evaluationWindows(stretches, 4)
    const all = Array.from({ length: windows.length }, (_, i) => windows.at(i))
    expect(all.map(({ x }) => [...x])).toEqual([[0, 0, 0, 0], [0, end], [1, end], [end]])
    expect(all.map(({ previous }) => previous && [...previous])).toEqual([undefined, [0], undefined, undefined])
    expect(partOf(reading, documents, 1, 2).data).toEqual(['bb'])
    expect(partOf(reading, 'abc').data).toEqual(['abc'])
    expect(() => partOf(reading, documents, 0, 4)).toThrow(/end must be a whole number from 1 to 3/)
  })

  test('a list is for documents only, and holds texts', async () => {
    const endless = textModel({ ...pieces(), documents: false })
    await expect(fit(endless, documents, settings)).rejects.toThrow(/a list of 3 texts, but this model's text has no end/)
    await expect(fit(textModel(pieces()), [], settings)).rejects.toThrow(InvalidDataError)
    await expect(fit(textModel(pieces()), ['a', 5 as never], settings)).rejects.toThrow(/document 1 is not a text but number/)
    expect(() => textModel({ ...pieces(), documents: 'yes' as never })).toThrow(InvalidOptionError)
  })
})

describe('a model of documents, end to end', () => {
  test('samples end by themselves, as the data does; the prompt counts; length is the most', async () => {
    const texts = await sample(loaded, { count: 60, seed: 3, length: 20 })
    const known = texts.filter((text) => documents.includes(text)).length
    expect(known).toBeGreaterThan(45)
    expect(new Set(texts.filter((text) => documents.includes(text))).size).toBe(3)
    expect((await sample(loaded, { prompt: 'cc', count: 10, seed: 1, temperature: 0.2 })).every((text) => text === 'ccc')).toBe(true)
    expect(await sample(loaded, { prompt: 'c', count: 1, seed: 1, length: 1, temperature: 0.2 })).toEqual(['cc'])
    expect(await sample(trained, { count: 60, seed: 3, length: 20 })).toEqual(texts)
  })

  test('a stream is the sample, and stops', async () => {
    for (const seed of [1, 2, 3, 4]) {
      let text = ''
      for await (const piece of stream(loaded, { seed, length: 500 })) text += piece
      expect([text]).toEqual(await sample(loaded, { seed, length: 500 }))
    }
  })

  test('evaluation: each document once, its end with it; the same by trained, loaded and scored', async () => {
    const held = ['a', 'ccc', 'bb', 'bb', 'cacbacbabca', '']
    const result = await evaluate(trained, held, { threads: 1 })
    expect(result).toMatchObject({ documents: 6, characters: 19, bytes: 19, tokens: 25 })
    expect(result.natsPerDocument! * 6).toBeCloseTo(result.totalNats, 9)
    expect(result.bitsPerByte * 19 * Math.LN2).toBeCloseTo(result.totalNats, 9)
    expect(result.protocol).toMatch(/each document by itself/)
    // Alone, by the reference engine, without anything to fill up.
    let alone = 0
    for (const text of held) alone += (await evaluate(trained, text, { engine: eager('cpu') })).totalNats
    expect(result.totalNats).toBeCloseTo(alone, 2)
    expect((await evaluate(loaded, held)).totalNats).toBeCloseTo(result.totalNats, 2)
    expect((await evaluate(trained, documents, { begin: 1, end: 3, threads: 1 })).totalNats).toBeCloseTo((await evaluate(trained, ['bb', 'ccc'], { threads: 1 })).totalNats, 3)
  })

  test('scores: one by one, filled up where they are shorter; Σ p over strings and prefixes is 1', async () => {
    const texts = ['a', 'cccc', '', 'abc']
    const scores = await score(loaded, texts)
    for (const [which, each] of scores.entries()) {
      const one = await score(loaded, texts[which])
      expect(one.nats).toHaveLength(texts[which].length + 1)
      expect([...each.nats].map((nats) => nats.toFixed(4))).toEqual([...one.nats].map((nats) => nats.toFixed(4)))
      expect(one).toMatchObject({ documents: 1, characters: texts[which].length, tokens: texts[which].length + 1 })
    }
    const L = 4
    let total = 0
    for (let size = 0, all = ['']; size <= L; size++) {
      // Of the longest only what stands before an end counts: they are prefixes that have not ended.
      for (const { nats } of await score(loaded, all)) total += Math.exp(-nats.subarray(0, L).reduce((sum, each) => sum + each, 0))
      all = all.flatMap((text) => ['a', 'b', 'c'].map((letter) => text + letter))
    }
    expect(total).toBeCloseTo(1, 4)
  })

  test('learned positions count from the beginning of a document, recurrent states begin there', async () => {
    for (const network of [transformer({ layers: 1, heads: 2, width: 16, context: 8, positions: 'learned' }), recurrent({ layers: 1, width: 16 })]) {
      const other = await fit(textModel({ tokenizer, documents: true, network }), documents, { ...settings, window: 8 })
      const { natsPerDocument } = await evaluate(other, documents, { threads: 1 })
      expect(natsPerDocument).toBeLessThan(1.5) // log 3 for which of the three, and little else
    }
  })

  test('an exported model knows that its texts end, and can be trained on', async () => {
    expect(loaded.documents).toBe(true)
    const { parameters, ...model } = await modelOf(loaded)
    expect(model.documents).toBe(true)
    const further = await fit(model, documents, { ...settings, steps: 2, from: parameters })
    expect(further.model.domain.end).toBe(end)
    await expect(fit(textModel({ ...pieces(), documents: false }), 'abcabcabc', { ...settings, from: trained })).rejects.toThrow(/another model/)
  })

  test('a preview ends, too', async () => {
    const shown: string[] = []
    await fit(textModel(pieces()), documents, { ...settings, preview: { everySteps: 250, prompt: 'c', temperature: 0.2, show: (text) => void shown.push(text) } })
    expect(shown).toEqual(['ccc'])
  })
})

describe('runs of documents', () => {
  const many = Array.from({ length: 20 }, (_, i) => documents[i % 3])

  test('the last documents are held out, those before them validate; another list is other data', () => {
    expect(splitHeldOut(many, 0.1)).toEqual({ begin: 18, end: 20 })
    expect(splitValidation(many, 18, 0.2)).toBe(14)
    expect(() => splitValidation(many, 2, 0.2)).toThrow(/documents to train on/)
    const hash = (data: string | string[]) => describeData('names.txt', data, { begin: 0, end: 0 }).sha256
    expect(new Set([hash(['ab', 'c']), hash(['a', 'bc']), hash(['abc']), hash(['abc', '']), hash('abc')]).size).toBe(5)
    expect(describeData('names.txt', many, { begin: 18, end: 20 }).length).toBe(20)
  })

  test('a run that was stopped goes on as if it had not been, bit for bit, and knows its documents', async () => {
    const model = textModel(pieces())
    const data = describeData('names.txt', many, { ...splitHeldOut(many, 0.1), validationBegin: 14 })
    const run = describeRun(model, 8, resolveSettings({ steps: 12, batchSize: 2, seed: 7 }), data, { validation: { everySteps: 3 } })
    const path = join(folder, 'run')
    await mkdir(path)
    const options = { steps: 12, batchSize: 2, seed: 7, threads: 1, validation: { text: many, begin: 14, end: 18, everySteps: 3 }, checkpoint: { path: join(path, checkpointFile), run, everySeconds: 0 } }
    const whole = await fit(model, many.slice(0, 14), { ...options, checkpoint: undefined })
    const stop = new AbortController()
    await expect(fit(model, many.slice(0, 14), { ...options, signal: stop.signal, onProgress: ({ step }) => step === 5 && stop.abort() })).rejects.toThrow(/interrupted/)
    const kept = await readRun(path)
    expect(kept.model.documents).toBe(true)
    expect(kept.state.step).toBe(5)
    const resumed = await fit(kept.model, many.slice(0, 14), { ...options, state: kept.state, best: kept.best })
    expect(resumed.parameters).toEqual(whole.parameters)
    expect(resumed.state.best).toEqual(whole.state.best)
    const opened = await openTrained(trainedOf(await readRun(path)), { provider: 'cpu' })
    expect(opened.documents).toBe(true)
    await opened.release()
  })
})
