/**
 * Fewer passes in the body of a scan, where every node runs once a step.
 *
 *   known     what the body of an earlier scan has computed from the same entries is read from there: that scan lists one value more.
 *             A reverse scan, whose body goes through the forward one again before it turns back, keeps its second half only.
 *   grouped   x · a · b with a, b of the inputs alone becomes x · (a · b)
 *   outside   what depends on the inputs but not on the state is computed before the scan, for all steps at once
 *   pruned    outputs that nothing reads are not listed
 */
import type { GraphBuilder } from './graph-builder.js'
import { type Graph, type Initializer, namesRead, type Node, subgraphs, type Value } from './graph.js'

/** An input of the body, and what the scan reads for it: the same with the time axis in front. */
export interface Entry {
  readonly inside: Value
  readonly outside: string
}

export interface ScanParts {
  readonly entries: readonly Entry[]
  readonly nodes: readonly Node[]
  readonly outputs: readonly Value[]
}

type ShapeOf = (name: string) => readonly number[] | undefined

/** Element by element, float32 of float32. Split, which takes things apart along an axis, goes with them. */
const elementwise = new Set(['Add', 'Sub', 'Mul', 'Div', 'Neg', 'Sigmoid', 'Tanh', 'Exp', 'Log', 'Sqrt', 'Relu', 'Erf', 'Softplus', 'Split'])

const scanInputs = (node: Node): number => node.attributes.num_scan_inputs as number
const bodyOf = (node: Node): Graph => subgraphs(node)[0]

/** The same text for the same operation on the same values; constants count by what they hold. */
function keyOf({ operator, domain, inputs, attributes }: Node, constants: ReadonlyMap<string, Initializer>, nameOf: (name: string) => string): string {
  const operands = inputs.map((name) => {
    const constant = constants.get(name)
    return constant?.data && constant.data.length <= 16 ? [constant.type, constant.shape, Array.from(constant.data, String)] : nameOf(name)
  })
  return JSON.stringify([operator, domain, operands, attributes])
}

/** `rename` for what nodes read. */
const reading = (nodes: readonly Node[], rename: (name: string) => string): Node[] => nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename) }))

