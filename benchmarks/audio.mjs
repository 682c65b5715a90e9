/**
 * Sound at 8 kHz from a WaveNet, sample by sample, on one thread: the exported loop beside its streaming, the sampler without queues (a
 * full forward pass for every sample) and a PyTorch loop with queues, in turns. All have the same weights and draw from the same uniforms.
 *
 *   npm run benchmark -- audio [--widths 32,64] [--streams 1,8] [--rounds 7] [--steps 2000] [--python PYTHON] [--json]
 *
 * PYTHON has PyTorch; without it that peer is left out. 10 layers, dilations 1, 2, … 512, 256 values (μ-law). Prints how many times faster
 * than real time all streams together are, medians of wall and of processor time, and whether the samplers replay each other.
 *
 * Then models of frames of 16 samples of 16 bits (8 layers of width 128, 3 logistics), whose samples are chained or independent in a frame: as many seconds of sound.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { leftToRight, uniform } from '@chainrule/core'
import { categorical, chained, createModel, discretizedLogisticMixture, factorized } from '@chainrule/core/tensors'
import { causalConvolution } from '@chainrule/networks'
import { recordModel } from '@chainrule/onnx'
import { openModel } from '@chainrule/runtime'
import { median, startWorker, timed } from './parts/worker.mjs'

const { values } = parseArgs({
  options: {
    widths: { type: 'string', default: '32,64' },
    streams: { type: 'string', default: '1,8' },
    rounds: { type: 'string', default: '7' },
    steps: { type: 'string', default: '2000' },
    python: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const sampleRateHz = 8000
const symbols = 256
const [steps, rounds] = [Number(values.steps), Number(values.rounds)]
const dilations = Array.from({ length: 10 }, (_, power) => 2 ** power)
/** How many samples a full pass must see: all that the last one depends on. */
const receptiveField = 1 + dilations.reduce((sum, dilation) => sum + dilation, 0)
const here = dirname(fileURLToPath(import.meta.url))

const rows = []
for (const width of values.widths.split(',').map(Number)) {
  const configuration = { layers: dilations.length, width, dilations, symbols, skipWidth: width, sampleRateHz, steps }
  const hash = createHash('sha256').update(JSON.stringify(configuration)).digest('hex').slice(0, 12)
  const model = createModel({ domain: { length: 'variable', components: 1, values: symbols }, order: leftToRight(), network: causalConvolution({ layers: dilations.length, width }), head: categorical() })
  const card = { data: {}, results: {}, training: {}, exportedAt: new Date(0).toISOString() }
  const files = recordModel({ model, parameters: model.initialize(1), modality: 'audio', tokenizer: { name: 'none', options: {} }, card })
  const opened = await openModel(files, { provider: 'cpu' })
  const folder = mkdtempSync(join(tmpdir(), 'chainrule-audio-'))
  writeFileSync(join(folder, 'weights.safetensors'), files['weights.safetensors'])
  const torch = values.python && startWorker(values.python, [join(here, 'audio', 'pytorch_worker.py')])
  const about = torch && (await torch.ask({ weights: join(folder, 'weights.safetensors'), width, dilations }))
  try {
    for (const streams of values.streams.split(',').map(Number)) {
      const uniforms = Array.from({ length: streams }, (_, stream) => Array.from({ length: steps }, (_, step) => uniform(1, 'sampling', stream, step, 0, 0)))
      const window = Int32Array.from({ length: streams * receptiveField }, (_, i) => i % symbols)
      const ways = {
        loop: () => timed(() => opened.sample({ count: streams, length: steps, seed: 1 })),
        stream: () =>
          timed(async () => {
            const chunks = []
            for await (const chunk of opened.stream({ count: streams, length: steps, seed: 1 })) chunks.push(chunk)
            return chunks
          }),
        // One pass, which gives one sample of every stream: the others are as many passes more.
        naive: async () => {
          const pass = await timed(() => opened.score({ x: window, length: receptiveField }))
          return { seconds: pass.seconds * steps, processorSeconds: pass.processorSeconds * steps }
        },
        ...(torch && { torch: () => torch.ask({ draw: { uniforms } }) }),
      }
      const runs = Object.fromEntries(Object.keys(ways).map((way) => [way, []]))
      for (let round = -1; round < rounds; round++) {
        for (const [way, run] of Object.entries(ways)) {
          const done = await run()
          if (round >= 0) runs[way].push(done)
        }
      }
      const { values: drawn, nats } = runs.loop[0].result
      const replayed = await opened.replay({ values: drawn, count: streams, length: steps, seed: 1, sampler: 'steps' })
      const row = { width, streams, hash, load: loadavg()[0], replayDistance: Math.max(...replayed.distance) }
      for (const [way, list] of Object.entries(runs)) {
        const timesRealTime = (pick) => (streams * steps) / sampleRateHz / median(list.map(pick))
        row[way] = { timesRealTime: timesRealTime(({ seconds }) => seconds), timesRealTimeByProcessor: timesRealTime(({ processorSeconds }) => processorSeconds), microsecondsPerStep: (median(list.map(({ seconds }) => seconds)) / steps) * 1e6 }
      }
      if (torch) {
        const scored = (await torch.ask({ score: uniforms.map((_, stream) => [...drawn.subarray(stream * steps, (stream + 1) * steps)]) })).nats.flat()
        row.torch.version = about.torch
        row.torch.largestDifferenceNats = Math.max(...scored.map((value, i) => Math.abs(value - nats[i])))
      }
      rows.push(row)
      console.error(`width ${width}, ${streams} stream${streams > 1 ? 's' : ''}, configuration ${hash}, load ${row.load.toFixed(2)}; loop replayed step by step: distance at most ${row.replayDistance.toExponential(1)}`)
      for (const way of Object.keys(ways)) {
        const { timesRealTime, timesRealTimeByProcessor, microsecondsPerStep, largestDifferenceNats } = row[way]
        const same = largestDifferenceNats === undefined ? '' : `; −log p of the same sound differs by at most ${largestDifferenceNats.toExponential(1)}`
        console.error(`  ${way.padEnd(7)} ${timesRealTime.toFixed(3)} × real time (${timesRealTimeByProcessor.toFixed(3)} by processor time), ${microsecondsPerStep.toFixed(0)} µs a step${same}`)
      }
    }
  } finally {
    torch?.end()
    await opened.release()
    rmSync(folder, { recursive: true })
  }
}

