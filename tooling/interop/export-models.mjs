/**
 * Exports a small model of each kind, and sequences that our own runtime drew from it: what replay.py is given.
 *
 *   node export-models.mjs FOLDER      writes FOLDER/<kind>/model, FOLDER/<kind>/single/model.onnx and FOLDER/<kind>/sequences.json; prints the kinds, one a line
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** The laws depend on every package, so that their folder is where all of them are found. */
const require = createRequire(fileURLToPath(new URL('../laws/package.json', import.meta.url)))
const load = (name) => import(pathToFileURL(require.resolve(name)))
const { controlSequence, custom, label, leftToRight, random, reversed } = await load('@chainrule/core')
const { bernoulli, categorical, createModel, discretizedLogisticMixture, gaussianMixture, tabular } = await load('@chainrule/core/tensors')
const { causalConvolution, multilayerPerceptron, nade, recurrent, transformer } = await load('@chainrule/networks')
const { recordModel, singleFileOf } = await load('@chainrule/onnx')
const { writeModel, writeSingleFile } = await load('@chainrule/modality')
const { openModel } = await load('@chainrule/runtime')
const { randomConditions, shaken } = await load('@chainrule/conformance')
const audio = await load('@chainrule/audio')
const text = await load('@chainrule/text')

const folder = process.argv[2]
if (!folder) {
  console.error('usage: node export-models.mjs FOLDER')
  process.exit(2)
}

const card = { data: {}, results: {}, training: {}, exportedAt: new Date(0).toISOString() }
const ofLength = (length, values) => ({ length, components: 1, values })

/** Models with random parameters, of a fixed length or with an end; a kind is a network, each with another order and head. */
const kinds = {
  'fully-visible': { domain: ofLength(9, 2), order: leftToRight(), network: multilayerPerceptron({ hidden: [] }), head: bernoulli() },
  'multilayer-perceptron': { domain: ofLength(12, 5), order: random({ seed: 5 }), network: multilayerPerceptron({ hidden: [16, 16], direct: true }), head: categorical() },
  groups: { domain: ofLength(6, 3), order: custom({ permutation: [3, 0, 5, 1, 4, 2], groups: [0, 1, 1, 1, 2, 3] }), network: multilayerPerceptron({ hidden: [10] }), head: categorical() },
  tabular: { domain: ofLength(4, 3), order: reversed(), network: tabular(), head: categorical() },
  recurrent: { domain: ofLength(14, 7), order: random({ seed: 9 }), network: recurrent({ cell: 'gru', layers: 2, width: 10 }), head: categorical({ tied: true }) },
  ended: { domain: { length: 'variable', components: 1, values: 4, end: 3 }, order: leftToRight(), network: recurrent({ cell: 'lstm', layers: 1, width: 8 }), head: categorical() },
  labelled: { domain: ofLength(9, 3), order: random({ seed: 4 }), network: nade({ hidden: 12 }), head: categorical(), condition: label({ values: 4 }) },
  controlled: { domain: { length: 'variable', components: 1, values: 4, end: 3 }, order: leftToRight(), network: transformer({ layers: 1, heads: 2, width: 8, context: 6 }), head: categorical(), condition: controlSequence({ channels: 2 }) },
  'controlled-order': { domain: ofLength(8, 3), order: reversed(), network: recurrent({ cell: 'gru', layers: 1, width: 6 }), head: categorical(), condition: controlSequence({ values: 3 }) },
  real: { domain: { length: 6, components: 3, values: 'real' }, order: reversed(), network: multilayerPerceptron({ hidden: [12] }), head: gaussianMixture({ components: 3 }) },
  'transformer-learned': { domain: ofLength(20, 7), order: random({ seed: 8 }), network: transformer({ layers: 1, heads: 2, width: 12, context: 20, positions: 'learned' }), head: categorical({ tied: true }) },
}

/** What a runtime drew, as replay.py reads it: one sequence for each sample, in the order of generation. */
function sequencesOf(opened, { values, drawn, nats, distance }, count, address, condition) {
  const C = opened.manifest.domain.components
  const n = nats.length / count
  const { permutation } = opened.order
  const positions = permutation.length ? [...permutation] : Array.from({ length: n }, (_, i) => i)
  const ordered = (array, width, sample) => positions.flatMap((position) => [...array.subarray((sample * n + position) * width, (sample * n + position + 1) * width)])
  return Array.from({ length: count }, (_, sample) => ({
    ...address,
    sample,
    ...(condition && conditionOf(opened, condition, sample, n, positions)),
    values: ordered(values, C, sample),
    drawn: ordered(drawn, C, sample),
    nats: ordered(nats, 1, sample),
    distance: ordered(distance, 1, sample),
  }))
}

