/**
 * Trains and exports a small language model, an image model of real values with labels, and a model of sounds that end, and writes down what our runtime
 * computes with them in Node.
 *
 *   node browser-model.mjs FOLDER      writes FOLDER/model, FOLDER/model.onnx, FOLDER/images, FOLDER/sounds and FOLDER/expected.json
 */
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const require = createRequire(fileURLToPath(new URL('../laws/package.json', import.meta.url)))
const load = (name) => import(pathToFileURL(require.resolve(name)))
const { categorical, character, exportModel, fit, loadModel, sample, score, textModel, transformer } = await load('@chainrule/text')
const image = await load('@chainrule/image')
const audio = await load('@chainrule/audio')

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

/** Stripes, across or down, which the label says. */
const stripes = Array.from({ length: 6 }, (_, which) => ({ height: 4, width: 8, channels: 1, label: which % 2, data: Uint8Array.from({ length: 32 }, (_, i) => ((which % 2 ? i % 8 : Math.floor(i / 8)) % 2) * 200 + which) }))
const imageModel = image.imageModel({
  tokenizer: image.pixels({ height: 4, width: 8, dequantized: true }),
  network: image.maskedConvolution({ layers: 1, width: 8, firstKernel: 3 }),
  head: image.gaussianMixture({ components: 2 }),
  condition: image.label({ names: ['across', 'down'] }),
})
await image.exportModel(await image.fit(imageModel, stripes, { steps: 60, batchSize: 4, seed: 1, learningRate: 1e-2 }), join(folder, 'images'))
const loadedImages = await image.loadModel(join(folder, 'images'), { provider: 'cpu' })
const drawing = { label: 'down', seed: 7 }
const images = {
  scored: stripes.map(({ data, ...rest }) => ({ ...rest, data: [...data] })),
  nats: (await image.score(loadedImages, stripes)).map(({ nats }) => nats),
  drawing,
  sampled: [...(await image.sample(loadedImages, drawing))[0].data],
  drawn: [...(await loadedImages.opened.sample({ seed: drawing.seed, condition: Int32Array.of(1) })).values],
}
await loadedImages.release()

/** Steps up, a few more or less. */
const ramps = Array.from({ length: 6 }, (_, which) => ({ sampleRateHz: 8_000, samples: Float32Array.from({ length: 8 + which }, (_, t) => (t % 8) / 16) }))
const soundModel = audio.audioModel({
  tokenizer: audio.frames({ sampleRateHz: 8_000, encoding: audio.linear({ bits: 8 }), ends: true }),
  network: audio.causalConvolution({ layers: 3, width: 8, input: 'scaled' }),
  head: audio.discretizedLogisticMixture({ components: 2 }),
})
await audio.exportModel(await audio.fit(soundModel, ramps, { steps: 400, batchSize: 4, window: 14, seed: 1, learningRate: 1e-2 }), join(folder, 'sounds'))
const loadedSounds = await audio.loadModel(join(folder, 'sounds'), { provider: 'cpu' })
const sounding = { frames: 40, seed: 2 }
const sounds = {
  scored: [...ramps[3].samples],
  nats: [...(await audio.score(loadedSounds, ramps[3])).nats],
  drawing: sounding,
  sampled: [...(await audio.sample(loadedSounds, sounding))[0].samples],
  drawn: [...(await loadedSounds.opened.sample({ length: sounding.frames, seed: sounding.seed })).values],
}
await loadedSounds.release()
writeFileSync(join(folder, 'expected.json'), JSON.stringify({ ...expected, images, sounds }))
