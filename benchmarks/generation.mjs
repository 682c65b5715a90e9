/**
 * Texts from a transformer, token by token, on one thread: the exported loop, its streaming and single steps beside nanoGPT, Hugging Face
 * transformers with a cache, llama2.c, CTranslate2, onnxruntime-genai and transformers.js, in turns.
 *
 *   npm run benchmark -- generation [--models 4x128,6x384] [--batches 1,16] [--length 256] [--rounds 5] [--json]
 *     [--python PYTHON] [--nanogpt CHECKOUT] [--llama2c CHECKOUT] [--transformers-js FOLDER]
 *
 * What is not there has a row that says how to get it. 65 values, context 256, temperature 1. The peers have the same weights, nanoGPT those
 * of a twin with learned positions, llama2.c as many of its own; −log p that they give to a text that ours drew must agree within 1e-4.
 * Prints tokens per second of all texts together by the clock and by processor time, medians, and the share of what the machine allows: a
 * step reads every weight once and multiplies it once for each text, so it takes no less than one row times a matrix of as many
 * numbers, nor less than its FLOPs take at the rate of a square product.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { normalInitial } from '@chainrule/core/tensors'
import { categorical, character, exportModel, fit, textModel, transformer } from '@chainrule/text'
import { onnx } from '@chainrule/onnx'
import { openModel } from '@chainrule/runtime'
import * as tf from '@tensorflow/tfjs-core'
import { openLlama2c } from './generation/llama2c.mjs'
import { median, startWorker, timed } from './parts/worker.mjs'

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: '4x128,6x384' },
    batches: { type: 'string', default: '1,16' },
    length: { type: 'string', default: '256' },
    rounds: { type: 'string', default: '5' },
    python: { type: 'string' },
    nanogpt: { type: 'string' },
    llama2c: { type: 'string' },
    'transformers-js': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const [length, rounds] = [Number(values.length), Number(values.rounds)]
const here = dirname(fileURLToPath(import.meta.url))
const characters = Array.from({ length: 65 }, (_, i) => String.fromCharCode(48 + i)).join('')
const most = (numbers) => numbers.reduce((largest, number) => Math.max(largest, number), 0)
const pip = 'pip install torch==2.15.0 transformers==5.23.0 ctranslate2==4.8.5 onnxruntime-genai==0.18.0, and give --python that Python'

/** A model hardly trained, exported both ways. */
async function exported(folder, network) {
  const trained = await fit(textModel({ tokenizer: character({ characters }), network, head: categorical({ tied: true }) }), characters.repeat(4), { steps: 1, batchSize: 1, window: 16, seed: 1 })
  await exportModel(trained, folder)
  return trained
}

/** What runs a peer, by its name: { version, draw, score }, or { missing }. */
async function openPeer(name, setting) {
  if (name === 'llama2.c') return openLlama2c(values.llama2c, setting.work, setting)
  const isScript = name === 'transformers.js'
  if (isScript && !values['transformers-js']) return { missing: 'npm install --ignore-scripts @huggingface/transformers@4.3.1 in some folder, and give --transformers-js that folder' }
  if (!isScript && !values.python) return { missing: pip }
  if (name === 'nanogpt' && !values.nanogpt) return { missing: 'give --nanogpt a clone of github.com/karpathy/nanoGPT' }
  const worker = isScript
    ? startWorker(process.execPath, [join(here, 'generation', 'transformers-js-worker.mjs'), values['transformers-js']])
    : startWorker(values.python, [join(here, 'generation', 'python_peers.py'), name])
  const weights = join(name === 'nanogpt' ? setting.learned : setting.rotary, 'weights.safetensors')
  const { version, missing } = await worker.ask({ open: { ...setting, weights, folder: setting.layout, checkout: values.nanogpt && resolve(values.nanogpt) } })
  if (missing) {
    worker.end()
    return { missing: `${missing}: ${pip}` }
  }
  return { version, draw: (count) => worker.ask({ draw: { count, length } }), score: async (tokens) => (await worker.ask({ score: [...tokens] })).nats, end: worker.end }
}

