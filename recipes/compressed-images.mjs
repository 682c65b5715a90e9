/**
 * Bits per dimension of held-out images: PixelCNNs over pixels and over patches, beside real lossless encoders of the same images.
 *
 *   node recipes/compressed-images.mjs --set emoji --model pixels|patches2|patches4|patches2Factorized|patches4Factorized [--data FOLDER] [--out FOLDER]
 *                                      [--steps N] [--settings JSON] [--network JSON] [--seed 1] [--threads 1] [--images 1000]
 *   node recipes/compressed-images.mjs --set clothes --model pixels [the same options]
 *   node recipes/compressed-images.mjs --set clothes|emoji --model encoders [--data FOLDER] [--images 1000]
 *
 * clothes: Fashion-MNIST, 28 × 28 gray; the four files in --data, by default where Debian's package dataset-fashion-mnist puts them. All 60,000
 * training images train, the first 1,000 test images are measured. emoji: the bundled Twemoji, 16 × 16 in colour; 103 of 1,026 are held out by
 * seed 0, 51 others validate patches: the best parameters are kept, and five validations without a better one end the training. All 256
 * levels, so nothing is lost. To try it in a minute: --steps 20 --images 50.
 *
 * A model's bits are −log₂ p, what an arithmetic coder makes of it; the model itself is not counted, as an encoder's program is not. Encoders are
 * Debian's zopfli, webp and libjxl-tools (zopflipng, cwebp, cjxl), each at its greatest effort; every file is decoded again and compared. A file of
 * its own for each image is mostly header, so all of them side by side as one picture is the fairer number for encoders, and helps them more
 * than it could a model that sees one image at a time. Results, commands and times: docs/experiments/images.md.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { chained, discretizedLogisticMixture, evaluate, factorized, imageGrid, imageModel, maskedConvolution, patches, pixels, readIdx, readImage, rgbLogisticMixture, rgbPixels, splitImages, writePng } from '@chainrule/image'
import { costCells, trainMeasured, writePictures } from './image-training.mjs'

const option = (value) => ({ type: 'string', default: value })
const { values } = parseArgs({
  options: { set: option(''), model: option(''), data: option(''), out: option(''), steps: option(''), settings: option('{}'), network: option('{}'), seed: option('1'), threads: option('1'), images: option('1000') },
})
const usage = () => {
  console.error('Usage: node recipes/compressed-images.mjs --set clothes|emoji --model pixels|patches2|patches4|patches2Factorized|patches4Factorized|encoders [--data FOLDER] [--steps N]')
  process.exit(2)
}
const here = (path) => join(fileURLToPath(new URL('..', import.meta.url)), path)

/** Names of a set's files, and its images: all that were read, those to train on, those to measure. */
async function clothes() {
  const folder = values.data || '/usr/share/datasets/fashion-mnist'
  const all = await readIdx(join(folder, 'train-images-idx3-ubyte.gz'))
  const test = await readIdx(join(folder, 't10k-images-idx3-ubyte.gz'))
  return { file: 'fashion-mnist', all, training: all, heldOut: test, split: { seed: 0, heldOut: 0 } }
}
async function emoji() {
  const file = 'emoji-images-idx4-ubyte.gz'
  const all = await readIdx(join(values.data || here('apps/demo/data'), file))
  const split = { seed: 0, heldOut: 0.1, ...(values.model.startsWith('patches') && { validation: 0.05 }) }
  return { file, all, split, ...splitImages(all, split) }
}
const sets = { clothes, emoji }
if (!Object.hasOwn(sets, values.set)) usage()
const { file, all, training, validation, heldOut, split } = await sets[values.set]()
const { height, width, channels } = all[0]
const size = { height, width }
const tested = Array.from({ length: Math.min(Number(values.images), heldOut.length) }, (_, i) => heldOut.at(i))

const general = { averageDecay: 0.999, minimumLearningRate: 1e-5, weightDecay: 0.01 }
/** Updates: all on emoji in about the same processor time. */
const steps = { clothes: { pixels: 3000 }, emoji: { pixels: 1000, patches2: 1600, patches4: 2400, patches2Factorized: 1600, patches4Factorized: 2400 } }[values.set][values.model]
const settingsOf = {
  clothes: { steps, batchSize: 8, learningRate: 4e-3 },
  emoji: { steps, batchSize: 16, learningRate: 4e-3 },
}
/** The same network everywhere, over a grid of pixels or of patches, but for a first kernel that sees about as much of the image. */
const convolution = { clothes: { layers: 6, width: 32 }, emoji: { layers: 6, width: 64, dropout: 0.1 } }
const patchModel = (k, head) => ({ tokenizer: patches({ ...size, channels, size: k }), options: { firstKernel: { 2: 5, 4: 3 }[k] }, head })
const logistics = discretizedLogisticMixture({ components: 5 })
const models = {
  pixels: channels === 1 ? { tokenizer: pixels({ ...size, levels: 256 }), head: discretizedLogisticMixture({ components: 10 }) } : { tokenizer: rgbPixels(size), head: rgbLogisticMixture({ components: 10 }) },
  patches2: patchModel(2, chained(logistics, { width: 128 })),
  patches4: patchModel(4, chained(logistics, { width: 128 })),
  patches2Factorized: patchModel(2, factorized(logistics)),
  patches4Factorized: patchModel(4, factorized(logistics)),
}

