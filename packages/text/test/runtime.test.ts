/** The entry that only runs models, and where a model may be opened: the same text each time. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidOptionError } from '@chainrule/core'
import { transformer } from '@chainrule/networks'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { byte, exportModel, fit, loadModel, sample, score, textModel, type TrainedText } from '../src/index.js'
import * as runtime from '../src/runtime.js'

const text = 'the rain in spain stays mainly in the plain. '.repeat(6)
const request = { prompt: 'the ', length: 12, seed: 3, count: 2 }

let trained: TrainedText
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-text-'))
  trained = await fit(textModel({ tokenizer: byte(), network: transformer({ layers: 1, heads: 1, width: 8, context: 8 }) }), text, { steps: 5, batchSize: 2, seed: 1 })
  await exportModel(trained, join(folder, 'model'))
  await exportModel(trained, join(folder, 'model.onnx'), { layout: 'single-file' })
})
afterAll(() => rm(folder, { recursive: true }))

test('a trained model, a directory, a single file and its bytes, here and in a thread: the same text and score', async () => {
  const expected = await sample(trained, request)
  const { nats } = await score(trained, text)
  expect(await sample(trained, { ...request, worker: true, provider: 'cpu' })).toEqual(expected)
  expect((await score(trained, text, { worker: true, threads: 1 })).nats).toEqual(nats)
  for (const source of [join(folder, 'model'), join(folder, 'model.onnx'), new Uint8Array(await readFile(join(folder, 'model.onnx')))]) {
    for (const worker of [false, true]) {
      const loaded = await runtime.loadModel(source, { worker })
      expect(await runtime.sample(loaded, request)).toEqual(expected)
      expect((await runtime.score(loaded, text)).nats).toEqual(nats)
      let streamed = request.prompt
      for await (const piece of runtime.stream(loaded, { prompt: request.prompt, length: request.length, seed: request.seed })) streamed += piece
      expect(streamed).toBe(expected[0])
      await loaded.release()
    }
  }
})

test('how a model runs is decided when it is opened', async () => {
  const loaded = await loadModel(join(folder, 'model'))
  for (const option of [{ provider: 'cpu' }, { threads: 1 }, { worker: true }] as const) {
    await expect(sample(loaded, { ...request, ...option })).rejects.toThrow(InvalidOptionError)
    await expect(score(loaded, text, option)).rejects.toThrow(/score: unknown option/)
  }
  await loaded.release()
  await expect(sample(trained, { ...request, provider: 'gpu' as never })).rejects.toThrow(/provider must be one of/)
})

test('a single file replaces one only where it is told to', async () => {
  const path = join(folder, 'model.onnx')
  await expect(exportModel(trained, path, { layout: 'single-file' })).rejects.toThrow(/exists already/)
  await exportModel(trained, path, { layout: 'single-file', overwrite: true, results: { bitsPerByte: 2 } })
  const loaded = await loadModel(path)
  expect(loaded.manifest.card.results).toEqual({ bitsPerByte: 2 })
  await loaded.release()
  await expect(exportModel(trained, join(folder, 'model'), { layout: 'single-file', overwrite: true })).rejects.toThrow(/must end in \.onnx/)
})
