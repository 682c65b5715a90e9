/** What the tested page and its web worker run: an exported language model by its address, against what Node has computed. */
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

if (globalThis.document) {
  globalThis.runModel = runModel
  globalThis.runModelInWorker = (request) =>
    new Promise((resolve, reject) => {
      const worker = new Worker(import.meta.url, { type: 'module' })
      worker.addEventListener('message', ({ data }) => resolve(data))
      worker.addEventListener('error', ({ message }) => reject(new Error(message)))
      worker.postMessage(request)
    })
} else globalThis.addEventListener('message', async ({ data }) => globalThis.postMessage(await runModel(data)))
