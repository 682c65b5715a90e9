/** What somebody does who has installed only @chainrule/image: train, evaluate, sample, complete, score, export, load, files. */
import { bernoulli, complete, evaluate, exportModel, fit, type Image, imageModel, loadModel, maskedConvolution, pixels, readImages, rectangle, sample, score, stream, writePng, writePngGrid } from '@chainrule/image'
import { tokenizerFromName } from '@chainrule/image/tokenizers'

const size = { height: 6, width: 6 }
const images: Image[] = Array.from({ length: 8 }, (_, which) => ({ ...size, channels: 1, data: Uint8Array.from({ length: 36 }, (_, i) => (((which % 2 ? i : Math.floor(i / 6)) + (which >> 1)) % 2) * 255) }))
await writePng('image.png', images[0])
const [read] = await readImages('.', { channels: 1 })
if (read.data.join() !== images[0].data.join()) throw new Error('A PNG file does not hold what was written.')

const model = imageModel({ tokenizer: pixels({ ...size, levels: 2 }), network: maskedConvolution({ layers: 1, width: 8, firstKernel: 3 }), head: bernoulli() })
const losses: number[] = []
const trained = await fit(model, images, { steps: 20, batchSize: 4, seed: 1, learningRate: 1e-2, onProgress: ({ nats }) => losses.push(nats) })
if (!(losses[19] < losses[0])) throw new Error(`20 updates did not lower the loss: ${losses.join(', ')}`)
const { nats, bitsPerDimension } = await evaluate(trained, images)
const drawn = await sample(trained, { count: 4, seed: 2 })
await exportModel(trained, 'model')

const loaded = await loadModel('model', { provider: 'cpu' })
const again = await sample(loaded, { count: 4, seed: 2 })
const text = (image: Image) => Array.from(image.data, (value) => (value ? '#' : '.')).join('')
if (again.map(text).join() !== drawn.map(text).join()) throw new Error('The exported model draws other images than the trained one.')
let streamed: Image | undefined
for await (const { picture } of stream(loaded, { seed: 2 })) streamed = picture()
if (text(streamed!) !== text(drawn[0])) throw new Error('The stream does not end in the sample.')
const known = rectangle(size, { bottom: 3 })
const { images: completions, isExact } = await complete(loaded, images, { known, seed: 3 })
if (!isExact || completions.some(([image], which) => text(image).slice(0, 18) !== text(images[which]).slice(0, 18))) throw new Error('A completion does not keep what is given.')
const scores = await score(loaded, images)
if (Math.abs(scores.reduce((sum, each) => sum + each.nats, 0) / 8 - nats) > 1e-3) throw new Error('score and evaluate do not agree.')
if (tokenizerFromName(loaded.manifest.tokenizer).encode(images[0]).length !== 36) throw new Error('The tokenizer went wrong.')
await loaded.release()
await writePngGrid('samples.png', drawn)
console.log(JSON.stringify({ nats, bitsPerDimension, drawn: text(drawn[0]) }))
