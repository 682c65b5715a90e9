/**
 * The whole chain as one graph where a network has blocks of steps: a loop over blocks, as many as there are whole ones, then a loop over
 * the steps that are left. Sampling filters are known to single steps only: where one is on, there are no blocks.
 *
 * Axes: B batch, S steps, U steps of a block, V values.
 */
import { type Graph, type Initializer, type Node, renamed } from '../graph.js'
import { dataTypeOf } from '../serialize.js'
import { finish, type Result } from '../simplify.js'
import { loopOverSteps, perChain, stepwise, told } from './loop.js'
import { nextPrefix, parameterPrefix, seenInput, statePrefix } from './programs.js'

const inBlocks = (name: string) => `blocks.${name}`
const afterBlocks = (name: string) => `rest.${name}`

/**
 * @param block the graph of U steps, `step` that of one; their weights are initializers already
 * @param end the value that ends x, where there is one
 * @returns a graph with the inputs and outputs of `loopOverSteps(step, end)`
 */
export function loopOverBlocks(block: Graph, step: Graph, U: number, end?: number): Graph {
  const [blocks, rest] = [loopOverSteps(block, end), loopOverSteps(step, end)]
  const constants: Initializer[] = []
  const nodes: Node[] = []
  const integers = (name: string, values: readonly number[]) => {
    constants.push({ name, type: 'int64', shape: [values.length], data: BigInt64Array.from(values, BigInt) })
    return name
  }
  const node = (operator: string, inputs: readonly string[], output: string, attributes: Node['attributes'] = {}) => {
    nodes.push({ operator, domain: '', inputs, outputs: [output], attributes })
    return output
  }
  const shapeOf = (name: string, from: number, to: number, output: string) => node('Shape', [name], output, { start: from, end: to })
  const isInput = (wanted: string) => rest.inputs.some(({ name }) => name === wanted)

  const [zero, one, each, farEnd] = [integers('zero', [0]), integers('one', [1]), integers('block.length', [U]), integers('far.end', [2 ** 31 - 1])]
  /** 1 where no filter is on, else 0. */
  const withoutFilters = () => {
    const number = (name: string, value: Initializer['data'], type: Initializer['type']) => constants.push({ name, type, shape: [1], data: value })
    number('off.topK', Int32Array.of(0), 'int32')
    number('off', Float32Array.of(1), 'float32')
    number('off.minP', Float32Array.of(0), 'float32')
    const offs = [
      node('LessOrEqual', ['topK', 'off.topK'], 'topK.off'),
      node('GreaterOrEqual', ['topP', 'off'], 'topP.off'),
      node('LessOrEqual', ['minP', 'off.minP'], 'minP.off'),
      ...(isInput('repetitionPenalty') ? [node('Equal', ['repetitionPenalty', 'off'], 'repetitionPenalty.off')] : []),
    ]
    return node('Cast', [offs.reduce((all, each) => node('And', [all, each], `${all}.and.${each}`))], 'filters.off', { to: dataTypeOf('int64') })
  }
  const whole = node('Div', [shapeOf('uniforms', 1, 2, 'all.steps'), each], 'whole.blocks')
  const inWhole = node('Mul', [isInput('topK') ? node('Mul', [whole, withoutFilters()], 'used.blocks') : whole, each], 'steps.in.blocks')
  const shared = new Set([...perChain, ...step.initializers.flatMap(({ name }) => (name.startsWith(parameterPrefix) ? [name] : []))])
  const perStep = rest.inputs.filter(({ name }) => stepwise.includes(name))
  for (const { name, shape } of perStep) {
    const part = node('Slice', [name, zero, inWhole, one], `whole.${name}`)
    node('Reshape', [part, integers(`cells.${name}`, [0, -1, U, ...shape.slice(2).map(Number)])], inBlocks(name))
    node('Slice', [name, inWhole, farEnd, one], afterBlocks(name))
  }
  const isPerStep = new Set(perStep.map(({ name }) => name))
  const batch = shapeOf('uniforms', 0, 1, 'batch.size')
  /** The list of all that a loop drew, [B, steps, …]. A loop that did not run says nothing of its batch, so the shape is given in full. */
  const inARow = (list: string, steps: string, rest: readonly number[]) => {
    const widths = rest.length > 0 ? [integers(`widths.${list}`, rest)] : []
    return node('Reshape', [list, node('Concat', [batch, steps, ...widths], `shape.${list}`, { axis: 0 })], `flat.${list}`, { allowzero: 1 })
  }

  const takenFromChain = new Set([...shared, ...blocks.inputs.flatMap(({ name }) => (isPerStep.has(name) ? [] : [name]))])
  const first = renamed(blocks, (name) => (takenFromChain.has(name) ? name : inBlocks(name)))
  nodes.push(...first.nodes)
  const madeInBlocks = node('Mul', [shapeOf(inBlocks('values'), 1, 2, 'made.blocks'), each], 'made.in.blocks')
  if (isInput(seenInput)) {
    const indices = node('Reshape', [inBlocks('values'), node('Concat', [batch, madeInBlocks], 'seen.shape', { axis: 0 })], 'seen.indices', { allowzero: 1 })
    constants.push({ name: 'seen.true', type: 'bool', shape: [], data: Uint8Array.of(1) })
    node('ScatterElements', [seenInput, indices, node('Expand', ['seen.true', 'seen.shape'], 'seen.marks')], inBlocks(nextPrefix + seenInput), { axis: 1 })
  }

  // The steps begin where the blocks have ended.
  const begins = (name: string) => inBlocks(nextPrefix + (name.startsWith(statePrefix) ? name.slice(statePrefix.length) : name))
  const isCarried = new Set(rest.inputs.flatMap(({ name }) => (isPerStep.has(name) || shared.has(name) ? [] : [name])))
  const second = renamed(rest, (name) => (shared.has(name) ? name : isCarried.has(name) ? begins(name) : afterBlocks(name)))
  nodes.push(...second.nodes)

  const madeAfter = shapeOf(afterBlocks('values'), 1, 2, 'made.after.blocks')
  const results = rest.outputs.map((value): Result => {
    const { name, shape } = value
    if (!Object.values(told).includes(name)) return { ...value, value: afterBlocks(name) }
    const widths = shape.slice(2).map(Number)
    const lists = [inARow(inBlocks(name), madeInBlocks, widths), inARow(afterBlocks(name), madeAfter, widths)]
    return { ...value, value: node('Concat', lists, `joined.${name}`, { axis: 1 }) }
  })
  const initializers = new Map([...first.initializers, ...second.initializers, ...constants].map((initializer) => [initializer.name, initializer]))
  return finish('sample', { inputs: rest.inputs, initializers: initializers.values(), nodes }, results)
}
