/**
 * The whole chain as one graph: a Loop whose body is the step graph. What does not change from step to step
 * (weights, shapes, constants) is computed before it, once; what no later step waits for, after it (after-loop.ts).
 */
import { ChainruleError } from '@chainrule/core'
import { type Graph, type Initializer, namesRead, type Node, renamed, type Value } from '../graph.js'
import { dataTypeOf } from '../serialize.js'
import { finish, type Result } from '../simplify.js'
import { divide, flat } from './after-loop.js'
import { nextPrefix, nextPrevious, placesPrefix, seenInput, statePrefix } from './programs.js'
import { splitMemory } from './split-memory.js'

const inside = (name: string) => `step.${name}`
const nextState = (name: string) => nextPrefix + (name === seenInput ? name : name.slice(statePrefix.length))
const node = (operator: string, inputs: string[], outputs: string[], attributes: Node['attributes'] = {}): Node => ({ operator, domain: '', inputs, outputs, attributes })

/** What a step takes anew at each iteration, a row of the batch at a time; and what every row reads alike, with the steps as first axis. */
export const stepwise = ['uniforms', 'given', 'isGiven', 'control']
const isTable = (name: string) => name.startsWith(placesPrefix)
/** What is the same for the whole chain. */
export const perChain = ['label', 'temperature', 'topK', 'topP', 'minP', 'repetitionPenalty']
/** What a step tells, and how the whole chain calls the list of it. */
export const told: Record<string, string> = { value: 'values', drawn: 'drawn', distance: 'distance', nats: 'nats' }

/**
 * @param whole the step graph, its weights initializers already
 * @param end the value that ends x, where there is one: the loop stops once every row holds it, and the lists are as long as that took
 * @returns a graph with the step's inputs, those of each step with an axis `steps` after the batch; outputs `values`, `drawn`,
 *   `distance`, `nats` with that axis, and the state after the last step; of blocks also what the steps after them begin with,
 *   `next.previous` and `next.isStart`
 */
