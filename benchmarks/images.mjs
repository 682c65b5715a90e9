/**
 * Images by masked convolutions, on one thread: waves, one pixel at a time (the exported loop), and a full forward pass for every pixel (one
 * pass is timed, the others are as many more). In turns, all sizes alike, from the same noise.
 *
 *   npm run benchmark -- images [--pixels rgb] [--sizes 178x218] [--first-kernels 3,7] [--layers 7] [--width 32] [--count 1] [--rounds 3] [--json]
 *   npm run benchmark -- images --pixels binary --sizes 14x14,28x14,28x28,56x28,56x56,112x56,112x112 --first-kernels 7
 *
 * The first is of 3 × 256 values chained within the pixel, the second what a pixel costs as the image doubles. Sizes are columns × rows, layers
 * count the first one, weights are untrained: measured is time, by the clock and of the processor, and that samplers replay each other.
 */
import { createHash } from 'node:crypto'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { raster } from '@chainrule/core'
import { bernoulli, categorical, chained, createModel } from '@chainrule/core/tensors'
import { maskedConvolution } from '@chainrule/networks'
import { recordModel } from '@chainrule/onnx'
import { openModel } from '@chainrule/runtime'
import { median, timed } from './parts/worker.mjs'

const { values } = parseArgs({
  options: {
    pixels: { type: 'string', default: 'rgb' },
    sizes: { type: 'string', default: '178x218' },
    'first-kernels': { type: 'string', default: '3,7' },
    layers: { type: 'string', default: '7' },
    width: { type: 'string', default: '32' },
    count: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
})
const kinds = { rgb: { components: 3, values: 256, head: () => chained(categorical()) }, binary: { components: 1, values: 2, head: () => bernoulli() } }
const kind = kinds[values.pixels]
if (!kind) throw new Error(`--pixels must be one of ${Object.keys(kinds).join(', ')}, got ${values.pixels}.`)
const [rounds, count] = [Number(values.rounds), Number(values.count)]
const most = (numbers) => numbers.reduce((largest, number) => Math.max(largest, number), 0)

const subjects = []
for (const size of values.sizes.split(',')) {
  for (const firstKernel of values['first-kernels'].split(',').map(Number)) {
    const [columns, lines] = size.split('x').map(Number)
    const pixels = columns * lines
    const network = { layers: Number(values.layers) - 1, width: Number(values.width), firstKernel }
    const domain = { length: pixels, components: kind.components, values: kind.values, locations: { axes: ['row', 'column'], shape: [lines, columns] } }
    const model = createModel({ domain, order: raster(), network: maskedConvolution(network), head: kind.head() })
    const hash = createHash('sha256').update(JSON.stringify({ domain, network: model.network.options, order: 'raster', head: model.head.options, count })).digest('hex').slice(0, 12)
    const card = { data: {}, results: {}, training: {}, exportedAt: new Date(0).toISOString() }
    const opened = await openModel(recordModel({ model, parameters: model.initialize(1), modality: 'image', tokenizer: { name: 'none', options: {} }, card }), { provider: 'cpu' })
    const x = Int32Array.from({ length: count * pixels * kind.components }, (_, i) => (i * 97) % kind.values)
    const draw = (sampler) => () => timed(() => opened.sample({ count, seed: 1, sampler }))
    const ways = {
      ...(opened.manifest.sampling.startsWith('waves') && { waves: draw('waves') }),
      pixels: draw('graph'),
      passes: async () => {
        const { seconds, processorSeconds } = await timed(() => opened.score({ x }))
        return { seconds: seconds * pixels, processorSeconds: processorSeconds * pixels }
      },
    }
    subjects.push({ size, pixels, firstKernel, hash, opened, ways, runs: Object.fromEntries(Object.keys(ways).map((way) => [way, []])) })
  }
}
// The first round opens sessions and is not counted.
for (let round = -1; round < rounds; round++) {
  for (const { ways, runs } of subjects) {
    for (const [way, run] of Object.entries(ways)) {
      const done = await run()
      if (round >= 0) runs[way].push(done)
    }
  }
}
const rows = []
for (const { size, pixels, firstKernel, hash, opened, runs } of subjects) {
  const drawn = runs.pixels[0].result
  const other = runs.waves ? { sampler: 'waves', drawn: runs.waves[0].result } : { sampler: 'steps', drawn }
  const replay = (sampler, { values: kept }) => opened.replay({ count, seed: 1, values: kept, sampler })
  const [followed, following] = [await replay('graph', other.drawn), await replay(other.sampler, drawn)]
  const row = {
    pixelKind: values.pixels,
    size,
    pixels,
    firstKernel,
    hash,
    load: loadavg()[0],
    sampling: opened.manifest.sampling,
    replayDistance: Math.max(most(followed.distance), most(following.distance)),
    differentValues: drawn.values.reduce((different, value, i) => different + (value === other.drawn.values[i] ? 0 : 1), 0),
    largestDifferenceNats: most(followed.nats.map((nats, i) => Math.abs(nats - other.drawn.nats[i]))),
    ...Object.fromEntries(Object.entries(runs).map(([way, list]) => [way, { seconds: median(list.map((each) => each.seconds)), processorSeconds: median(list.map((each) => each.processorSeconds)) }])),
  }
  rows.push(row)
  console.error(`${values.pixels} ${size}, first kernel ${firstKernel}, ${values.layers} layers of ${values.width}, count ${count}, configuration ${hash}, load ${row.load.toFixed(2)}`)
  console.error(`  ${row.sampling}`)
  for (const way of Object.keys(runs)) {
    const perPixel = ((row[way].processorSeconds / pixels / count) * 1e6).toFixed(1)
    console.error(`  ${way.padEnd(7)} ${row[way].seconds.toFixed(3)} s (${row[way].processorSeconds.toFixed(3)} s of processor time, ${perPixel} µs a pixel)${way === 'passes' ? ', extrapolated' : ''}`)
  }
  console.error(`  replay both ways: distance at most ${row.replayDistance.toExponential(1)}; ${row.differentValues} of ${drawn.values.length} values differ; −log p of a pixel by at most ${row.largestDifferenceNats.toExponential(1)} nats`)
  await opened.release()
}
if (values.json) console.log(JSON.stringify({ rows, cpu: cpus()[0].model, node: process.version }, null, 2))
