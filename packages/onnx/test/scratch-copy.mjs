import ort from 'onnxruntime-node'
import { record, serialize } from '../dist/index.js'
import * as tf from '@tensorflow/tfjs-core'
const n = 10_000_000
const g = record(({ x }) => ({ y: tf.add(x, 1) }), { x: { shape: [n], type: 'float32' } }, { target: 'standard' })
const s = await ort.InferenceSession.create(serialize(g), { intraOpNumThreads: 1 })
const a = new Float32Array(n), b = new Float32Array(n)
const X = new ort.Tensor('float32', a, [n]), Y = new ort.Tensor('float32', b, [n])
for (const [name, f] of [['prealloc', { y: Y }], ['alias', { y: X }], ['none', undefined]]) {
  const ts = []
  for (let i = 0; i < 8; i++) { const c = process.cpuUsage(); const t = performance.now(); const r = f ? await s.run({ x: X }, f) : await s.run({ x: X }); const d = process.cpuUsage(c); ts.push([(performance.now() - t).toFixed(1), (d.user / 1000).toFixed(1), (d.system / 1000).toFixed(1)]); if (i === 7) console.log(name, r.y === f?.y, r.y.data === f?.y.data, r.y.data.buffer === f?.y.data.buffer) }
  console.log(name, ts.slice(3).join(' | '))
}
