/**
 * Two exported models made by hand, whose probabilities are known in closed form: tables, so that a test can compute
 * everything that the runtime returns. Axes: B batch, S steps, C components, V = 3 values, R rows of a table.
 *
 * `chain`: variable length, C = 1. The row of a variable depends on the value before it, the one before that (state
 * `context`, [batch]) and the parity of the sum of all values so far (state `seen`, [batch, past]): a state that is
 * lost, mixed up between samples or cut short changes the numbers.
 * `grid`: d = 4 variables of C = 2 components in the order 2, 0, 3, 1. The row depends on the rank and on both
 * components of the variable before it in that order.
 */
import { createHash } from 'node:crypto'
import { encodeManifest, encodeSafetensors, graphFiles, manifestFile, type ModelManifest, uniform, weightsFile } from '@chainrule/core'
import { Graph, type Value } from './onnx-writer.js'

export const V = 3
const weightsShape = (components: number, rows: number) => [components, rows, V]

/** Logits that differ in every entry and are far from uniform. */
const table = (components: number, rows: number, seed: number) => Float32Array.from({ length: components * rows * V }, (_, at) => 4 * uniform(seed, 'initialization', 0, at) - 2)

const int32 = (name: string, ...shape: Value['shape']): Value => ({ name, type: 'int32', shape })
const float32 = (name: string, ...shape: Value['shape']): Value => ({ name, type: 'float32', shape })
const bool = (name: string, ...shape: Value['shape']): Value => ({ name, type: 'bool', shape })

/** Draws one variable: logits [B, C, V]; returns values, drawn [B, C], distance, nats [B]. K = 1. */
function draw(g: Graph, logits: string, uniforms: string, temperature: string, given: string, isGiven: string) {
  const [axis1, axis2] = [g.constant('int64', [1], [1]), g.constant('int64', [1], [2])]
  const cumulative = g.node('CumSum', [g.node('Softmax', [g.node('Div', [logits, temperature])], { axis: 2 }), g.constant('int64', [], [2])])
  const below = g.node('ReduceSum', [g.node('Cast', [g.node('LessOrEqual', [cumulative, uniforms])], { to: 6 }), axis2], { keepdims: 0 })
  const last = g.constant('int32', [1], [V - 1])
  const drawn = g.node('Min', [below, last])
  const values = g.node('Where', [g.node('Unsqueeze', [isGiven, axis1]), given, drawn])
  const index = g.node('Unsqueeze', [g.node('Cast', [values], { to: 7 }), axis2])
  const bounds = g.node('Pad', [cumulative, g.constant('int64', [6], [0, 0, 1, 0, 0, 0])])
  const lower = g.node('GatherElements', [bounds, index], { axis: 2 })
  const upper = g.node('GatherElements', [bounds, g.node('Add', [index, g.constant('int64', [1], [1])])], { axis: 2 })
  const end = g.node('Where', [g.node('Equal', [index, g.constant('int64', [1], [V - 1])]), g.constant('float32', [1], [1]), upper])
  const outside = g.node('Max', [g.node('Sub', [lower, uniforms]), g.node('Sub', [uniforms, end]), g.constant('float32', [1], [0])])
  const distance = g.node('ReduceMax', [outside, g.constant('int64', [2], [1, 2])], { keepdims: 0 })
  const logProbability = g.node('GatherElements', [g.node('LogSoftmax', [logits], { axis: 2 }), index], { axis: 2 })
  const nats = g.node('Neg', [g.node('ReduceSum', [logProbability, g.constant('int64', [2], [1, 2])], { keepdims: 0 })])
  return { values, drawn, distance, nats }
}

/** Rows int32 [B] of the table [C, R, V] → logits [B, C, V]. */
const logitsOf = (g: Graph, rows: string) => g.node('Transpose', [g.node('Gather', ['table', rows], { axis: 1 })], { perm: [1, 0, 2] })

/** Logits [B, S, C, V] and x [B, S, C] → nats [B, S]. */
function natsOf(g: Graph, rows: string, x: string): string {
  const logits = g.node('Transpose', [g.node('Gather', ['table', rows], { axis: 1 })], { perm: [1, 2, 0, 3] })
  const index = g.node('Unsqueeze', [g.node('Cast', [x], { to: 7 }), g.constant('int64', [1], [3])])
  const chosen = g.node('GatherElements', [g.node('LogSoftmax', [logits], { axis: 3 }), index], { axis: 3 })
  return g.node('Neg', [g.node('ReduceSum', [chosen, g.constant('int64', [2], [2, 3])], { keepdims: 0 })])
}

