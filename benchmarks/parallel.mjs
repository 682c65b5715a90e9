/**
 * Why teacher forcing is parallel: a training step of a causal network over all positions at once, beside the same loss and gradients
 * computed one position at a time (a pass over the prefix for each), as a network without causal structure would have to.
 *
 *   npm run benchmark -- parallel [--positions 8,16,32] [--threads 1] [--json]
 *
 * GPT of 4 layers, 4 heads, width 128, batch 12; both are one recorded program with the same result. Prints milliseconds of a step and the ratio.
 */
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { leftToRight, uniformIndex } from '@chainrule/core'
import { categorical, createModel } from '@chainrule/core/tensors'
import { transformer } from '@chainrule/networks'
import { onnx } from '@chainrule/onnx'
import { initialState, numbersOf, resolveSettings, trainingProgram } from '@chainrule/train'
import * as tf from '@tensorflow/tfjs-core'

const { values } = parseArgs({ options: { positions: { type: 'string', default: '8,16,32' }, threads: { type: 'string', default: '1' }, json: { type: 'boolean', default: false } } })
const batch = 12
const symbols = 65
const settings = resolveSettings({ steps: 1000, batchSize: batch })
const model = createModel({
  domain: { length: 'variable', components: 1, values: symbols },
  order: leftToRight(),
  network: transformer({ layers: 4, heads: 4, width: 128, context: 64 }),
  head: categorical({ tied: true }),
})
/** The same likelihood, a pass for each position: only the last log-probability of each prefix is used. */
const onePositionAtATime = {
  ...model,
  logProbability(parameters, x, before) {
    const [rows, length] = x.shape
    const each = Array.from({ length }, (_, i) => tf.slice(model.logProbability(parameters, tf.slice(x, [0, 0, 0], [rows, i + 1, 1]), before), [0, i], [rows, 1]))
    return tf.concat(each, 1)
  },
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]
const rows = []
for (const length of values.positions.split(',').map(Number)) {
  const inputs = {
    x: Int32Array.from({ length: batch * length }, (_, i) => uniformIndex(symbols, 1, 'batches', 0, i)),
    previous: new Int32Array(batch),
    isStart: new Uint8Array(batch),
  }
  const sides = {}
  for (const [side, chosen] of Object.entries({ parallel: model, sequential: onePositionAtATime })) {
    const { program, specification } = trainingProgram(chosen, settings, length, initialState(model, 1))
    sides[side] = { compiled: await onnx({ threads: Number(values.threads) }).compile(program, specification), ms: [], nats: [] }
  }
  for (let round = 0; round < 8; round++) {
    for (const side of Object.values(sides)) {
      const begun = performance.now()
      const { nats } = await side.compiled.run({ ...inputs, numbers: numbersOf(round, 0, 1e-3, settings) })
      if (round > 0) side.ms.push(performance.now() - begun)
      side.nats.push(nats[0])
    }
  }
  const difference = Math.max(...sides.parallel.nats.map((nats, i) => Math.abs(nats - sides.sequential.nats[i])))
  const row = { positions: length, parallelMs: median(sides.parallel.ms), sequentialMs: median(sides.sequential.ms), largestDifferenceNats: difference, load: loadavg()[0] }
  row.ratio = row.sequentialMs / row.parallelMs
  rows.push(row)
  console.error(`${length} positions: all at once ${row.parallelMs.toFixed(1)} ms, one at a time ${row.sequentialMs.toFixed(1)} ms, ratio ${row.ratio.toFixed(1)}; the losses differ by at most ${difference.toExponential(1)} nats (load ${row.load.toFixed(2)})`)
  for (const { compiled } of Object.values(sides)) await compiled.release()
}
if (values.json) console.log(JSON.stringify({ rows, node: process.version }, null, 2))