export function loopOverSteps(whole: Graph, end?: number): Graph {
  const { step, memories } = splitMemory(whole, 'iteration')
  const perStep = stepwise.filter((name) => step.inputs.some((value) => value.name === name))
  const weights = new Set(step.initializers.map(({ name }) => name))
  const shared = new Set([...weights, ...perChain, ...memories.map(({ state }) => state.name), 'iteration'])
  const body = renamed(step, (name) => (shared.has(name) ? name : inside(name)))
  const states = step.inputs.filter(({ name }) => name.startsWith(statePrefix) || name === seenInput)
  const tables = step.inputs.filter(({ name }) => isTable(name)).map(({ name }) => name)
  const carried = [...step.inputs.filter(({ name }) => name === 'previous' || name === 'isStart'), ...states]

  // Shapes without a past are the same at every step, so the shape of the first value serves.
  const steady = new Map(carried.filter(({ shape }) => !shape.includes('past')).map(({ name }) => [inside(name), name]))
  const changing = new Set(['iteration', ...[...perStep, ...tables].map(inside), ...carried.map(({ name }) => inside(name))])
  const before: Node[] = []
  const repeated: Node[] = [...perStep, ...tables].map((name) => node('Gather', [name, 'iteration'], [inside(name)], { axis: isTable(name) ? 0 : 1 }))
  for (const original of body.nodes) {
    const current = original.operator === 'Shape' && steady.has(original.inputs[0]) ? { ...original, inputs: [steady.get(original.inputs[0])!] } : original
    if (namesRead(current).some((name) => changing.has(name))) {
      for (const name of current.outputs) changing.add(name)
      repeated.push(current)
    } else before.push(current)
  }
  before.push(node('Constant', [], ['always'], { value_ints: [1] }), node('Cast', ['always'], ['isTrue.list'], { to: 9 }), node('Squeeze', ['isTrue.list'], ['isTrue']))
  if (carried.some(({ name }) => name === 'isStart')) before.push(node('Not', ['isTrue'], ['isFalse']), node('And', ['isStart', 'isFalse'], ['neverStart']))
  before.push(node('Shape', ['uniforms'], ['steps.list'], { start: 1, end: 2 }), node('Squeeze', ['steps.list'], ['steps']))

  /** What a loop begins with, where that is no input: nothing recent. */
  const firstOf = new Map(memories.map(({ recent }) => [recent.name, `first.${recent.name}`] as const))
  const constants: Initializer[] = []
  const integers = (name: string, values: readonly number[]) => {
    constants.push({ name, type: 'int64', shape: [values.length], data: BigInt64Array.from(values, BigInt) })
    return name
  }
  for (const { state, recent } of memories) before.push(node('Slice', [state.name, integers(`none.${state.name}`, [0]), `none.${state.name}`, integers(`axis.${state.name}`, [state.shape.indexOf('past')])], [firstOf.get(recent.name)!]))

  const free = (value: Value, mark: string): Value => ({ ...value, shape: value.shape.map((axis) => (typeof axis === 'number' || axis === 'batch' ? axis : `${mark}.${value.name}`)) })
  const bodyInputs: Value[] = [
    { name: 'iteration', type: 'int64', shape: [] },
    { name: 'condition', type: 'bool', shape: [] },
    ...carried.map((value) => ({ ...free(value, 'past'), name: inside(value.name) })),
  ]
  const isBlock = step.outputs.some(({ name }) => name === nextPrevious)
  const last = isBlock ? nextPrevious : 'value'
  const nextOf = (name: string) => (name === 'previous' ? last : name === 'isStart' ? undefined : nextState(name))
  const bodyOutputs: Value[] = [{ name: 'goOn', type: 'bool', shape: [] }]
  const known = new Map([...(body.known ?? []), ...body.inputs.map((value) => [value.name, value] as const), ...body.outputs.map((value) => [value.name, value] as const)])
  const waitedFor = [...carried.flatMap(({ name }) => nextOf(name) ?? []), ...(end === undefined ? [] : [last])].map(inside)
  const division = divide(repeated, before, waitedFor, Object.keys(told).map(inside), known, isBlock ? Number(output(step, 'value').shape[1]) : 1)
  const handOver: Node[] = end === undefined ? [node('Identity', ['condition'], ['goOn'])] : untilAllEnded(inside(last))
  if (end !== undefined) before.push(node('Constant', [], ['end.whole'], { value_int: end }), node('Cast', ['end.whole'], ['end'], { to: dataTypeOf('int32') }))
  // A value that the body computes is an output as it is, once; a second time, and where it comes from outside, it is copied.
  const computed = new Set(division.repeated.flatMap(({ outputs }) => outputs))
  const give = (value: Pick<Value, 'type' | 'shape'>, from: string, name: string) => {
    const isDirect = computed.delete(from)
    if (!isDirect) handOver.push(node('Identity', [from], [name]))
    bodyOutputs.push({ ...free({ ...value, name }, 'next'), name: isDirect ? from : name })
  }
  for (const value of carried) {
    const next = nextOf(value.name)
    give(value, next === undefined ? 'neverStart' : inside(next), `handed.${value.name}`)
  }
  const isAfterwards = new Set(division.afterwards.flatMap(({ outputs }) => outputs))
  const listed = [...new Set([...Object.keys(told).map(inside).filter((name) => !isAfterwards.has(flat(name))), ...division.handedOut])]
  for (const name of listed) give(known.get(name)!, name, `told.${name}`)

  const loopOutputs = [...carried.map(({ name }) => `after.${name}`), ...listed.map((name) => `listed.${name}`)]
  const loopBody: Graph = { name: 'step', inputs: bodyInputs, outputs: bodyOutputs, initializers: [], nodes: [...division.repeated, ...handOver] }
  const loop: Node = { operator: 'Loop', domain: '', inputs: ['steps', 'isTrue', ...carried.map(({ name }) => firstOf.get(name) ?? name)], outputs: loopOutputs, attributes: { body: { graph: loopBody } } }

  const after: Node[] = []
  for (const name of division.handedOut) after.push(node('Reshape', [`listed.${name}`, integers(`rows.${name}`, [-1, ...known.get(name)!.shape.slice(1).map(Number)])], [flat(name)]))
  after.push(...division.afterwards)
  const results: Result[] = []
  for (const [name, list] of Object.entries(told)) {
    const value = output(step, name)
    if (isAfterwards.has(flat(inside(name)))) {
      after.push(
        node('Shape', [`listed.${listed[0]}`], [`lengths.${name}`], { start: 0, end: 2 }),
        node('Concat', [`lengths.${name}`, integers(`widths.${name}`, value.shape.slice(1).map(Number))], [`shape.${name}`], { axis: 0 }),
        node('Reshape', [flat(inside(name)), `shape.${name}`], [`listed.${inside(name)}`], { allowzero: 1 }),
      )
    }
    after.push(node('Transpose', [`listed.${inside(name)}`], [`ordered.${name}`], { perm: [1, 0, ...value.shape.slice(1).map((_, axis) => axis + 2)] }))
    results.push({ name: list, type: value.type, shape: ['batch', 'steps', ...value.shape.slice(1)], value: `ordered.${name}` })
  }
  for (const { state, recent, cut } of memories) {
    const [all, kept] = [`all.${state.name}`, `kept.${state.name}`]
    after.push(node('Concat', [state.name, `after.${recent.name}`], [all], { axis: state.shape.indexOf('past') }), node('Slice', [all, ...cut], [kept]))
  }
  for (const state of whole.inputs.filter(({ name }) => name.startsWith(statePrefix) || name === seenInput)) {
    const name = nextState(state.name)
    results.push({ ...free(output(whole, name), 'next'), name, value: memories.some((memory) => memory.state.name === state.name) ? `kept.${state.name}` : `after.${state.name}` })
  }
  if (isBlock) for (const { name, type, shape } of step.inputs) if (name === 'previous' || name === 'isStart') results.push({ name: nextPrefix + name, type, shape, value: `after.${name}` })
  const inputs = whole.inputs.map((value) => {
    if (isTable(value.name)) return { ...value, shape: ['steps', ...value.shape] }
    return perStep.includes(value.name) ? { ...value, shape: [value.shape[0], 'steps', ...value.shape.slice(1)] } : value
  })
  return finish('sample', { inputs, initializers: [...body.initializers, ...constants], nodes: [...before, loop, ...after] }, results)
}

/** goOn: some value of the step is not `end`. */
const untilAllEnded = (value: string): Node[] => [
  node('Equal', [value, 'end'], ['hasEnded']),
  node('Cast', ['hasEnded'], ['hasEnded.number'], { to: dataTypeOf('float32') }),
  node('ReduceMin', ['hasEnded.number'], ['allEnded.number'], { keepdims: 0 }),
  node('Cast', ['allEnded.number'], ['allEnded'], { to: dataTypeOf('bool') }),
  node('Not', ['allEnded'], ['goOn']),
]

function output(graph: Graph, name: string): Value {
  const found = graph.outputs.find((value) => value.name === name)
  if (!found) throw new ChainruleError(`The graph ${graph.name} has no output "${name}".`)
  return found
}