interface Design {
  components: number
  rows: number
  state: ModelManifest['state']
  domain: ModelManifest['domain']
  order: ModelManifest['order']
  /** The row of one variable and the next state. */
  step(g: Graph, previous: string, isStart: string, state: Record<string, string>): { row: string; state: Record<string, string> }
  score(): Graph
}

const stateValues = (prefix: string, { state }: Design): Value[] => state.map(({ name, type, shape }) => ({ name: `${prefix}.${name}`, type, shape: shape.map((axis) => (axis === 'past' ? `${prefix}.${name}.past` : axis)) }))

function stepGraph(design: Design): Graph {
  const C = design.components
  const g = new Graph([int32('previous', 'batch', C), bool('isStart', 'batch'), float32('uniforms', 'batch', C, 1), float32('temperature', 1), int32('given', 'batch', C), bool('isGiven', 'batch'), ...stateValues('state', design)])
  const { row, state } = design.step(g, 'previous', 'isStart', Object.fromEntries(design.state.map(({ name }) => [name, `state.${name}`])))
  const drawn = draw(g, logitsOf(g, row), 'uniforms', 'temperature', 'given', 'isGiven')
  for (const [name, value] of Object.entries({ value: drawn.values, drawn: drawn.drawn, distance: drawn.distance, nats: drawn.nats })) g.node('Identity', [value], {}, [name])
  for (const [name, value] of Object.entries(state)) g.node('Identity', [value], {}, [`next.${name}`])
  g.outputs = [int32('value', 'batch', C), int32('drawn', 'batch', C), float32('distance', 'batch'), float32('nats', 'batch'), ...stateValues('next', design)]
  return g
}

/** The step in a Loop; what is drawn piles up along a leading axis, which is then turned to the second. */
function sampleGraph(design: Design): Graph {
  const C = design.components
  const g = new Graph([int32('previous', 'batch', C), bool('isStart', 'batch'), float32('uniforms', 'batch', 'steps', C, 1), float32('temperature', 1), int32('given', 'batch', 'steps', C), bool('isGiven', 'batch', 'steps'), ...stateValues('state', design)])
  const carried = (prefix: string) => design.state.map(({ name, type, shape }) => ({ name: `${prefix}.${name}`, type, shape: shape.map((axis, i) => (axis === 'past' ? `${prefix}.${name}.${i}` : axis)) }))
  const body = new Graph([{ name: 'i', type: 'int64', shape: [] }, bool('go'), int32('body.previous', 'batch', C), bool('body.isStart', 'batch'), ...carried('body')])
  const at = (rows: string) => body.node('Gather', [rows, 'i'], { axis: 1 })
  const { row, state } = design.step(body, 'body.previous', 'body.isStart', Object.fromEntries(design.state.map(({ name }) => [name, `body.${name}`])))
  const drawn = draw(body, logitsOf(body, row), at('uniforms'), 'temperature', at('given'), at('isGiven'))
  const piles = [int32('pile.values', 'batch', C), int32('pile.drawn', 'batch', C), float32('pile.distance', 'batch'), float32('pile.nats', 'batch')]
  body.node('Identity', ['go'], {}, ['goOn'])
  body.node('Identity', [drawn.values], {}, ['last'])
  body.node('And', ['body.isStart', body.constant('bool', [1], [0])], {}, ['later'])
  for (const [name, value] of Object.entries(state)) body.node('Identity', [value], {}, [`after.${name}`])
  for (const { name } of piles) body.node('Identity', [drawn[name.slice(5) as keyof typeof drawn]], {}, [name])
  body.outputs = [bool('goOn'), int32('last', 'batch', C), bool('later', 'batch'), ...carried('after'), ...piles]
  const steps = g.node('Gather', [g.node('Shape', ['isGiven']), g.constant('int64', [], [1])])
  const results = ['lastOfAll', 'laterOfAll', ...design.state.map(({ name }) => `next.${name}`), ...piles.map(({ name }) => `all.${name}`)]
  g.node('Loop', [steps, g.constant('bool', [], [1]), 'previous', 'isStart', ...design.state.map(({ name }) => `state.${name}`)], { body }, results)
  for (const name of ['values', 'drawn']) g.node('Transpose', [`all.pile.${name}`], { perm: [1, 0, 2] }, [name])
  for (const name of ['distance', 'nats']) g.node('Transpose', [`all.pile.${name}`], { perm: [1, 0] }, [name])
  g.outputs = [int32('values', 'batch', 'steps', C), int32('drawn', 'batch', 'steps', C), float32('distance', 'batch', 'steps'), float32('nats', 'batch', 'steps'), ...stateValues('next', design)]
  return g
}

