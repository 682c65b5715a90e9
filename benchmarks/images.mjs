/**
 * Images: what sampling costs as the image doubles, on one thread. A sample is one call of the exported loop, pixel by pixel; it should cost as
 * many times more as there are more pixels. Beside it the sampler without state, a full forward pass for every pixel, of which one is timed.
 *
 *   npm run benchmark -- images [--sizes 14x14,14x28,28x28,28x56,56x56] [--layers 7] [--width 32] [--rounds 5] [--json]
 *
 * PixelCNN of binary pixels with untrained weights. Prints medians of wall and of processor time, and whether the loop is replayed step by step.
 */
import { createHash } from 'node:crypto'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { raster } from '@chainrule/core'
import { bernoulli, createModel } from '@chainrule/core/tensors'
import { maskedConvolution } from '@chainrule/networks'
import { recordModel } from '@chainrule/onnx'
import { openModel } from '@chainrule/runtime'

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '14x14,14x28,28x28,28x56,56x56' },
    layers: { type: 'string', default: '7' },
    width: { type: 'string', default: '32' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
})
const [layers, width, rounds] = [values.layers, values.width, values.rounds].map(Number)
const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]

async function timed(work) {
  const [began, processor] = [performance.now(), process.cpuUsage()]
  const result = await work()
  const { user, system } = process.cpuUsage(processor)
  return { result, ms: performance.now() - began, processorMs: (user + system) / 1e3 }
}

const subjects = []
for (const [rows, columns] of values.sizes.split(',').map((size) => size.split('x').map(Number))) {
  const positions = rows * columns
  const domain = { length: positions, components: 1, values: 2, locations: { axes: ['row', 'column'], shape: [rows, columns] } }
  const model = createModel({ domain, order: raster(), network: maskedConvolution({ layers, width }), head: bernoulli() })
  const card = { data: {}, results: {}, training: {}, exportedAt: new Date(0).toISOString() }
  const files = recordModel({ model, parameters: model.initialize(1), modality: 'image', tokenizer: { name: 'none', options: {} }, card })
  subjects.push({ rows, columns, positions, opened: await openModel(files, { provider: 'cpu' }), loop: [], pass: [] })
}
// In turns, so that what else the machine does meets all sizes alike. The first round opens sessions and is not counted.
for (let round = -1; round < rounds; round++) {
  for (const { positions, opened, loop, pass } of subjects) {
    const sampled = await timed(() => opened.sample({ count: 1, seed: 1, sampler: 'graph' }))
    const scored = await timed(() => opened.score({ x: new Int32Array(positions) }))
    if (round < 0) continue
    loop.push(sampled)
    pass.push(scored)
  }
}
const table = []
for (const { rows, columns, positions, opened, loop, pass } of subjects) {
  const { result } = loop[0]
  const replayed = await opened.replay({ values: result.values, count: 1, seed: 1, sampler: 'steps' })
  const of = (list, key) => median(list.map((each) => each[key]))
  table.push({
    size: `${rows} × ${columns}`,
    positions,
    ms: of(loop, 'ms'),
    microsecondsPerPosition: (1e3 * of(loop, 'ms')) / positions,
    processorMicrosecondsPerPosition: (1e3 * of(loop, 'processorMs')) / positions,
    fullPassesMs: of(pass, 'ms') * positions,
    replayDistance: Math.max(...replayed.distance),
  })
  await opened.release()
}
const hash = createHash('sha256').update(JSON.stringify({ layers, width, sizes: values.sizes })).digest('hex').slice(0, 12)
console.error(`PixelCNN, ${layers} + 1 layers × ${width} channels, one thread, configuration ${hash}, load ${loadavg()[0].toFixed(2)}`)
console.error('  size        pixels    ms an image   µs a pixel (by processor time)   full passes, ms   replayed: distance at most')
for (const row of table) {
  const perPosition = `${row.microsecondsPerPosition.toFixed(0)} (${row.processorMicrosecondsPerPosition.toFixed(0)})`
  console.error(`  ${row.size.padEnd(10)} ${String(row.positions).padStart(7)} ${row.ms.toFixed(1).padStart(14)} ${perPosition.padStart(20)} ${row.fullPassesMs.toFixed(0).padStart(28)} ${row.replayDistance.toExponential(1).padStart(20)}`)
}
if (values.json) console.log(JSON.stringify({ hash, rows: table, load: loadavg()[0], cpu: cpus()[0].model, node: process.version }, null, 2))
