/**
 * Maps of blocked channels stay as they are from one convolution to the next: what is computed element by element between them is computed
 * of the blocked maps, and the reordering in between falls away.
 *
 *   rows     f(order⁻¹(a), order⁻¹(b)) → order⁻¹(f(a, b)), and order(order⁻¹(a)) → a
 *   joined   relu(K ∗ x + b) and a + K ∗ x, where nothing else reads the convolution, are one operator
 *   slope    step(z) → step(relu(z)), which leaves relu(K ∗ x + b) as the only reader of the convolution
 *
 * Channels in blocks are split and joined as channels are, block by block. Axes: B batch, P positions, H and W of the grid, C channels.
 */
import { type Attributes, type Initializer, namesRead, type Node } from './graph.js'
import { liveNodes } from './simplify.js'

/** Of onnxruntime's operators on blocked channels; each processor has its own size of a block, and many have none. */
export const blockedDomain = 'com.microsoft.nchwc'

/** How a blocked map is called, and its shape as the operators see it: [B, C, H, W]. */
interface Blocked {
  readonly name: string
  readonly shape: readonly number[]
}

export interface LayoutOptions {
  readonly shapeOf: (name: string) => readonly number[] | undefined
  readonly constants: ReadonlyMap<string, Initializer>
  /** Channels of a block. */
  readonly channelBlock: number
  /** Makes the constant of a list of int64. */
  readonly integers: (values: readonly number[]) => string
  /** The values that must be computed. */
  readonly wanted: readonly string[]
}

/** Of float32, element by element, with results of float32 or bool. */
const elementwise = new Set(['Add', 'Sub', 'Mul', 'Div', 'Sum', 'Neg', 'Relu', 'Elu', 'Sigmoid', 'Tanh', 'Exp', 'HardSigmoid', 'GreaterOrEqual', 'Where'])

const isBlocked = (node: Node | undefined, operator: string): boolean => node?.domain === blockedDomain && node.operator === operator
const blockedNode = (operator: string, inputs: readonly string[], output: string, attributes: Attributes): Node => ({ operator, domain: blockedDomain, inputs, outputs: [output], attributes })
const sameSize = (a: readonly number[] = [], b: readonly number[] = []) => a.length === b.length && a.every((size, axis) => size === b[axis])

/** The nodes with as little reordering as that takes. */
export function withBlockedLayout(nodes: readonly Node[], options: LayoutOptions): Node[] {
  const blocked = keepBlocked(slopesOfResults(nodes), options)
  return liveNodes(joined(liveNodes(blocked, options.wanted), options.wanted), options.wanted)
}