/** Reads from an earlier scan, the one that the first such entry comes from, what its body computes as this one would. */
export function readKnown(builder: GraphBuilder, shapeOf: ShapeOf, { entries, nodes, outputs }: ScanParts): ScanParts {
  const earlier = entries.map(({ outside }) => builder.producer(outside)).find((node) => node?.operator === 'Scan')
  if (!earlier) return { entries, nodes, outputs }
  const body = bodyOf(earlier)
  const states = earlier.inputs.length - scanInputs(earlier)
  const copies = new Map(body.nodes.flatMap((node) => (node.operator === 'Identity' ? [[node.outputs[0], node.inputs[0]]] : [])))
  const original = (name: string) => copies.get(name) ?? name
  /** Where a value of the earlier body stands outside. */
  const listed = new Map<string, string>()
  body.inputs.slice(states).forEach(({ name }, i) => listed.set(name, earlier.inputs[states + i]))
  body.outputs.slice(states).forEach(({ name }, i) => listed.set(original(name), earlier.outputs[states + i]))
  /** Values of this body that are values of the earlier one. */
  const twins = new Map<string, string>()
  for (const { inside, outside } of entries) for (const [name, place] of listed) if (place === outside) twins.set(inside.name, name)
  const there = new Map(body.nodes.map((node) => [keyOf(node, builder.initializers, original), node]))
  const own = new Set([...entries.map(({ inside }) => inside.name), ...nodes.flatMap((node) => node.outputs)])
  const left = nodes.filter((node) => {
    const isKnown = elementwise.has(node.operator) && node.inputs.every((name) => twins.has(name) || !own.has(name))
    const twin = isKnown ? there.get(keyOf(node, builder.initializers, (name) => twins.get(name) ?? name)) : undefined
    twin?.outputs.forEach((name, i) => twins.set(node.outputs[i], name))
    return !twin
  })

  const all = [...entries]
  const more: Value[] = []
  const moreOutputs: string[] = []
  const moreNodes: Node[] = []
  const renames = new Map<string, string>()
  const entryOf = (name: string): string => {
    const twin = twins.get(name)
    if (twin === undefined || entries.some(({ inside }) => inside.name === name)) return name
    const known = renames.get(twin)
    if (known !== undefined) return known
    let outside = listed.get(twin)
    const shape = shapeOf(name) ?? []
    if (outside === undefined) {
      outside = builder.fresh('listed')
      // What goes out as state already is copied: an output has one place.
      const isState = body.outputs.some((output) => output.name === twin)
      const given = isState ? builder.fresh('copy') : twin
      if (isState) moreNodes.push({ operator: 'Identity', domain: '', inputs: [twin], outputs: [given], attributes: {} })
      more.push({ name: given, type: 'float32', shape })
      moreOutputs.push(outside)
    }
    const inside: Value = { name: builder.fresh('entry'), type: 'float32', shape }
    all.push({ inside, outside })
    renames.set(twin, inside.name)
    return inside.name
  }
  const read = reading(left, entryOf)
  const given = outputs.map((output) => ({ ...output, name: entryOf(output.name) }))
  if (more.length > 0) {
    const lists = Object.fromEntries(Object.entries(earlier.attributes).map(([key, value]) => [key, key === 'scan_output_directions' ? [...(value as number[]), ...more.map(() => 1)] : value]))
    builder.replace(earlier, { ...earlier, outputs: [...earlier.outputs, ...moreOutputs], attributes: { ...lists, body: { graph: { ...body, nodes: [...body.nodes, ...moreNodes], outputs: [...body.outputs, ...more] } } } })
  }
  return { entries: all, nodes: read, outputs: given }
}

/**
 * Moves what does not depend on the state out of the body.
 * @param states the body's names for its state
 */
export function moveOutside(builder: GraphBuilder, shapeOf: ShapeOf, states: readonly string[], { entries, nodes, outputs }: ScanParts): ScanParts {
  const shapes = new Map(entries.map(({ inside }): [string, readonly number[] | undefined] => [inside.name, inside.shape as readonly number[]]))
  const shape = (name: string) => shapes.get(name) ?? builder.initializers.get(name)?.shape ?? shapeOf(name)
  const inside = new Set([...states, ...nodes.flatMap((node) => node.outputs)])
  /** Values of the body, and where they stand outside with the time axis in front; to begin with, which will. */
  const places = new Map(entries.map((entry) => [entry.inside.name, entry.outside]))
  /** Whether a node can be done for all steps at once: with the time axis in front, its operands must broadcast as they did. */
  const isMovable = ({ operator, inputs, outputs }: Node): boolean => {
    const operands = operator === 'Split' ? inputs.slice(0, 1) : inputs
    const rank = shape(outputs[0])?.length
    const fits = (name: string) => (places.has(name) ? shape(name)?.length === rank : !inside.has(name) && (shape(name)?.length ?? Infinity) <= rank!)
    return elementwise.has(operator) && rank !== undefined && operands.some((name) => places.has(name)) && operands.every(fits)
  }
  for (const node of nodes) if (isMovable(node)) for (const output of node.outputs) places.set(output, '')

  const left: Node[] = []
  for (const node of grouped(builder, shape, shapes, (name) => places.has(name), nodes, outputs)) {
    if (!isMovable(node)) {
      left.push(node)
      continue
    }
    const { operator, domain, inputs, attributes } = node
    const names = builder.several(operator, inputs.map((name) => places.get(name) ?? name), node.outputs.length, operator === 'Split' ? { ...attributes, axis: (attributes.axis as number) + 1 } : attributes, domain)
    node.outputs.forEach((output, i) => places.set(output, names[i]))
  }
  const own = new Set([...states, ...entries.map((entry) => entry.inside.name), ...left.flatMap((node) => node.outputs)])
  const read = new Set([...left.flatMap(namesRead), ...outputs.map(({ name }) => name)])
  const more = [...read].flatMap((name): Entry[] => (own.has(name) || !places.has(name) ? [] : [{ inside: { name, type: 'float32', shape: shape(name)! }, outside: places.get(name)! }]))
  return { entries: [...entries, ...more], nodes: left, outputs }
}