/** Seconds of a product [rows, n] · [n, n] on onnxruntime, one of several after each other, the least of some runs. */
async function secondsOfProduct(rows, n) {
  const repeats = 8
  const chain = ({ matrix }, { x }) => {
    let y = x
    for (let i = 0; i < repeats; i++) y = tf.matMul(y, matrix)
    return { outputs: { sum: tf.sum(y) } }
  }
  const program = await onnx({ threads: 1 }).compile(chain, { carried: { matrix: normalInitial(1, 'matrix', [n, n], 0.01) }, inputs: { x: { shape: [rows, n], type: 'float32' } } })
  const x = normalInitial(1, 'x', [rows, n], 1).data
  let least = Infinity
  for (let i = 0; i < 10; i++) {
    const began = performance.now()
    await program.run({ x })
    least = Math.min(least, (performance.now() - began) / 1e3 / repeats)
  }
  await program.release()
  return least
}

const rows = []
for (const size of values.models.split(',')) {
  const [layers, width] = size.split('x').map(Number)
  const configuration = { layers, width, heads: Math.max(4, width / 64), context: 256, values: characters.length, length }
  const hash = createHash('sha256').update(JSON.stringify(configuration)).digest('hex').slice(0, 12)
  const work = mkdtempSync(join(tmpdir(), 'chainrule-generation-'))
  const [rotary, learned, layout] = ['rotary', 'learned', 'layout'].map((name) => join(work, name))
  const options = { layers, heads: configuration.heads, width, context: configuration.context }
  await exportModel(await exported(rotary, transformer(options)), layout, { layout: 'transformers.js' })
  await exported(learned, transformer({ ...options, positions: 'learned' }))
  const [ours, twin] = [await openModel(rotary, { provider: 'cpu' }), await openModel(learned, { provider: 'cpu' })]
  const peers = {}
  try {
    for (const name of ['nanogpt', 'transformers', 'llama2.c', 'ctranslate2', 'onnxruntime-genai', 'transformers.js']) peers[name] = await openPeer(name, { ...configuration, work, rotary, learned, layout })
    const weights = ours.manifest.parameters
    // As many weights as one matrix has; and the rate at which products of many rows run.
    const seconds = { row: await secondsOfProduct(1, Math.round(Math.sqrt(weights))), square: await secondsOfProduct(512, 512) }
    const bytesPerSecond = (4 * weights) / seconds.row
    const flopsPerSecond = (2 * 512 ** 3) / seconds.square
    for (const count of values.batches.split(',').map(Number)) {
      const sampled = (sampler) => () => timed(() => ours.sample({ count, length, seed: 1, sampler }))
      const streamed = async () => {
        const taken = []
        for await (const { values: chunk } of ours.stream({ count, length, seed: 1 })) taken.push(chunk)
        return taken
      }
      const ways = { loop: sampled('graph'), stream: () => timed(streamed), steps: sampled('steps') }
      for (const [name, { draw }] of Object.entries(peers)) if (draw && !(name === 'llama2.c' && count > 1)) ways[name] = () => draw(name === 'llama2.c' ? length : count)
      const runs = Object.fromEntries(Object.keys(ways).map((way) => [way, []]))
      for (let round = -1; round < rounds; round++) {
        for (const [way, run] of Object.entries(ways)) {
          const done = await run()
          if (round >= 0) runs[way].push(done)
        }
      }
      const drawn = { loop: runs.loop[0].result.values, steps: runs.steps[0].result.values }
      const replays = await Promise.all([ours.replay({ values: drawn.loop, count, length, seed: 1, sampler: 'steps' }), ours.replay({ values: drawn.steps, count, length, seed: 1, sampler: 'graph' })])
      const limit = count / Math.max((4 * weights) / bytesPerSecond, (2 * weights * count) / flopsPerSecond)
      const row = { size, count, length, hash, load: loadavg()[0], weights, replayDistance: most(replays.map(({ distance }) => most(distance))), gigabytesPerSecond: bytesPerSecond / 1e9, gigaflopsPerSecond: flopsPerSecond / 1e9, limit, ways: {} }
      const text = drawn.loop.subarray(0, Math.min(length, configuration.context))
      for (const [way, list] of Object.entries(runs)) {
        const tokensPerSecond = (pick) => (count * length) / median(list.map(pick))
        const peer = peers[way]
        row.ways[way] = { tokensPerSecond: tokensPerSecond((each) => each.seconds), tokensPerProcessorSecond: tokensPerSecond((each) => each.processorSeconds), version: peer?.version }
        if (peer?.score) {
          const own = await (way === 'nanogpt' ? twin : ours).score({ x: text, length: text.length })
          row.ways[way].largestDifferenceNats = most((await peer.score(text)).map((nats, i) => Math.abs(nats - own[i])))
        }
      }
      for (const [name, { missing }] of Object.entries(peers)) if (missing) row.ways[name] = { missing }
      const others = Object.keys(peers).filter((name) => row.ways[name]?.tokensPerSecond)
      const ratioToBest = (key) => row.ways.loop[key] / Math.max(...others.map((name) => row.ways[name][key]))
      if (others.length) Object.assign(row, { ratioToBest: ratioToBest('tokensPerSecond'), processorRatioToBest: ratioToBest('tokensPerProcessorSecond') })
      rows.push(row)
      report(row)
      const differences = Object.values(row.ways).map(({ largestDifferenceNats = 0 }) => largestDifferenceNats)
      if (row.replayDistance > 1e-5 || most(differences) > 1e-4) throw new Error(`The samplers or peers disagree: replay distance ${row.replayDistance}, −log p by up to ${most(differences)} nats.`)
    }
  } finally {
    for (const { end } of Object.values(peers)) end?.()
    await Promise.all([ours.release(), twin.release()])
    if (existsSync(work)) rmSync(work, { recursive: true })
  }
}

