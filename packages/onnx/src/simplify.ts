/**
 * From the nodes of a recording to a graph: equal constants become one, nodes that compute the same become one, copies
 * vanish, what no output needs goes, and outputs get the names they are asked for.
 */
import { InvalidOptionError } from '@chainrule/core'
import type { Attributes, Graph, Initializer, Known, Node, Value } from './graph.js'
import { namesCaptured, namesRead, renamed, subgraphs } from './graph.js'

/** An output: the name and type it has outside, and the value inside that it is. */
export interface Result extends Value {
  readonly value: string
}

export interface Parts {
  readonly inputs: readonly Value[]
  readonly initializers: Iterable<Initializer>
  readonly nodes: readonly Node[]
}

/** Nodes that at least one of `wanted` needs, in their order. */
export function liveNodes(nodes: readonly Node[], wanted: Iterable<string>): Node[] {
  const needed = new Set(wanted)
  const live: Node[] = []
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((name) => needed.has(name))) continue
    for (const name of namesRead(node)) needed.add(name)
    live.push(node)
  }
  return live.reverse()
}

/** A text that is the same for equal constants only: latin1 has a letter for each byte. */
function contentOf({ type, shape, data, external }: Initializer): string {
  return `${type} ${shape} ${data ? new TextDecoder('latin1').decode(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)) : JSON.stringify(external)}`
}

const rewritten = (node: Node, known: ReadonlyMap<string, string>): Node => {
  const now = (name: string) => known.get(name) ?? name
  const attributes: Attributes = subgraphs(node).some((graph) => namesCaptured(graph).some((name) => known.has(name)))
    ? Object.fromEntries(Object.entries(node.attributes).map(([key, value]) => [key, typeof value === 'object' && 'graph' in value ? { graph: renamed(value.graph, now) } : value]))
    : node.attributes
  return { ...node, inputs: node.inputs.map(now), attributes }
}

/** Equal nodes shared, copies removed: the nodes left, and for each name that went the one that stands for it. */
function shared(nodes: readonly Node[], known: Map<string, string>): Node[] {
  const seen = new Map<string, Node>()
  const left: Node[] = []
  for (const original of nodes) {
    const node = rewritten(original, known)
    if (node.operator === 'Identity') {
      known.set(node.outputs[0], node.inputs[0])
      continue
    }
    const key = subgraphs(node).length ? undefined : JSON.stringify([node.operator, node.domain, node.inputs, node.attributes])
    const twin = key === undefined ? undefined : seen.get(key)
    if (twin && twin.outputs.length === node.outputs.length) {
      node.outputs.forEach((name, i) => known.set(name, twin.outputs[i]))
      continue
    }
    if (key !== undefined) seen.set(key, node)
    left.push(node)
  }
  return left
}

function sharedConstants(initializers: Iterable<Initializer>, known: Map<string, string>): Initializer[] {
  const seen = new Map<string, Initializer>()
  for (const initializer of initializers) {
    const content = contentOf(initializer)
    const twin = seen.get(content)
    if (twin) known.set(initializer.name, twin.name)
    else seen.set(content, initializer)
  }
  return [...seen.values()]
}

/** The nodes and constants that the results need, each computed once; `value` of a result may have moved. */
export function simplify({ inputs, initializers, nodes }: Parts, results: readonly Result[]): Parts & { readonly results: Result[] } {
  const known = new Map<string, string>()
  const constants = sharedConstants(initializers, known)
  const left = shared(nodes, known)
  const moved = results.map((result) => ({ ...result, value: known.get(result.value) ?? result.value }))
  const live = liveNodes(left, moved.map(({ value }) => value))
  const read = new Set([...live.flatMap(namesRead), ...moved.map(({ value }) => value)])
  return { inputs, initializers: constants.filter(({ name }) => read.has(name)), nodes: live, results: moved }
}

/**
 * The finished graph. Each result's value takes the result's name; an input, a constant or a value that is an output
 * already is copied instead.
 * @param known what is known of values inside
 * @throws {InvalidOptionError} for a result named like an input
 */
export function finish(name: string, parts: Parts, results: readonly Result[], known?: Known): Graph {
  const { inputs, initializers, nodes, results: moved } = simplify(parts, results)
  const taken = new Set(inputs.map((input) => input.name))
  const computed = new Set(nodes.flatMap(({ outputs }) => outputs))
  const names = new Map<string, string>()
  const copies: Node[] = []
  for (const { name: wanted, value } of moved) {
    if (taken.has(wanted)) throw new InvalidOptionError(`${name}: an output is called "${wanted}", as an input or another output is. Give it a name of its own.`)
    taken.add(wanted)
    if (computed.has(value) && !names.has(value)) names.set(value, wanted)
    else copies.push({ operator: 'Identity', domain: '', inputs: [value], outputs: [wanted], attributes: {} })
  }
  const outputs = moved.map(({ name: wanted, type, shape }) => ({ name: wanted, type, shape }))
  const inner = renamed({ name, inputs: [], outputs: [], initializers: [...initializers], nodes: [...nodes], known }, (old) => names.get(old) ?? old)
  return { ...inner, inputs, outputs, nodes: [...inner.nodes, ...copies.map((copy) => ({ ...copy, inputs: copy.inputs.map((old) => names.get(old) ?? old) }))] }
}
