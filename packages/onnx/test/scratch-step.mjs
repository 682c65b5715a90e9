import { createModel, categorical, scoped } from '@chainrule/core/tensors'
import { leftToRight } from '@chainrule/core'
import { transformer } from '@chainrule/networks'
import { recordSymbolic } from '../dist/index.js'
const model = createModel({ domain: { length: 'variable', components: 1, values: 65 }, order: leftToRight(), network: transformer({ layers: 2, heads: 4, width: 128, context: 64 }), head: categorical() })
const pre = (p, o) => Object.fromEntries(Object.entries(o).map(([k, v]) => [p + k, v]))
const p = model.initialize(1)
let t = performance.now()
const graph = recordSymbolic('step', (i) => { const d = model.step(scoped(i, 'w/'), scoped(i, 's/'), { values: i.previous, isStart: i.isStart }, { uniforms: i.uniforms, temperature: i.temperature, given: i.given, isGiven: i.isGiven }); return { value: d.values, distance: d.distance, lp: d.logProbability, all: d.logProbabilities, ...pre('n/', d.state) } }, {
  ...pre('w/', Object.fromEntries(Object.entries(p).map(([k, { shape }]) => [k, { shape, type: 'float32' }]))), ...pre('s/', Object.fromEntries(model.state.map(({ name, type, shape }) => [name, { type, shape }]))),
  previous: { shape: ['batch', 1], type: 'int32' }, isStart: { shape: ['batch'], type: 'bool' }, uniforms: { shape: ['batch', 1, 1], type: 'float32' }, temperature: { shape: [1], type: 'float32' }, given: { shape: ['batch', 1], type: 'int32' }, isGiven: { shape: ['batch'], type: 'bool' } })
console.log('ms', performance.now() - t, graph.nodes.length)
const consts = new Map(graph.initializers.map((i) => [i.name, i.data.length > 6 ? `[${i.shape}]` : '(' + Array.from(i.data, Number) + ')']))
for (const n of graph.nodes) console.log(n.outputs.join(' '), '=', n.operator, n.inputs.map((i) => consts.get(i) ?? i).join(', '), JSON.stringify(n.attributes))