/** x · a · b → x · (a · b), where a and b are to move and nothing else reads x · a. */
function grouped(builder: GraphBuilder, shapeOf: ShapeOf, shapes: Map<string, readonly number[] | undefined>, isMoved: (name: string) => boolean, nodes: readonly Node[], outputs: readonly Value[]): Node[] {
  const uses = new Map<string, number>()
  for (const name of [...nodes.flatMap(namesRead), ...outputs.map(({ name }) => name)]) uses.set(name, (uses.get(name) ?? 0) + 1)
  const producers = new Map<string, Node>()
  /** x and a of a product x · a. */
  const factors = (node: Node | undefined): [string, string] | undefined => {
    if (node?.operator !== 'Mul' || isMoved(node.inputs[0]) === isMoved(node.inputs[1])) return undefined
    const [x, factor] = isMoved(node.inputs[1]) ? node.inputs : [...node.inputs].reverse()
    return String(shapeOf(x)) === String(shapeOf(factor)) ? [x, factor] : undefined
  }
  const all: Node[] = []
  for (const original of nodes) {
    let node = original
    const outer = factors(node)
    const inner = outer && uses.get(outer[0]) === 1 ? factors(producers.get(outer[0])) : undefined
    if (outer && inner) {
      const product = builder.fresh('factors')
      shapes.set(product, shapeOf(outer[1]))
      all.push({ ...node, inputs: [inner[1], outer[1]], outputs: [product] })
      node = { ...node, inputs: [inner[0], product] }
    }
    for (const output of node.outputs) producers.set(output, node)
    all.push(node)
  }
  return all
}

/** The nodes that `wanted` needs, and of each scan only the inputs and outputs that something reads. */
export function pruned(nodes: readonly Node[], wanted: Iterable<string>): Node[] {
  const needed = new Set(wanted)
  const live: Node[] = []
  for (const original of [...nodes].reverse()) {
    if (!original.outputs.some((name) => needed.has(name))) continue
    const node = original.operator === 'Scan' ? prunedScan(original, needed) : original
    for (const name of namesRead(node)) needed.add(name)
    live.push(node)
  }
  return live.reverse()
}

function prunedScan(node: Node, needed: ReadonlySet<string>): Node {
  const body = bodyOf(node)
  const states = node.inputs.length - scanInputs(node)
  const isListed = node.outputs.map((name, i) => i < states || needed.has(name))
  const outputs = body.outputs.filter((_, i) => isListed[i])
  const nodes = pruned(body.nodes, outputs.map(({ name }) => name))
  const read = new Set([...nodes.flatMap(namesRead), ...outputs.map(({ name }) => name)])
  const isRead = body.inputs.map(({ name }, i) => i < states || read.has(name))
  // Without any input nothing would say how many steps there are.
  if (!isRead.some((is, i) => is && i >= states)) isRead[states] = true
  const inputs = body.inputs.filter((_, i) => isRead[i])
  const directions = (key: string, count: number) => (key in node.attributes ? { [key]: Array<number>(count).fill(1) } : {})
  return {
    ...node,
    inputs: node.inputs.filter((_, i) => isRead[i]),
    outputs: node.outputs.filter((_, i) => isListed[i]),
    attributes: {
      body: { graph: { ...body, inputs, outputs, nodes } },
      num_scan_inputs: inputs.length - states,
      ...directions('scan_input_directions', inputs.length - states),
      ...directions('scan_output_directions', outputs.length - states),
    },
  }
}
