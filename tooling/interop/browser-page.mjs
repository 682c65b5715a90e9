/** What the tested page and its web worker run: exported models by their addresses, a language model, an image model of real values with labels and a model of sounds that end, against what Node has computed. */
import * as audio from '@chainrule/audio/runtime'
import * as image from '@chainrule/image/runtime'
import { loadModel, sample, score, stream } from '@chainrule/text/runtime'

/** @returns what there is to compare, as JSON; `error`: the class and message of a failure */
async function runModel({ address, options, expected }) {
  try {
    const begun = performance.now()
    const loaded = await loadModel(address, options)
    const openedMs = performance.now() - begun
    const { request } = expected
    const { nats } = await score(loaded, expected.text)
    const [sampled] = await sample(loaded, request)
    let streamed = request.prompt
    for await (const piece of stream(loaded, request)) streamed += piece
    const common = { prompt: loaded.tokenizer.encode(request.prompt), length: request.length, seed: request.seed, temperature: request.temperature }
    const distances = []
    for (const sampler of ['graph', 'steps']) distances.push(...(await loaded.opened.replay({ ...common, sampler, values: Int32Array.from(expected.drawn) })).distance)
    const { reason } = loaded
    await loaded.release()
    return { reason, openedMs, sampled, streamed, nats: [...nats], distance: Math.max(...distances) }
  } catch (error) {
    return { error: `${error.name}: ${error.message}` }
  }
}

/** @returns the same of the image model; a sample and a stream as intensities */
async function runImageModel({ address, options, expected: { images: expected } }) {
  try {
    const begun = performance.now()
    const loaded = await image.loadModel(address, options)
    const openedMs = performance.now() - begun
    const scores = await image.score(loaded, expected.scored.map(({ data, ...rest }) => ({ ...rest, data: Uint8Array.from(data) })))
    const [{ data: sampled }] = await image.sample(loaded, expected.drawing)
    let streamed
    for await (const { picture } of image.stream(loaded, expected.drawing)) streamed = picture().data
    const distances = []
    for (const sampler of ['waves', 'graph', 'steps']) distances.push(...(await loaded.opened.replay({ seed: expected.drawing.seed, condition: Int32Array.of(1), sampler, values: Float32Array.from(expected.drawn) })).distance)
    const { reason } = loaded
    await loaded.release()
    return { reason, openedMs, sampled: [...sampled], streamed: [...streamed], nats: scores.map(({ nats }) => nats), distance: Math.max(...distances) }
  } catch (error) {
    return { error: `${error.name}: ${error.message}` }
  }
}

/** @returns the same of the sound model; a sample and a stream as amplitudes */
async function runSoundModel({ address, options, expected: { sounds: expected } }) {
  try {
    const begun = performance.now()
    const loaded = await audio.loadModel(address, options)
    const openedMs = performance.now() - begun
    const { nats } = await audio.score(loaded, { sampleRateHz: loaded.tokenizer.sampleRateHz, samples: Float32Array.from(expected.scored) })
    const [{ samples: sampled }] = await audio.sample(loaded, expected.drawing)
    const streamed = []
    for await (const piece of audio.stream(loaded, expected.drawing)) streamed.push(...piece)
    const distances = []
    for (const sampler of ['graph', 'steps']) distances.push(...(await loaded.opened.replay({ seed: expected.drawing.seed, length: expected.drawing.frames, sampler, values: Int32Array.from(expected.drawn) })).distance)
    const { reason } = loaded
    await loaded.release()
    return { reason, openedMs, sampled: [...sampled], streamed, nats: [...nats], distance: Math.max(...distances) }
  } catch (error) {
    return { error: `${error.name}: ${error.message}` }
  }
}

const programs = { runModel, runImageModel, runSoundModel }

if (globalThis.document) {
  Object.assign(globalThis, programs)
  globalThis.runInWorker = (request) =>
    new Promise((resolve, reject) => {
      const worker = new Worker(import.meta.url, { type: 'module' })
      worker.addEventListener('message', ({ data }) => resolve(data))
      worker.addEventListener('error', ({ message }) => reject(new Error(message)))
      worker.postMessage(request)
    })
} else globalThis.addEventListener('message', async ({ data }) => globalThis.postMessage(await programs[data.program](data)))