function keepBlocked(nodes: readonly Node[], { shapeOf, constants, channelBlock, integers }: LayoutOptions): Node[] {
  const all: Node[] = []
  /** The blocked map of a value [B, P, C], or of its rows [B, H, W, C]. */
  const maps = new Map<string, Blocked>()
  const producers = new Map<string, Node>()
  const renames = new Map<string, string>()
  const append = (node: Node) => {
    all.push(node)
    for (const output of node.outputs) producers.set(output, node)
  }
  const rowsOf = ([B, C, H, W]: readonly number[]) => [B, H * W, C]
  const gridOf = ([B, C, H, W]: readonly number[]) => [B, H, W, C]
  const isNumber = (name: string) => (constants.get(name)?.shape ?? shapeOf(name))?.length === 0
  /** The blocked map of a value in rows; where there is none, it is reordered once, as `like` is. */
  const mapOf = (name: string, like: Blocked): Blocked | undefined => {
    const known = maps.get(name)
    const [B, , H, W] = like.shape
    const shape = shapeOf(name)
    if (known) return sameSize([known.shape[0], ...known.shape.slice(2)], [B, H, W]) ? known : undefined
    if (shape?.length !== 3 || shape[0] !== B || shape[1] !== H * W || shape[2] % channelBlock !== 0) return undefined
    const map = { name: `${name}_blocked`, shape: [B, shape[2], H, W] }
    append({ operator: 'Reshape', domain: '', inputs: [name, integers(gridOf(map.shape))], outputs: [`${name}_grid`], attributes: {} })
    append(blockedNode('ReorderInput', [`${name}_grid`], map.name, { channels_last: 1 }))
    maps.set(name, map)
    return map
  }
  /** The maps of what a node reads, numbers as they are; undefined where one has none. */
  const mapsOf = (names: readonly string[]): Blocked[] | undefined => {
    const like = names.map((name) => (shapeOf(name)?.length === 3 ? maps.get(name) : undefined)).find((map) => map !== undefined)
    if (!like) return undefined
    const found = names.map((name) => (isNumber(name) ? { name, shape: [] } : mapOf(name, like)))
    return found.every((map) => map !== undefined) ? (found as Blocked[]) : undefined
  }
  /** A value that is computed as a blocked map; its rows too, under its name, which go if nothing reads them. */
  const define = (name: string, shape: readonly number[], original: Node) => {
    const map = { name: `${name}_blocked`, shape }
    maps.set(name, map)
    // Only numbers can be reordered; what is true or false is computed for both.
    if (original.operator === 'GreaterOrEqual') return append(original)
    append(blockedNode('ReorderOutput', [map.name], `${name}_grid`, { channels: shape[1], channels_last: 1 }))
    append({ operator: 'Reshape', domain: '', inputs: [`${name}_grid`, integers(rowsOf(shape))], outputs: [name], attributes: {} })
  }
  const isOfBlocks = (name: string) => (shapeOf(name)?.[2] ?? 0) % channelBlock === 0
  /** Whether an operation is the same on blocked maps: element by element, or of channels that it takes apart or joins by whole blocks. */
  const isSameOfBlocks = ({ operator, inputs, outputs, attributes }: Node): boolean => {
    if (operator === 'Split') return attributes.axis === 2 && outputs.every(isOfBlocks)
    if (operator === 'Concat') return attributes.axis === 2 && inputs.every(isOfBlocks)
    // What decides is no number, so it cannot be reordered: it is blocked already, or it is read in rows.
    if (operator === 'Where' && !maps.has(inputs[0])) return false
    return elementwise.has(operator) && inputs.every((name) => isNumber(name) || sameSize(shapeOf(name), shapeOf(outputs[0])))
  }
  /** Appends the same operation on blocked maps, where that can be done; else nothing, and false. */
  const computedBlocked = (node: Node): boolean => {
    const { operator, domain, inputs, outputs, attributes } = node
    if (domain !== '' || !inputs.some((name) => maps.has(name)) || !isSameOfBlocks(node)) return false
    const operands = operator === 'Split' ? inputs.slice(0, 1) : inputs
    const found = mapsOf(operands)
    if (!found) return false
    const [B, , H, W] = found.find(({ shape }) => shape.length > 0)!.shape
    append({
      ...node,
      inputs: [...found.map(({ name }) => name), ...inputs.slice(operands.length)],
      outputs: outputs.map((name) => `${name}_blocked`),
      attributes: 'axis' in attributes ? { ...attributes, axis: 1 } : attributes,
    })
    for (const name of outputs) define(name, [B, shapeOf(name)![2], H, W], node)
    return true
  }

  for (const original of nodes) {
    const node = { ...original, inputs: original.inputs.map((name) => renames.get(name) ?? name) }
    const [input] = node.inputs
    const [output] = node.outputs
    const map = maps.get(input)
    if (isBlocked(node, 'ReorderOutput') && node.attributes.channels_last === 1) {
      const [B, H, W, C] = shapeOf(output)!
      maps.set(output, { name: input, shape: [B, C, H, W] })
      append(node)
    } else if (isBlocked(node, 'ReorderInput') && node.attributes.channels_last === 1) {
      if (map) {
        renames.set(output, map.name)
        continue
      }
      const [B, H, W, C] = shapeOf(input)!
      const blocked = { name: output, shape: [B, C, H, W] }
      maps.set(input, blocked)
      const before = producers.get(input)
      if (before?.operator === 'Reshape' && sameSize(shapeOf(before.inputs[0]), rowsOf(blocked.shape))) maps.set(before.inputs[0], blocked)
      append(node)
    } else if (node.operator === 'Reshape' && map) {
      const shape = shapeOf(output)
      if (sameSize(shape, rowsOf(map.shape)) || sameSize(shape, gridOf(map.shape))) maps.set(output, map)
      append(node)
    } else if (!computedBlocked(node)) append(node)
  }
  return all
}

/** step(z), which is recorded as a HardSigmoid, as step(relu(z)), where relu(z) is computed. */
function slopesOfResults(nodes: readonly Node[]): Node[] {
  const rectified = new Map<string, string>()
  return nodes.map((node) => {
    const [x] = node.inputs
    if (node.operator === 'Relu') rectified.set(x, node.outputs[0])
    return node.operator === 'HardSigmoid' && rectified.has(x) ? { ...node, inputs: [rectified.get(x)!] } : node
  })
}

/** A convolution joins the relu or the sum that is its only reader, and stands in its place. */
function joined(nodes: readonly Node[], wanted: readonly string[]): Node[] {
  const uses = new Map<string, number>()
  for (const name of [...nodes.flatMap(namesRead), ...wanted]) uses.set(name, (uses.get(name) ?? 0) + 1)
  const convolutions = new Map(nodes.filter((node) => isBlocked(node, 'Conv')).map((node) => [node.outputs[0], node]))
  return nodes.map((node) => {
    const at = node.inputs.findIndex((name) => convolutions.has(name) && uses.get(name) === 1)
    const convolution = convolutions.get(node.inputs[at])
    if (!convolution || node.domain !== '') return node
    const [x, filter, bias = ''] = convolution.inputs
    if (node.operator === 'Relu') return { ...convolution, outputs: node.outputs, attributes: { ...convolution.attributes, activation: 'Relu' } }
    if (node.operator === 'Add') return { ...convolution, inputs: [x, filter, bias, node.inputs[1 - at]], outputs: node.outputs }
    return node
  })
}
