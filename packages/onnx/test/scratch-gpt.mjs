import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { createModel, categorical } from '@chainrule/core/tensors'
import { leftToRight } from '@chainrule/core'
import { transformer } from '@chainrule/networks'
import { trainingProgram, initialState, resolveSettings, updateNumbers, eager } from '../../train/dist/index.js'
import { onnx, record, serialize } from '../dist/index.js'
const [L, H, D, T, B, threads = 2, positions = 'rotary', steps = 30] = process.argv.slice(2).map((x) => (isNaN(x) ? x : Number(x)))
const model = createModel({ domain: { length: 'variable', components: 1, values: 65 }, order: leftToRight(), network: transformer({ layers: L, heads: H, width: D, context: T, positions }), head: categorical() })
const settings = resolveSettings({ steps: 100, batchSize: B, seed: 1 })
const start = initialState(model, 1)
const { program, specification } = trainingProgram(model, settings, T, start)
const optimizer = { beta1: settings.beta1, beta2: settings.beta2, weightDecay: settings.weightDecay, clipNorm: settings.clipNorm, epsilon: 1e-8 }
const batch = (s) => ({ x: Int32Array.from({ length: B * T }, (_, i) => (i * i * 7 + 3 * i + s * 11) % 65), previous: new Int32Array(B), isStart: new Uint8Array(B).fill(1), numbers: updateNumbers(s, 1e-3, optimizer) })
let t0 = performance.now()
const compiled = await onnx({ threads }).compile(program, specification)
console.log('compile', (performance.now() - t0).toFixed(0), 'ms')
const times = []
const losses = []
for (let s = 0; s < steps; s++) { const t = performance.now(); const r = await compiled.run(batch(s)); times.push(performance.now() - t); losses.push(r.nats[0]) }
times.sort((a, b) => a - b)
console.log('ms per step min', times[0].toFixed(1), 'median', times[steps >> 1].toFixed(1), 'loss', losses[0].toFixed(5), losses[steps - 1].toFixed(5))
if (process.env.CHECK) {
  await tf.setBackend('cpu')
  const slow = await eager().compile(program, specification)
  for (let s = 0; s < 3; s++) { const r = await slow.run(batch(s)); console.log('eager', r.nats[0], 'recorded', losses[s]) }
}
await compiled.release()
