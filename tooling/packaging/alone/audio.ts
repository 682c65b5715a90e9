/** What somebody does who has installed only @chainrule/audio: train, evaluate, sample, export, load, write a file and read it. */
import { audioModel, categorical, causalConvolution, evaluate, exportModel, fit, frames, loadModel, muLaw, readSound, sample, score, stream, writeWav } from '@chainrule/audio'
import { tokenizerFromName } from '@chainrule/audio/tokenizers'

const sampleRateHz = 8_000
const tone = { sampleRateHz, samples: Float32Array.from({ length: 400 }, (_, t) => 0.8 * Math.sin(t / 3)) }
const model = audioModel({
  tokenizer: frames({ sampleRateHz, encoding: muLaw({ levels: 16 }) }),
  network: causalConvolution({ layers: 3, width: 8, input: 'scaled' }),
  head: categorical(),
})
const losses: number[] = []
const trained = await fit(model, [tone], { window: 64, steps: 20, batchSize: 4, seed: 1, learningRate: 1e-2, onProgress: ({ nats }) => losses.push(nats) })
if (!(losses[19] < losses[0])) throw new Error(`20 updates did not lower the loss: ${losses.join(', ')}`)
const { bitsPerSample } = await evaluate(trained, [tone])
const [drawn] = await sample(trained, { prompt: tone, frames: 50, seed: 2 })
await exportModel(trained, 'model')

const loaded = await loadModel('model', { provider: 'cpu' })
const [again] = await sample(loaded, { prompt: tone, frames: 50, seed: 2 })
if (String(again.samples) !== String(drawn.samples)) throw new Error('The exported model draws another sound than the trained one.')
const streamed: number[] = []
for await (const piece of stream(loaded, { prompt: tone, frames: 50, seed: 2 })) streamed.push(...piece)
if (String(streamed) !== String(Array.from(drawn.samples.subarray(400)))) throw new Error('Streamed, it is another sound.')
writeWav('drawn.wav', drawn)
const read = await readSound('drawn.wav', { sampleRateHz: 16_000 })
const { nats } = await score(loaded, tone)
if (!nats.every(Number.isFinite) || read.samples.length !== 900 || tokenizerFromName(loaded.manifest.tokenizer).sampleRateHz !== sampleRateHz) throw new Error('Scoring, the file or the tokenizer went wrong.')
await loaded.release()
console.log(JSON.stringify({ bitsPerSample, drawn: 'drawn.wav' }))
