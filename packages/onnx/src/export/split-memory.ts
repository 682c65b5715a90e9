/**
 * What attention remembers, in two parts: what was there before the loop stands still, and only what the loop adds is carried from step to
 * step. A Loop copies what grows at every step, so a step would copy all keys and values, which takes longer than to use them.
 *
 *   scores  q·[K, k]ᵀ = [q·Kᵀ, q·kᵀ]        values  w·[V, v] = w_K·V + w_k·v        K, V before the loop, k, v of its steps so far
 *
 * A step reaches back `context` variables, itself among them; here older ones are hidden by −10⁹, since what stands still is not cut at each
 * step. Axes: B batch, H heads, F features of a head, P past before the loop, R steps of the loop so far, the current one among them.
 */
import { type Graph, type Initializer, type Node, renamed, type Value } from '../graph.js'
import { nextPrefix, statePrefix } from './programs.js'

export interface Memory {
  /** The input with all that was remembered before the loop. */
  readonly state: Value
  /** The input, named as state is, with what the loop has added: its first value has a past of 0. */
  readonly recent: Value
  /** Starts, ends and axes of the Slice that keeps of a list what the next variable can still see. */
  readonly cut: readonly string[]
}

export interface SplitStep {
  readonly step: Graph
  readonly memories: readonly Memory[]
}

const node = (operator: string, inputs: string[], outputs: string[], attributes: Node['attributes'] = {}): Node => ({ operator, domain: '', inputs, outputs, attributes })
/** The axes of scores, keys and values that count variables. */
const [keyAxis, scoreAxis] = [2, 3]

/** Keys or values: Concat(state, new), what is kept of that, and the one node that uses it. */
interface List {
  readonly state: Value
  readonly concat: Node
  readonly cut: Node
  readonly use: Node
}

/** One attention of a step: Softmax(queries · factor · Concat(K, k)ᵀ) · Concat(V, v). */
interface Attention {
  readonly keys: List
  readonly values: List
  /** Of queries, and of what they are multiplied by first: onnxruntime would join the two, and a product of one row with a factor is several times slower. */
  readonly queries: string
  readonly factor: string
  readonly scores: Node
  readonly softmax: Node
  readonly product: Node
  readonly context: number
}

function attentionsOf(step: Graph): Attention[] | undefined {
  const readers = (name: string) => step.nodes.filter(({ inputs }) => inputs.includes(name))
  const numberAt = (name: string) => {
    const data = step.initializers.find((each) => each.name === name)?.data
    return data && Number(data[0])
  }
  const memories = step.inputs.filter(({ name, shape }) => name.startsWith(statePrefix) && shape.indexOf('past') === keyAxis)
  const lists = memories.flatMap((state): List[] => {
    const [concat, ...others] = readers(state.name)
    if (others.length || concat?.operator !== 'Concat' || concat.attributes.axis !== keyAxis || concat.inputs.length !== 2 || concat.inputs[0] !== state.name) return []
    const [cut, use, ...more] = readers(concat.outputs[0]).toSorted((a, b) => Number(b.operator === 'Slice') - Number(a.operator === 'Slice'))
    return cut?.operator === 'Slice' && use && !more.length ? [{ state, concat, cut, use }] : []
  })
  if (lists.length < memories.length) return undefined
  const found: Attention[] = []
  for (const keys of lists) {
    if (keys.use.operator !== 'Transpose') continue
    const one = (name: string, operator: string) => {
      const [first, ...others] = readers(name)
      return !others.length && first?.operator === operator ? first : undefined
    }
    const scores = one(keys.use.outputs[0], 'MatMul')
    const softmax = scores && one(scores.outputs[0], 'Softmax')
    const product = softmax && one(softmax.outputs[0], 'MatMul')
    const values = lists.find((list) => list.use === product)
    const scaled = scores && step.nodes.find(({ outputs }) => outputs[0] === scores.inputs[0])
    const kept = numberAt(keys.cut.inputs[1])
    if (!scores || scaled?.operator !== 'Mul' || numberAt(scaled.inputs[1]) === undefined || !softmax || !product || !values || kept === undefined || kept >= 0 || values.cut.inputs.slice(1).join() !== keys.cut.inputs.slice(1).join()) return undefined
    found.push({ keys, values, queries: scaled.inputs[0], factor: scaled.inputs[1], scores, softmax, product, context: 1 - kept })
  }
  return 2 * found.length === lists.length ? found : undefined
}

/**
 * @param iteration what the loop's body calls the number of the step
 * @returns the step with inputs and outputs for what is recent in place of all that is remembered, which it reads from outside; the step
 *   as it was, where something else than attention remembers
 */