async function train({ tokenizer, head, options }) {
  const name = `${values.set}-${values.model}`
  const out = values.out || here(join('.cache', 'images', name))
  const seed = Number(values.seed)
  const threads = Number(values.threads)
  const settings = { ...general, ...settingsOf[values.set], ...JSON.parse(values.settings), ...(values.steps && { steps: Number(values.steps) }), seed }
  const network = { ...convolution[values.set], ...options, ...JSON.parse(values.network) }
  const model = imageModel({ tokenizer, network: maskedConvolution(network), head })
  const { trained, cost } = await trainMeasured(name, model, training, { settings, out, threads, about: { file, images: all, split }, ...(validation?.length && { validation: { images: validation, everySteps: Math.ceil(settings.steps / 20), patience: 5 } }) })
  const { nats, bitsPerDimension, natsStandardError, dimensions, examples } = await evaluate(trained, tested, { threads })
  const { bitsPerDimension: onTraining } = await evaluate(trained, Array.from({ length: Math.min(100, training.length) }, (_, i) => training.at(i)), { threads })
  await writePictures(out, trained, tested.slice(0, 10), threads)
  const error = (bitsPerDimension * natsStandardError) / nats
  console.log(`| ${[name, `${bitsPerDimension.toFixed(3)} ± ${error.toFixed(3)}`, Math.round((bitsPerDimension * dimensions * examples) / 8), onTraining.toFixed(3), trained.selection.step, ...costCells(cost, settings)].join(' | ')} | ${JSON.stringify(network)} |`)
}

/** Each makes a file of a PNG, and a PNG of that file. */
const run = (command, ...rest) => execFileSync(command, rest, { stdio: ['ignore', 'ignore', 'pipe'] })
const encoders = {
  PNG: { encode: (png, to) => run('zopflipng', '-m', '-y', png, to), decode: (from) => from },
  WebP: { encode: (png, to) => run('cwebp', '-lossless', '-exact', '-z', '9', '-quiet', png, '-o', to), decode: (from) => from },
  'JPEG XL': { encode: (png, to) => run('cjxl', png, to, '-d', '0', '-e', '9', '-E', '3', '-I', '1'), decode: (from) => (run('djxl', from, `${from}.png`), `${from}.png`) },
}

async function encodeAll() {
  const folder = mkdtempSync(join(tmpdir(), 'chainrule-images-'))
  const count = tested.length * height * width * channels
  const mosaic = imageGrid(tested, { gap: 0, gapIntensity: 255 })
  const bytesOf = async (image, { encode, decode }, suffix) => {
    const [png, encoded] = [join(folder, 'image.png'), join(folder, `encoded.${suffix}`)]
    await writePng(png, image)
    encode(png, encoded)
    const back = await readImage(decode(encoded), { channels })
    if (Buffer.compare(back.data, image.data)) throw new Error(`${suffix}: the decoded image is another one.`)
    return statSync(encoded).size
  }
  console.log(`| ${tested.length} images of ${file} | a file each | less what a blank picture takes | all in one picture | time |`)
  for (const [name, encoder] of Object.entries(encoders)) {
    const suffix = { PNG: 'png', WebP: 'webp', 'JPEG XL': 'jxl' }[name]
    // What a picture of one shade takes is no more than the format itself.
    const blank = await bytesOf({ ...tested[0], data: new Uint8Array(tested[0].data.length) }, encoder, suffix)
    const begun = performance.now()
    let single = 0
    for (const image of tested) single += await bytesOf(image, encoder, suffix)
    const seconds = (performance.now() - begun) / 1000
    const together = await bytesOf(mosaic, encoder, suffix)
    const bits = (bytes) => `${((8 * bytes) / count).toFixed(3)} (${bytes} bytes)`
    console.log(`| ${name} | ${bits(single)} | ${bits(single - blank * tested.length)} | ${bits(together)} | ${seconds.toFixed(0)} s |`)
  }
  rmSync(folder, { recursive: true })
}

if (values.model === 'encoders') await encodeAll()
else if (steps) await train(models[values.model])
else usage()