function report({ size, count, hash, load, replayDistance, gigabytesPerSecond, gigaflopsPerSecond, limit, ways, ratioToBest, processorRatioToBest }) {
  console.error(`${size.replace('x', ' layers of ')}, ${count} text${count > 1 ? 's' : ''} of ${length} tokens, configuration ${hash}, load ${load.toFixed(2)}; loop and steps replay each other: distance at most ${replayDistance.toExponential(1)}`)
  for (const [way, { missing, tokensPerSecond, tokensPerProcessorSecond, version, largestDifferenceNats }] of Object.entries(ways)) {
    const notes = [version, largestDifferenceNats === undefined ? '' : `−log p differs by at most ${largestDifferenceNats.toExponential(1)}`].filter(Boolean).join('; ')
    console.error(missing ? `  ${way.padEnd(18)} not installed: ${missing}` : `  ${way.padEnd(18)} ${tokensPerSecond.toFixed(0).padStart(6)} tokens/s (${tokensPerProcessorSecond.toFixed(0).padStart(6)} by processor time)${notes && `  ${notes}`}`)
  }
  console.error(`  limit ${limit.toFixed(0)} tokens/s, of ${gigabytesPerSecond.toFixed(1)} GB/s and ${gigaflopsPerSecond.toFixed(0)} GFLOP/s: the loop has ${((100 * ways.loop.tokensPerSecond) / limit).toFixed(0)} % of it (${((100 * ways.loop.tokensPerProcessorSecond) / limit).toFixed(0)} % by processor time)`)
  console.error(`  stream / loop ${(ways.stream.tokensPerSecond / ways.loop.tokensPerSecond).toFixed(2)} (${(ways.stream.tokensPerProcessorSecond / ways.loop.tokensPerProcessorSecond).toFixed(2)})${ratioToBest === undefined ? '' : `; loop / best peer ${ratioToBest.toFixed(2)} (${processorRatioToBest.toFixed(2)} by processor time)`}`)
}
if (values.json) console.log(JSON.stringify({ rows, cpu: cpus()[0].model, node: process.version }, null, 2))