export function splitMemory(step: Graph, iteration: string): SplitStep {
  const attentions = attentionsOf(step)
  if (!attentions?.length || new Set(attentions.map(({ context }) => context)).size > 1) return { step, memories: [] }
  const constants: Initializer[] = []
  const integer = (name: string, value: number, shape: number[]) => {
    constants.push({ name, type: 'int64', shape, data: BigInt64Array.of(BigInt(value)) })
    return name
  }
  const number = (name: string, value: number) => {
    constants.push({ name, type: 'float32', shape: [], data: Float32Array.of(value) })
    return name
  }
  const recentOf = (state: Value): Value => ({ ...state, name: `${statePrefix}recent.${state.name.slice(statePrefix.length)}` })
  const [{ keys: first, context }] = attentions
  const added: Node[] = [
    // 0 for what the step sees, −10⁹ for what lies further back, [P + R]; and how many stand where.
    node('Shape', [first.state.name], ['memory.past'], { start: keyAxis, end: keyAxis + 1 }),
    node('Squeeze', ['memory.past'], ['memory.count']),
    node('Sub', ['memory.count', integer('memory.context', context, [])], ['memory.hiddenBefore']),
    node('Add', [iteration, 'memory.hiddenBefore'], ['memory.lastHidden']),
    node('Add', [iteration, integer('memory.one', 1, [])], ['memory.steps']),
    node('Add', ['memory.count', 'memory.steps'], ['memory.all']),
    node('Range', [integer('memory.zero', 0, []), 'memory.all', 'memory.one'], ['memory.places']),
    node('LessOrEqual', ['memory.places', 'memory.lastHidden'], ['memory.isHidden']),
    node('Where', ['memory.isHidden', number('memory.never', -1e9), number('memory.nothing', 0)], ['memory.mask']),
    node('Unsqueeze', ['memory.steps', integer('memory.axis', 0, [1])], ['memory.recent']),
    node('Concat', ['memory.past', 'memory.recent'], ['memory.parts'], { axis: 0 }),
  ]
  const replaced = new Map<Node, Node[]>()
  attentions.forEach(({ keys, values, queries, factor, scores, softmax, product }, which) => {
    const own = (name: string) => `memory.${name}${which}`
    for (const { state, concat, cut } of [keys, values]) {
      replaced.set(concat, [{ ...concat, inputs: [recentOf(state).name, concat.inputs[1]] }])
      replaced.set(cut, [])
    }
    replaced.set(keys.use, [{ ...keys.use, inputs: [keys.state.name], outputs: [own('transposed')] }, keys.use])
    replaced.set(scores, [
      node('MatMul', [queries, own('transposed')], [own('scoresBefore')]),
      { ...scores, inputs: [queries, scores.inputs[1]], outputs: [own('scoresRecent')] },
      node('Concat', [own('scoresBefore'), own('scoresRecent')], [own('scores')], { axis: scoreAxis }),
      node('Mul', [own('scores'), factor], [own('scaled')]),
      node('Add', [own('scaled'), 'memory.mask'], [scores.outputs[0]]),
    ])
    replaced.set(softmax, [softmax, node('Split', [softmax.outputs[0], 'memory.parts'], [own('weightsBefore'), own('weightsRecent')], { axis: scoreAxis })])
    replaced.set(product, [
      node('MatMul', [own('weightsBefore'), values.state.name], [own('before')]),
      { ...product, inputs: [own('weightsRecent'), product.inputs[1]], outputs: [own('recent')] },
      node('Add', [own('before'), own('recent')], [product.outputs[0]]),
    ])
  })
  const lists = attentions.flatMap(({ keys, values }) => [keys, values])
  const nextOf = new Map(lists.map(({ state, concat, cut }) => [cut.outputs[0], { value: concat.outputs[0], name: nextPrefix + recentOf(state).name.slice(statePrefix.length) }]))
  const renaming = new Map([...nextOf.values()].map(({ value, name }) => [value, name]))
  const split: Graph = {
    ...step,
    inputs: step.inputs.map((input) => (lists.some(({ state }) => state.name === input.name) ? recentOf(input) : input)),
    outputs: step.outputs.map((output) => ({ ...output, name: nextOf.get(output.name)?.value ?? output.name })),
    initializers: [...step.initializers, ...constants],
    nodes: [...added, ...step.nodes.flatMap((each) => replaced.get(each) ?? [each])],
  }
  return { step: renamed(split, (name) => renaming.get(name) ?? name), memories: lists.map(({ state, cut }) => ({ state, recent: recentOf(state), cut: cut.inputs.slice(1) })) }
}
