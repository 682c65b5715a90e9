/**
 * What a bounded dependence costs and buys: waves of a sample against the likelihood, on dynamically binarised MNIST.
 *
 *   node recipes/waves.mjs [--data FOLDER] [--models "NAME;NAME"] [--steps 500] [--images 2000] [--seed 1] [--threads 1]
 *
 * Each model has as many updates on the same images; data, bits and protocol are those of mnist.mjs, but it measures the 2,000 validation images, and nothing was
 * tuned for any of them. Drawing is of 8 images, by the fastest exact sampler (`chainrule inspect`), in processor time. Waves of 178 × 218
 * are those of the same network over an image of that size. To try it in a minute: --models "3 × 3, 1 layer" --steps 20 --images 64.
 * Results and times: docs/experiments/sampling.md.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { planSampling } from '@chainrule/core/tensors'
import { bernoulli, binarized, checkerboard, diagonalLstm, evaluate, exportModel, imageModel, loadModel, maskedConvolution, pixels, random, raster, readIdx, rowLstm, sample, transformer } from '@chainrule/image'
import { mnistFile, trainMeasured } from './image-training.mjs'

const stack = (options) => maskedConvolution({ width: 32, layers: 6, ...options })
const models = {
  '3 × 3, 1 layer': { network: stack({ firstKernel: 3, layers: 1 }) },
  '3 × 3, 6 layers': { network: stack({ firstKernel: 3 }) },
  '5 × 5 first, 6 layers': { network: stack({ firstKernel: 5 }) },
  '7 × 7 first, 6 layers': { network: stack({ firstKernel: 7 }) },
  'two stacks, 7 × 7 first, 3 layers': { network: stack({ kind: 'gated', layers: 3 }) },
  'row LSTM, 1 layer': { network: rowLstm({ layers: 1, width: 32 }) },
  'diagonal LSTM, 1 layer': { network: diagonalLstm({ layers: 1, width: 32 }) },
  'transformer, 2 layers': { network: transformer({ layers: 2, heads: 2, width: 32, context: 784, positions: 'learned2d' }) },
  'checkerboard, 2 groups': { network: stack({ firstKernel: 7 }), order: checkerboard({ groups: true }) },
  'random order, 28 groups of 28': { network: stack({ firstKernel: 7 }), order: random({ seed: 1, groupSize: 28 }) },
}

const option = (value) => ({ type: 'string', default: value })
const { values } = parseArgs({ options: { data: option(''), models: option(Object.keys(models).join(';')), steps: option('500'), images: option('2000'), seed: option('1'), threads: option('1') } })
const names = values.models.split(';')
const unknown = names.find((name) => !Object.hasOwn(models, name))
if (unknown !== undefined) {
  console.error(`Usage: node recipes/waves.mjs [--data FOLDER] [--models "NAME;NAME"] [--steps N]\nThere is no model ${JSON.stringify(unknown)}. Models:\n  ${Object.keys(models).join('\n  ')}`)
  process.exit(2)
}
const [seed, threads, count] = [Number(values.seed), Number(values.threads), 8]
const all = await readIdx(mnistFile(values.data, 'train-images-idx3-ubyte'))
const [training, validation] = [all.slice(0, 58_000), all.slice(58_000, 58_000 + Number(values.images))]
const settings = { steps: Number(values.steps), batchSize: 16, learningRate: 5e-3, averageDecay: 0.99, minimumLearningRate: 1e-5, weightDecay: 0, seed }

const modelOf = (network, order, height, width) => imageModel({ tokenizer: pixels({ height, width, levels: 2 }), network, order, head: bernoulli() })
const stepsOf = ({ model }) => planSampling(model).steps?.waves.count ?? model.domain.length

console.log('| | nats | steps of a sample, 28 × 28 | 178 × 218 | ms of the processor an image | training, s of the processor |\n|---|---|---|---|---|---|')
for (const name of names) {
  const { network, order = raster() } = models[name]
  const folder = mkdtempSync(join(tmpdir(), 'chainrule-waves-'))
  try {
    const model = modelOf(network, order, 28, 28)
    const about = { file: 'train-images-idx3-ubyte', images: all, split: { heldOut: 0, validation: 2000 / all.length, seed: 0 }, more: { binarizationSeed: seed } }
    const { trained, cost } = await trainMeasured(name, model, binarized(training, { seed, draws: 1000 }), { settings, out: join(folder, 'run'), threads, about })
    const { nats, natsStandardError } = await evaluate(trained, binarized(validation, { seed: 3 }), { threads })
    await exportModel(trained, join(folder, 'model'))
    const loaded = await loadModel(join(folder, 'model'), { threads })
    await sample(loaded, { count, seed: 1 })
    const begun = process.cpuUsage()
    await sample(loaded, { count, seed: 2 })
    const { user, system } = process.cpuUsage(begun)
    await loaded.release()
    // A network over lines has no positions of its own, and neither has a stack: the same for any size. A transformer has, and needs no waves.
    const large = network.name === 'transformer' ? 178 * 218 : stepsOf(modelOf(network, order, 218, 178))
    console.log(`| ${[name, `${nats.toFixed(2)} ± ${natsStandardError.toFixed(2)}`, stepsOf(model), large.toLocaleString('en'), ((user + system) / 1e3 / count).toFixed(1), cost.processorSeconds.toFixed(0)].join(' | ')} |`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