/** x without its last column, behind `first` [B, 1]. */
const shifted = (g: Graph, first: string, x: string) =>
  g.node('Concat', [first, g.node('Slice', [x, g.constant('int64', [1], [0]), g.constant('int64', [1], [-1]), g.constant('int64', [1], [1])])], { axis: 1 })

const chainDesign: Design = {
  components: 1,
  rows: 19,
  domain: { length: 'variable', components: 1, values: V },
  order: { name: 'leftToRight', options: {} },
  state: [
    { name: 'index', type: 'int32', shape: [1] },
    { name: 'context', type: 'int32', shape: ['batch'] },
    { name: 'seen', type: 'float32', shape: ['batch', 'past'] },
  ],
  step(g, previous, isStart, { index, context, seen }) {
    const axis1 = g.constant('int64', [1], [1])
    const zero = g.constant('int32', [1], [0])
    const q = g.node('Where', [isStart, zero, g.node('Squeeze', [previous, axis1])])
    const nextSeen = g.node('Concat', [seen, g.node('Unsqueeze', [g.node('Cast', [q], { to: 1 }), axis1])], { axis: 1 })
    const parity = g.node('Mod', [g.node('Cast', [g.node('ReduceSum', [nextSeen, axis1], { keepdims: 0 })], { to: 6 }), g.constant('int32', [1], [2])])
    const row = chainRow(g, isStart, parity, context, q)
    return { row, state: { index: g.node('Add', [index, g.constant('int32', [1], [1])]), context: q, seen: nextSeen } }
  },
  score() {
    const g = new Graph([int32('x', 'batch', 'sequence', 1), int32('previous', 'batch', 1), bool('isStart', 'batch'), ...stateValues('state', this)])
    const [axis1, axis2] = [g.constant('int64', [1], [1]), g.constant('int64', [1], [2])]
    const before = shifted(g, 'previous', g.node('Squeeze', ['x', axis2]))
    const starts = g.node('Cast', [shifted(g, g.node('Cast', [g.node('Unsqueeze', ['isStart', axis1])], { to: 6 }), g.node('Mul', [before, g.constant('int32', [1], [0])]))], { to: 9 })
    const q = g.node('Where', [starts, g.constant('int32', [1], [0]), before])
    const contexts = shifted(g, g.node('Unsqueeze', ['state.context', axis1]), q)
    const sums = g.node('Add', [g.node('CumSum', [g.node('Cast', [q], { to: 1 }), g.constant('int64', [], [1])]), g.node('ReduceSum', ['state.seen', axis1])])
    const parity = g.node('Mod', [g.node('Cast', [sums], { to: 6 }), g.constant('int32', [1], [2])])
    g.node('Identity', [natsOf(g, chainRow(g, starts, parity, contexts, q), 'x')], {}, ['nats'])
    g.node('Gather', [q, g.constant('int64', [], [-1])], { axis: 1 }, ['next.context'])
    g.node('Concat', ['state.seen', g.node('Cast', [q], { to: 1 })], { axis: 1 }, ['next.seen'])
    const size = g.node('Cast', [g.node('Slice', [g.node('Shape', ['x']), axis1, axis2])], { to: 6 })
    g.node('Add', ['state.index', size], {}, ['next.index'])
    g.outputs = [float32('nats', 'batch', 'sequence'), ...stateValues('next', this)]
    return g
  },
}

/** 0 at the start, else 1 + 9 parity + 3 context + previous. */
function chainRow(g: Graph, isStart: string, parity: string, context: string, previous: string): string {
  const times = (value: string, factor: number) => g.node('Mul', [value, g.constant('int32', [1], [factor])])
  const sum = g.node('Sum', [parity, context].map((value, i) => g.node('Cast', [times(value, i ? 3 : 9)], { to: 1 })))
  const row = g.node('Add', [g.node('Add', [g.node('Cast', [sum], { to: 6 }), previous]), g.constant('int32', [1], [1])])
  return g.node('Where', [isStart, g.constant('int32', [1], [0]), row])
}

export const gridPermutation = [2, 0, 3, 1]
const gridRowsOfRank = 1 + V * V