const frameLength = 16
const sample = discretizedLogisticMixture({ components: 3, range: 1 / 64 })
for (const [way, head] of Object.entries({ chained: chained(sample, { width: 128 }), independent: factorized(sample) })) {
  const model = createModel({ domain: { length: 'variable', components: frameLength, values: 65_536 }, order: leftToRight(), network: causalConvolution({ layers: 8, width: 128, input: 'scaled' }), head })
  const files = recordModel({ model, parameters: model.initialize(1), modality: 'audio', tokenizer: { name: 'none', options: {} }, card: { data: {}, results: {}, training: {}, exportedAt: new Date(0).toISOString() } })
  const opened = await openModel(files, { provider: 'cpu' })
  try {
    for (const streams of values.streams.split(',').map(Number)) {
      const length = Math.ceil(steps / frameLength)
      const runs = []
      for (let round = -1; round < rounds; round++) {
        const done = await timed(() => opened.sample({ count: streams, length, seed: 1 }))
        if (round >= 0) runs.push(done)
      }
      const replayed = await opened.replay({ values: runs[0].result.values, count: streams, length, seed: 1, sampler: 'steps' })
      const timesRealTime = (pick) => (streams * length * frameLength) / sampleRateHz / median(runs.map(pick))
      const row = { frames: frameLength, way, streams, load: loadavg()[0], replayDistance: Math.max(...replayed.distance), timesRealTime: timesRealTime(({ seconds }) => seconds), timesRealTimeByProcessor: timesRealTime(({ processorSeconds }) => processorSeconds) }
      rows.push(row)
      console.error(`frames of ${frameLength}, ${way}, ${streams} stream${streams > 1 ? 's' : ''}: ${row.timesRealTime.toFixed(3)} × real time (${row.timesRealTimeByProcessor.toFixed(3)} by processor time); load ${row.load.toFixed(2)}, replayed step by step: distance at most ${row.replayDistance.toExponential(1)}`)
    }
  } finally {
    await opened.release()
  }
}
if (values.json) console.log(JSON.stringify({ rows, cpu: cpus()[0].model, node: process.version }, null, 2))
