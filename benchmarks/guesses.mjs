/**
 * Drawing many variables at once by guessing them, on one thread: what fixed-point iteration and speculative sampling would cost beside the
 * cached loop. Both are exact: from the same uniforms they give the same samples.
 *
 *   npm run benchmark -- guesses [--length 128] [--json]
 *
 * Fixed point (Jacobi): guess all of x, draw every variable from the others' guesses in one parallel pass, until nothing changes (Song et al.
 * 2021, arXiv 2002.03629). The loop is told x as given values and says what each variable would be: as many replays as passes are needed,
 * and a pass of `score` is what one would cost. Speculation: a cheaper model draws k variables with the same uniforms, a parallel pass
 * of the dear one keeps those that it would have drawn, too (Leviathan et al. 2023, arXiv 2211.17192).
 * Trains a text model, an n-gram that guesses for it, and a PixelCNN on shapes, a minute in all.
 */
import { readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { raster, uniformIndex } from '@chainrule/core'
import { bernoulli, createModel } from '@chainrule/core/tensors'
import { maskedConvolution } from '@chainrule/networks'
import { onnx, recordModel } from '@chainrule/onnx'
import { openModel } from '@chainrule/runtime'
import { categorical, character, fit, ngram, presetModel, presetNamed, recordTrained, textModel } from '@chainrule/text'
import { fit as fitModel } from '@chainrule/train'
import { median, timed } from './parts/worker.mjs'

const { values } = parseArgs({ options: { length: { type: 'string', default: '128' }, json: { type: 'boolean', default: false } } })
const length = Number(values.length)
/** Processor seconds of each, medians, in turns. */
async function inTurn(works) {
  const seconds = works.map(() => [])
  for (let round = -1; round < 3; round++) {
    for (const [i, work] of works.entries()) {
      const { processorSeconds } = await timed(work)
      if (round >= 0) seconds[i].push(processorSeconds)
    }
  }
  return seconds.map(median)
}

/** Passes until nothing changes, from a guess of all zeros. */
async function passesToFixedPoint(opened, count, request) {
  let x = new Int32Array(count)
  for (let pass = 1; ; pass++) {
    const { drawn } = await opened.replay({ ...request, values: x, sampler: 'graph' })
    if (drawn.every((value, i) => value === x[i])) return pass
    x = drawn
  }
}

const rows = []
function tell(row) {
  rows.push(row)
  const { what, timesTheLoop, ...rest } = row
  console.error(`${what.padEnd(30)} ${timesTheLoop.toFixed(2)} × the time of the loop  ${JSON.stringify(rest)}`)
}
// The design's own documents are text enough: English, of a size that trains in seconds.
const text = ['architecture', 'audio', 'benchmarks', 'exported-model', 'images', 'naming', 'running', 'sampling', 'text', 'training'].map((name) => readFileSync(new URL(`../docs/${name}.md`, import.meta.url), 'utf8')).join('\n')
const tokenizer = character({ characters: text })
const preset = presetNamed('quick')
const trained = await fit(presetModel(preset, tokenizer), text, { ...preset.settings, seed: 1 })
const target = await openModel(await recordTrained(trained), { provider: 'cpu' })
const request = { length, seed: 1 }
{
  const passes = await passesToFixedPoint(target, length, request)
  const { values: x } = await target.sample(request)
  const [loop, pass] = await inTurn([() => target.sample(request), () => target.score({ x, length })])
  tell({ what: 'fixed point, text', variables: length, passes, loopSeconds: loop, passSeconds: pass, timesTheLoop: (passes * pass) / loop })
}
{
  const side = 28
  const domain = { length: side * side, components: 1, values: 2, locations: { axes: ['row', 'column'], shape: [side, side] } }
  const model = createModel({ domain, order: raster(), network: maskedConvolution({ layers: 4, width: 24, firstKernel: 7 }), head: bernoulli() })
  // Rectangles of any place and size.
  const shape = (index) => {
    const draw = (which, from, to) => from + uniformIndex(to - from, 1, 'batches', index, which)
    const [top, left] = [draw(0, 0, 18), draw(1, 0, 18)]
    const [bottom, right] = [draw(2, top + 4, side), draw(3, left + 4, side)]
    return Int32Array.from({ length: side * side }, (_, i) => (Math.floor(i / side) >= top && Math.floor(i / side) < bottom && i % side >= left && i % side < right ? 1 : 0))
  }
  const { parameters } = await fitModel(model, { length: 2000, at: (index) => ({ x: shape(index) }) }, { engine: onnx({ threads: 1 }), steps: 100, batchSize: 8, learningRate: 3e-3, warmupSteps: 10, seed: 1 })
  const opened = await openModel(recordModel({ model, parameters, modality: 'image', tokenizer: { name: 'none', options: {} }, card: { data: {}, results: {}, training: {}, exportedAt: new Date(0).toISOString() } }), { provider: 'cpu' })
  const passes = await passesToFixedPoint(opened, side * side, { seed: 1 })
  const { values: x } = await opened.sample({ seed: 1, sampler: 'graph' })
  const [loop, waves, pass] = await inTurn([() => opened.sample({ seed: 1, sampler: 'graph' }), () => opened.sample({ seed: 1, sampler: 'waves' }), () => opened.score({ x })])
  tell({ what: 'fixed point, image', variables: side * side, passes, loopSeconds: loop, wavesSeconds: waves, passSeconds: pass, timesTheLoop: (passes * pass) / loop })
  await opened.release()
}
for (const order of [2, 4]) {
  const guesser = await openModel(await recordTrained(await fit(textModel({ tokenizer, network: ngram({ order }), head: categorical() }), text, { window: 64 })), { provider: 'cpu' })
  // What the guesser draws after the text as the dear model drew it, from the same uniforms.
  const { values: x } = await target.sample({ length, seed: 1, count: 8 })
  const { drawn } = await guesser.replay({ values: x, length, seed: 1, count: 8 })
  const agreement = drawn.reduce((sum, value, i) => sum + (value === x[i] ? 1 : 0), 0) / x.length
  for (const k of [2, 4, 8]) {
    const kept = (1 - agreement ** (k + 1)) / (1 - agreement) // and the dear model's own one after them
    const [loop, guess, pass] = await inTurn([() => target.sample(request), () => guesser.sample(request), () => target.score({ x: x.subarray(0, k + 1), length: k + 1 })])
    const perVariable = (pass + (k * guess) / length) / kept
    tell({ what: `speculation, ${order}-gram guesses ${k}`, agreement, kept, loopSeconds: loop / length, passSeconds: pass, guessSeconds: guess / length, timesTheLoop: (perVariable * length) / loop })
  }
  await guesser.release()
}
await target.release()
console.error(`load ${loadavg()[0].toFixed(2)}`)
if (values.json) console.log(JSON.stringify({ rows }, null, 2))