const gridDesign: Design = {
  components: 2,
  rows: 4 * gridRowsOfRank,
  domain: { length: 4, components: 2, values: V },
  order: { name: 'custom', options: { permutation: gridPermutation }, permutation: gridPermutation },
  state: [{ name: 'index', type: 'int32', shape: [1] }],
  step(g, previous, isStart, { index }) {
    const number = g.node('ReduceSum', [g.node('Mul', [previous, g.constant('int32', [2], [V, 1])]), g.constant('int64', [1], [1])], { keepdims: 0 })
    const first = g.node('Mul', [index, g.constant('int32', [1], [gridRowsOfRank])])
    const one = g.constant('int32', [1], [1])
    const row = g.node('Add', [first, g.node('Where', [isStart, g.constant('int32', [1], [0]), g.node('Add', [number, one])])])
    return { row, state: { index: g.node('Add', [index, one]) } }
  },
  score() {
    const g = new Graph([int32('x', 'batch', 4, 2)])
    const ranked = g.node('Gather', ['x', g.constant('int64', [4], gridPermutation)], { axis: 1 })
    const numbers = g.node('Add', [g.node('ReduceSum', [g.node('Mul', [ranked, g.constant('int32', [2], [V, 1])]), g.constant('int64', [1], [2])], { keepdims: 0 }), g.constant('int32', [1], [1])])
    const first = g.node('Mul', [g.node('Slice', [numbers, g.constant('int64', [1], [0]), g.constant('int64', [1], [1]), g.constant('int64', [1], [1])]), g.constant('int32', [1], [0])])
    const rows = g.node('Add', [shifted(g, first, numbers), g.constant('int32', [4], [0, 1, 2, 3].map((rank) => rank * gridRowsOfRank))])
    const inverse = [0, 1, 2, 3].map((position) => gridPermutation.indexOf(position))
    g.node('Gather', [natsOf(g, rows, ranked), g.constant('int64', [4], inverse)], { axis: 1 }, ['nats'])
    g.outputs = [float32('nats', 'batch', 4)]
    return g
  },
}

export type ModelFiles = Record<string, Uint8Array>

/** model.json anew, after the manifest or a file was changed. */
export function withManifest(files: ModelFiles, change: (manifest: ModelManifest & { files: Record<string, unknown> }) => object = (manifest) => manifest): ModelFiles {
  const manifest = JSON.parse(new TextDecoder().decode(files[manifestFile]))
  return { ...files, [manifestFile]: encodeManifest(change(manifest) as ModelManifest) }
}

export const listing = (bytes: Uint8Array) => ({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') })

function exported(design: Design, seed: number): { files: ModelFiles; table: Float32Array } {
  const data = table(design.components, design.rows, seed)
  const shape = weightsShape(design.components, design.rows)
  const { bytes: weights, places } = encodeSafetensors({ tensors: { 'network/unused': { shape: [3], data: new Float32Array(3) }, 'network/table': { shape, data } }, metadata: {} })
  const { offset, length } = places['network/table']
  const graphs = { score: design.score(), step: stepGraph(design), sample: sampleGraph(design) }
  const files: ModelFiles = { [weightsFile]: weights }
  for (const [name, graph] of Object.entries(graphs)) {
    graph.external('table', shape, weightsFile, offset, length)
    files[graphFiles[name as keyof typeof graphs]] = graph.file()
  }
  const piece = { name: 'table', options: {} }
  const manifest: ModelManifest = {
    formatVersion: 1,
    producer: 'test',
    modality: 'test',
    domain: design.domain,
    order: design.order,
    network: piece,
    head: piece,
    uniformsPerComponent: 1,
    tokenizer: piece,
    state: design.state,
    parameters: data.length + 3,
    files: Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, listing(bytes)])),
    card: { data: {}, results: {}, training: {}, exportedAt: '2026-01-01T00:00:00Z' },
  }
  return { files: { [manifestFile]: encodeManifest(manifest), ...files }, table: data }
}

function softmax(logits: ArrayLike<number>): number[] {
  const weights = Array.from(logits, (logit) => Math.exp(logit))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => weight / total)
}

export const chain = exported(chainDesign, 1)
export const grid = exported(gridDesign, 2)

/** p(· | all values before), exactly. */
export function chainProbabilities(before: ArrayLike<number>): number[] {
  const n = before.length
  const sum = Array.from(before).reduce((total, value) => total + value, 0)
  const row = n === 0 ? 0 : 1 + 9 * (sum % 2) + 3 * (n > 1 ? before[n - 2] : 0) + before[n - 1]
  return softmax(chain.table.subarray(row * V, (row + 1) * V))
}

/** p(component · of the variable of this rank | the variable of the rank before). */
export function gridProbabilities(rank: number, component: number, before?: ArrayLike<number>): number[] {
  const row = rank * gridRowsOfRank + (before ? 1 + V * before[0] + before[1] : 0)
  const start = (component * 4 * gridRowsOfRank + row) * V
  return softmax(grid.table.subarray(start, start + V))
}
