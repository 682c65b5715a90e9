/**
 * The graph as data: what ONNX calls a GraphProto, without its encoding. Every value has one name and one definition, in
 * the graph and all its sub-graphs together; nodes stand in an order in which each reads only what stands before it.
 */
import { ChainruleError } from '@chainrule/core'

export type ElementType = 'float32' | 'int32' | 'int64' | 'bool'
export type ElementArray = Float32Array | Int32Array | BigInt64Array | Uint8Array

/** A number, or the name of a symbolic axis. */
export type Dimension = number | string

export interface Value {
  readonly name: string
  readonly type: ElementType
  readonly shape: readonly Dimension[]
}

/** A whole number, a list of whole numbers, text, a float, a list of floats, or a sub-graph. */
export type Attribute =
  | number
  | readonly number[]
  | string
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly graph: Graph }
export type Attributes = Readonly<Record<string, Attribute>>

export interface Node {
  readonly operator: string
  /** '' is the standard domain. */
  readonly domain: string
  /** Names; '' stands for an optional input that is absent. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Attributes
}

/** A constant with its data here, or in a file that lies beside the model. */
export interface Initializer {
  readonly name: string
  readonly type: ElementType
  readonly shape: readonly number[]
  readonly data?: ElementArray
  readonly external?: { readonly file: string; readonly offset: number; readonly length: number }
}

/** Type and shape of values, by name. */
export type Known = ReadonlyMap<string, Pick<Value, 'type' | 'shape'>>

export interface Graph {
  readonly name: string
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly initializers: readonly Initializer[]
  readonly nodes: readonly Node[]
  /** What is known of values inside; no part of a file. */
  readonly known?: Known
}

/** The sub-graphs among a node's attributes. */
export function subgraphs(node: Node): Graph[] {
  return Object.values(node.attributes).flatMap((attribute) => (typeof attribute === 'object' && 'graph' in attribute ? [attribute.graph] : []))
}

/** The domains of all operators in a graph and its sub-graphs; '' is the standard one. */
export function domainsOf(graph: Graph): Set<string> {
  return new Set(graph.nodes.flatMap((node) => [node.domain, ...subgraphs(node).flatMap((inner) => [...domainsOf(inner)])]))
}

/** Every name that a node reads: its inputs, and what its sub-graphs take from outside. */
export function namesRead(node: Node): string[] {
  return [...node.inputs.filter((name) => name !== ''), ...subgraphs(node).flatMap(namesCaptured)]
}

/** What a sub-graph reads without defining it. */
export function namesCaptured(graph: Graph): string[] {
  const own = new Set([...graph.inputs, ...graph.initializers].map(({ name }) => name))
  for (const node of graph.nodes) for (const name of node.outputs) own.add(name)
  const read = [...graph.nodes.flatMap(namesRead), ...graph.outputs.map(({ name }) => name)]
  return read.filter((name) => !own.has(name))
}

/** The graph with every name (inputs, outputs and sub-graphs included) replaced by `rename(name)`. */
export function renamed(graph: Graph, rename: (name: string) => string): Graph {
  const named = <T extends { readonly name: string }>(value: T): T => ({ ...value, name: rename(value.name) })
  const names = (list: readonly string[]) => list.map((name) => (name === '' ? '' : rename(name)))
  const attributes = (all: Attributes): Attributes =>
    Object.fromEntries(Object.entries(all).map(([key, value]) => [key, typeof value === 'object' && 'graph' in value ? { graph: renamed(value.graph, rename) } : value]))
  return {
    name: graph.name,
    inputs: graph.inputs.map(named),
    outputs: graph.outputs.map(named),
    initializers: graph.initializers.map(named),
    nodes: graph.nodes.map((node) => ({ ...node, inputs: names(node.inputs), outputs: names(node.outputs), attributes: attributes(node.attributes) })),
    ...(graph.known && { known: new Map([...graph.known].map(([name, value]) => [rename(name), value])) }),
  }
}

/**
 * Inputs turned into initializers: how the parameters of a recorded program become weights.
 * @param weights for each input that becomes one, where its data are
 */
export function withWeights(graph: Graph, weights: Readonly<Record<string, Pick<Initializer, 'data' | 'external'>>>): Graph {
  for (const name of Object.keys(weights)) if (!graph.inputs.some((input) => input.name === name)) throw new ChainruleError(`The graph ${graph.name} has no input "${name}" that could become a weight.`)
  const turned = graph.inputs.filter(({ name }) => name in weights).map(({ name, type, shape }) => ({ name, type, shape: shape.map(Number), ...weights[name] }))
  return { ...graph, inputs: graph.inputs.filter(({ name }) => !(name in weights)), initializers: [...turned, ...graph.initializers] }
}

/** Checks that each name has one definition and is defined before it is read. @throws {ChainruleError} naming the node */
export function checkGraph(graph: Graph, outside: ReadonlySet<string> = new Set(), defined: Set<string> = new Set()): void {
  const visible = new Set(outside)
  const define = (name: string, where: string) => {
    if (defined.has(name)) throw new ChainruleError(`The graph ${graph.name} defines "${name}" twice, the second time in ${where}. Names must be unique in a graph and its sub-graphs.`)
    defined.add(name)
    visible.add(name)
  }
  const read = (name: string, where: string) => {
    if (!visible.has(name)) throw new ChainruleError(`The graph ${graph.name} reads "${name}" in ${where} before anything defines it.`)
  }
  for (const { name } of graph.inputs) define(name, 'its inputs')
  for (const { name } of graph.initializers) define(name, 'its initializers')
  for (const node of graph.nodes) {
    const where = `${node.operator} (${node.outputs[0]})`
    for (const name of node.inputs) if (name !== '') read(name, where)
    for (const inner of subgraphs(node)) checkGraph(inner, visible, defined)
    for (const name of node.outputs) if (name !== '') define(name, where)
  }
  for (const { name } of graph.outputs) read(name, 'its outputs')
}
