/** Collects the nodes of a graph one by one and gives every value its name; `finish` (simplify.ts) makes the graph of them. */
import type { Attributes, ElementArray, ElementType, Initializer, Node, Value } from './graph.js'

export class GraphBuilder {
  readonly inputs: Value[] = []
  readonly nodes: Node[] = []
  readonly initializers = new Map<string, Initializer>()
  readonly #producers = new Map<string, Node>()
  #count = 0

  /** @param prefix set apart from other graphs: names must be unique in a graph and its sub-graphs */
  constructor(readonly prefix = '') {}

  input(value: Value): string {
    this.inputs.push(value)
    return value.name
  }

  constant(type: ElementType, shape: readonly number[], data: ElementArray): string {
    const name = `${this.prefix}constant_${this.#count++}`
    this.initializers.set(name, { name, type, shape, data })
    return name
  }

  /** One float, shape []. */
  float(value: number): string {
    return this.constant('float32', [], Float32Array.of(value))
  }

  /** A list of int64, as shapes, axes and the like are given. */
  integers(values: readonly number[]): string {
    return this.constant('int64', [values.length], BigInt64Array.from(values, BigInt))
  }

  /** One int64, shape []. */
  integer(value: number): string {
    return this.constant('int64', [], BigInt64Array.of(BigInt(value)))
  }

  /** A name that nothing else has. */
  fresh(label: string): string {
    return `${this.prefix}${label}_${this.#count++}`
  }

  /** Appends a node with `count` outputs and returns their names. */
  several(operator: string, inputs: readonly string[], count: number, attributes: Attributes = {}, domain = ''): string[] {
    const number = this.#count++
    const outputs = Array.from({ length: count }, (_, i) => `${this.prefix}${operator}_${number}${count > 1 ? `_${i}` : ''}`)
    const node = { operator, domain, inputs, outputs, attributes }
    this.nodes.push(node)
    for (const output of outputs) this.#producers.set(output, node)
    return outputs
  }

  /** Puts a node in another's place; it has the same outputs, or more. */
  replace(node: Node, by: Node): void {
    this.nodes[this.nodes.indexOf(node)] = by
    for (const output of by.outputs) this.#producers.set(output, by)
  }

  /** Appends a node with one output and returns its name. */
  node(operator: string, inputs: readonly string[], attributes?: Attributes, domain?: string): string {
    return this.several(operator, inputs, 1, attributes, domain)[0]
  }

  /** The node that computes a value; undefined for inputs and constants. */
  producer(name: string): Node | undefined {
    return this.#producers.get(name)
  }
}
