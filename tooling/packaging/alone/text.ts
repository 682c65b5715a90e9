/** What somebody does who has installed only @chainrule/text: train, evaluate, sample, export, load. */
import { categorical, character, evaluate, exportModel, fit, loadModel, sample, score, stream, textModel, transformer } from '@chainrule/text'
import { tokenizerFromName } from '@chainrule/text/tokenizers'

const text = 'to be, or not to be: that is the question. '.repeat(40)
const model = textModel({
  tokenizer: character({ characters: text }),
  network: transformer({ layers: 1, heads: 2, width: 16, context: 16 }),
  head: categorical(),
})
const losses: number[] = []
const trained = await fit(model, text, { steps: 20, batchSize: 4, seed: 1, learningRate: 1e-2, onProgress: ({ nats }) => losses.push(nats) })
if (!(losses[19] < losses[0])) throw new Error(`20 updates did not lower the loss: ${losses.join(', ')}`)
const { natsPerCharacter, bitsPerByte } = await evaluate(trained, text)
const [drawn] = await sample(trained, { prompt: 'to be', length: 20, seed: 2 })
await exportModel(trained, 'model')

const loaded = await loadModel('model', { provider: 'cpu' })
const [again] = await sample(loaded, { prompt: 'to be', length: 20, seed: 2 })
if (again !== drawn) throw new Error(`The exported model writes ${JSON.stringify(again)}, the trained one ${JSON.stringify(drawn)}.`)
let streamed = ''
for await (const piece of stream(loaded, { prompt: 'to be', length: 20, seed: 2 })) streamed += piece
if ('to be' + streamed !== drawn) throw new Error(`Streamed: ${JSON.stringify(streamed)}.`)
const { nats } = await score(loaded, drawn)
if (!nats.every(Number.isFinite) || tokenizerFromName(loaded.manifest.tokenizer).decode(loaded.tokenizer.encode(drawn)) !== drawn) throw new Error('Scoring or the tokenizer went wrong.')
await loaded.release()
console.log(JSON.stringify({ natsPerCharacter, bitsPerByte, drawn }))