/** Of one sample: a label, or its control sequence in the order of generation. */
function conditionOf({ manifest }, condition, sample, n, positions) {
  if (manifest.condition.name === 'label') return { label: condition[sample] }
  const width = manifest.condition.options.channels ?? 1
  return { control: positions.flatMap((position) => [...condition.subarray((sample * n + position) * width, (sample * n + position + 1) * width)]) }
}

/** Draws with both samplers and two temperatures, with sampling filters where the head knows them, and writes the sequences beside the model. */
async function writeSequences(kind, length, told) {
  const opened = await openModel(join(folder, kind, 'model'), { provider: 'cpu' })
  const count = 2
  const sequences = []
  const { samplingFilters } = opened.manifest
  const penalty = samplingFilters?.includes('repetitionPenalty') && { repetitionPenalty: 1.3 }
  const filtered = samplingFilters ? [{ seed: 13, sampler: 'graph', topK: 3, ...penalty }, { seed: 14, sampler: 'steps', temperature: 1.2, topP: 0.7, minP: 0.1 }] : []
  for (const { sampler, ...settings } of [{ seed: 11, temperature: 1, sampler: 'graph' }, { seed: 12, temperature: 0.75, sampler: 'steps' }, ...filtered]) {
    const condition = told && randomConditions(settings.seed, told, count, length ?? opened.manifest.domain.length)
    const samples = await opened.sample({ count, sampler, ...settings, condition, ...(length && { length }) })
    sequences.push(...sequencesOf(opened, samples, count, settings, condition))
  }
  await opened.release()
  writeFileSync(join(folder, kind, 'sequences.json'), JSON.stringify({ sequences }))
  console.log(kind)
}

/** The path of a kind's single file, alone in its folder. */
function singleIn(kind) {
  mkdirSync(join(folder, kind, 'single'), { recursive: true })
  return join(folder, kind, 'single/model.onnx')
}

for (const [kind, pieces] of Object.entries(kinds)) {
  const model = createModel(pieces)
  const files = recordModel({ model, parameters: shaken(model.initialize(3), 3, kind === 'real' ? 0.2 : 0.5), modality: 'none', tokenizer: { name: 'none', options: {} }, card })
  await writeModel(join(folder, kind, 'model'), files)
  await writeSingleFile(singleIn(kind), singleFileOf(files))
  await writeSequences(kind, pieces.domain.length === 'variable' ? 20 : undefined, pieces.condition)
}

// A language model as its users make it: trained, exported, sampled beyond its context.
const words = 'she sells sea shells by the sea shore. '.repeat(20)
const tokenizer = text.character({ characters: words })
const trained = await text.fit(text.textModel({ tokenizer, network: transformer({ layers: 2, heads: 2, width: 16, context: 12 }), head: categorical({ tied: true }) }), words, { steps: 60, batchSize: 8, seed: 1, learningRate: 1e-2 })
await text.exportModel(trained, join(folder, 'text/model'))
await text.exportModel(trained, singleIn('text'), { layout: 'single-file' })
await writeSequences('text', 40)

// Sound models likewise: of samples foreseen by linear prediction, and of frames of four samples.
const sampleRateHz = 8_000
const tone = { sampleRateHz, samples: Float32Array.from({ length: 800 }, (_, t) => 0.5 * Math.sin(t / 3) * Math.cos(t / 50)) }
const sounds = {
  samples: { length: 1, encoding: audio.linear({ bits: 10 }), network: causalConvolution({ layers: 4, width: 8, prediction: { filter: audio.predictionFilter([tone], { order: 2 }), lags: 4 } }), head: discretizedLogisticMixture({ components: 3, range: 1 / 4 }) },
  frames: { length: 4, encoding: audio.muLaw({ levels: 64 }), network: causalConvolution({ layers: 3, width: 12, input: 'scaled' }), head: audio.frameHead({ sample: categorical(), width: 16 }) },
}
for (const [kind, { length, encoding, ...pieces }] of Object.entries(sounds)) {
  const model = audio.audioModel({ tokenizer: audio.frames({ sampleRateHz, length, encoding }), ...pieces })
  const trained = await audio.fit(model, [tone], { window: 64, steps: 60, batchSize: 4, seed: 1, learningRate: 1e-2 })
  await audio.exportModel(trained, join(folder, kind, 'model'))
  await audio.exportModel(trained, singleIn(kind), { layout: 'single-file' })
  await writeSequences(kind, 40)
}
