/**
 * Trains and exports a small language model, and writes down what our runtime computes with it in Node.
 *
 *   node browser-model.mjs FOLDER      writes FOLDER/model, FOLDER/model.onnx and FOLDER/expected.json
 */
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const require = createRequire(fileURLToPath(new URL('../laws/package.json', import.meta.url)))
const load = (name) => import(pathToFileURL(require.resolve(name)))
const { categorical, character, exportModel, fit, loadModel, sample, score, textModel, transformer } = await load('@chainrule/text')

const folder = process.argv[2]
const words = 'she sells sea shells by the sea shore. '.repeat(20)
const tokenizer = character({ characters: words })
const model = textModel({ tokenizer, network: transformer({ layers: 2, heads: 2, width: 16, context: 12 }), head: categorical({ tied: true }) })
const trained = await fit(model, words, { steps: 60, batchSize: 8, seed: 1, learningRate: 1e-2 })
await exportModel(trained, join(folder, 'model'))
await exportModel(trained, join(folder, 'model.onnx'), { layout: 'single-file' })

const loaded = await loadModel(join(folder, 'model'), { provider: 'cpu' })
const text = words.slice(0, 90)
const request = { prompt: 'she ', length: 60, seed: 7, temperature: 0.9 }
const tokens = { prompt: tokenizer.encode(request.prompt), length: request.length, seed: request.seed, temperature: request.temperature }
const expected = {
  text,
  nats: [...(await score(loaded, text)).nats],
  request,
  sampled: (await sample(loaded, request))[0],
  drawn: [...(await loaded.opened.sample(tokens)).values],
}
await loaded.release()
writeFileSync(join(folder, 'expected.json'), JSON.stringify(expected))
