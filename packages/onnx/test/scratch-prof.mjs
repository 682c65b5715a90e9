import fs from 'node:fs'
import { createModel, categorical, scoped } from '@chainrule/core/tensors'
import { leftToRight } from '@chainrule/core'
import { transformer } from '@chainrule/networks'
import { trainingProgram, initialState, resolveSettings, updateNumbers } from '../../train/dist/index.js'
import { record, serialize } from '../dist/index.js'
import ort from 'onnxruntime-node'
const [L, H, D, T, B, threads = 1, positions = 'rotary', steps = 20] = process.argv.slice(2).map((x) => (isNaN(x) ? x : Number(x)))
const model = createModel({ domain: { length: 'variable', components: 1, values: 65 }, order: leftToRight(), network: transformer({ layers: L, heads: H, width: D, context: T, positions }), head: categorical() })
const settings = resolveSettings({ steps: 100, batchSize: B, seed: 1 })
const start = initialState(model, 1)
const { program, specification } = trainingProgram(model, settings, T, start)
const pre = (p, o) => Object.fromEntries(Object.entries(o).map(([k, v]) => [p + k, v]))
const specs = { ...pre('carried/', Object.fromEntries(Object.entries(specification.carried).map(([k, { shape }]) => [k, { shape, type: 'float32' }]))), ...pre('input/', specification.inputs) }
let t0 = performance.now()
const graph = record((all) => { const r = program(scoped(all, 'carried/'), scoped(all, 'input/')); return { ...pre('next/', r.carried), ...pre('output/', r.outputs) } }, specs, { target: 'onnxruntime' })
console.log('record', (performance.now() - t0).toFixed(0), 'nodes', graph.nodes.length)
const count = {}
for (const n of graph.nodes) count[n.operator] = (count[n.operator] ?? 0) + 1
console.log(JSON.stringify(count))
fs.writeFileSync('/tmp/bench/step.onnx', serialize(graph))
const s = await ort.InferenceSession.create('/tmp/bench/step.onnx', { intraOpNumThreads: threads, executionProviders: ['cpu'], enableProfiling: true, profileFilePrefix: '/tmp/bench/prof', extra: { session: { set_denormal_as_zero: '1' } }, optimizedModelFilePath: '/tmp/bench/opt.onnx', logSeverityLevel: 3 })
const optimizer = { beta1: settings.beta1, beta2: settings.beta2, weightDecay: settings.weightDecay, clipNorm: settings.clipNorm, epsilon: 1e-8 }
const feeds = {}, fetches = {}
for (const [k, { shape, data }] of Object.entries(specification.carried)) { const a = Float32Array.from(data); feeds['carried/' + k] = new ort.Tensor('float32', a, shape); fetches['next/' + k] = new ort.Tensor('float32', a, shape) }
feeds['input/x'] = new ort.Tensor('int32', Int32Array.from({ length: B * T }, (_, i) => (i * i * 7 + 3 * i) % 65), [B, T, 1])
feeds['input/previous'] = new ort.Tensor('int32', new Int32Array(B), [B, 1])
feeds['input/isStart'] = new ort.Tensor('bool', new Uint8Array(B).fill(1), [B])
feeds['input/numbers'] = new ort.Tensor('float32', updateNumbers(0, 1e-3, optimizer), [3])
for (const o of graph.outputs) if (o.name.startsWith('output/')) fetches[o.name] = null
const times = [], cpu = []
for (let i = 0; i < steps; i++) { const c = process.cpuUsage().user; const t = performance.now(); await s.run(feeds, fetches); times.push(performance.now() - t); cpu.push((process.cpuUsage().user - c) / 1000) }
times.sort((a, b) => a - b); cpu.sort((a, b) => a - b)
console.log('min', times[0].toFixed(1), 'median', times[steps >> 1].toFixed(1), 'cpu min', cpu[0].toFixed(1), 'median', cpu[steps >> 1].toFixed(1))
s.handler?.endProfiling?.() ?? s.endProfiling()
const file = fs.readdirSync('/tmp/bench').filter((f) => f.startsWith('prof')).sort().pop()
const events = JSON.parse(fs.readFileSync('/tmp/bench/' + file, 'utf8'))
// per node: minimum over runs
const nodes = new Map()
for (const e of events) if (e.cat === 'Node' && e.name.endsWith('_kernel_time')) { const k = e.name; const v = nodes.get(k) ?? { op: e.args.op_name, shapes: JSON.stringify(e.args.input_type_shape), out: JSON.stringify(e.args.output_type_shape), times: [] }; v.times.push(e.dur); nodes.set(k, v) }
const groups = new Map()
for (const [, v] of nodes) { v.times.sort((a, b) => a - b); const m = v.times[v.times.length >> 2]; const k = v.op + ' ' + v.shapes.replaceAll('"float":', '').replaceAll('{', '').replaceAll('}', ''); const g = groups.get(k) ?? { n: 0, t: 0, op: v.op }; g.n++; g.t += m; groups.set(k, g) }
const ops = new Map()
for (const [, g] of groups) { const o = ops.get(g.op) ?? { n: 0, t: 0 }; o.n += g.n; o.t += g.t; ops.set(g.op, o) }
console.log('total', [...ops.values()].reduce((a, o) => a + o.t, 0) / 1000)
for (const [k, o] of [...ops].sort((a, b) => b[1].t - a[1].t).slice(0, 16)) console.log(k.padEnd(24), o.n, (o.t / 1000).toFixed(2))
console.log()
for (const [k, o] of [...groups].sort((a, b) => b[1].t - a[1].t).slice(0, Number(process.env.TOP ?? 45))) console.log((o.t / 1000).toFixed(2), o.n, k.slice(0, 150))
fs.unlinkSync('/tmp/bench/' + file)
