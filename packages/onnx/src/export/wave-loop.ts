/**
 * The whole of x, wave by wave, as one graph: the loop over waves, between what brings the inputs from the order of generation to waves and
 * slots, and what brings the results back. Its inputs and outputs are those of the loop over single variables, without a state.
 *
 * Axes: B batch, N variables, T waves, M slots of a wave, C components, K uniforms of a component.
 */
import type { ResolvedOrder } from '@chainrule/core'
import type { WaveSteps } from '@chainrule/core/tensors'
import { type ElementArray, type ElementType, type Graph, type Initializer, type Node, renamed, type Value } from '../graph.js'
import { finish, type Result } from '../simplify.js'
import { loopOverSteps } from './loop.js'
import { placesPrefix, statePrefix } from './programs.js'

const told = ['values', 'drawn', 'distance', 'nats']
const inWaves = (name: string) => `waves.${name}`

/** @param step the graph of one wave, its weights initializers already */
export function loopOverWaves(step: Graph, { waves, places }: WaveSteps, { inverse }: ResolvedOrder): Graph {
  const { count: T, widest: M, waveOf, slotOf } = waves
  const N = inverse.length
  const constants: Initializer[] = []
  const nodes: Node[] = [{ operator: 'Shape', domain: '', inputs: ['uniforms'], outputs: ['batch.size'], attributes: { start: 0, end: 1 } }]
  const constant = (name: string, type: ElementType, shape: readonly number[], data: ElementArray) => {
    constants.push({ name, type, shape, data })
    return name
  }
  const integers = (name: string, values: readonly number[]) => constant(name, 'int64', [values.length], BigInt64Array.from(values, BigInt))
  const node = (operator: string, inputs: readonly string[], output: string, attributes: Node['attributes'] = {}) => {
    nodes.push({ operator, domain: '', inputs, outputs: [output], attributes })
    return output
  }
  // A slot without a variable takes the numbers of rank 0; nothing reads what becomes of them.
  const [rankAt, cellOf] = [new Int32Array(T * M), new Int32Array(N)]
  waveOf.forEach((wave, position) => {
    const cell = wave * M + slotOf[position]
    rankAt[cell] = inverse[position]
    cellOf[inverse[position]] = cell
  })
  const [ranks, cells] = [constant('rank.at', 'int32', [T * M], rankAt), constant('cell.of', 'int32', [N], cellOf)]

  const inputs: Value[] = []
  const loop = loopOverSteps(step)
  const perVariable = new Set([...told, ...loop.inputs.flatMap(({ name, shape }) => (shape[1] === 'steps' ? [name] : []))])
  for (const { name, type, shape } of loop.inputs) {
    // [B, N, …] → [B, T · M, …] → [B, T, M, …]
    const rest = shape.slice(3).map(Number)
    if (perVariable.has(name)) {
      inputs.push({ name, type, shape: [shape[0], N, ...rest] })
      node('Reshape', [node('Gather', [name, ranks], `at.${name}`, { axis: 1 }), integers(`cells.${name}`, [0, T, M, ...rest])], inWaves(name))
    } else if (name.startsWith(placesPrefix)) {
      const { width, indices } = places[name.slice(placesPrefix.length)]
      constant(name, type, [T, width], indices)
    } else if (name === 'previous' || name.startsWith(statePrefix)) {
      const zero = constant(`zero.${name}`, type, [], type === 'int32' ? Int32Array.of(0) : Float32Array.of(0))
      node('Expand', [zero, node('Concat', ['batch.size', integers(`rest.${name}`, shape.slice(1).map(Number))], `size.${name}`, { axis: 0 })], name)
    } else inputs.push({ name, type, shape })
  }
  const inner = renamed(loop, (name) => (perVariable.has(name) ? inWaves(name) : name))
  nodes.push(...inner.nodes)
  const results = told.map((name): Result => {
    const { type, shape } = loop.outputs.find((output) => output.name === name)!
    const rest = shape.slice(3).map(Number)
    const flat = node('Reshape', [inWaves(name), integers(`flat.${name}`, [0, -1, ...rest])], `flat.${name}.cells`)
    return { name, type, shape: [shape[0], N, ...rest], value: node('Gather', [flat, cells], `ranked.${name}`, { axis: 1 }) }
  })
  return finish('waves', { inputs, initializers: [...inner.initializers, ...constants], nodes }, results)
}
