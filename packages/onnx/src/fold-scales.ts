/**
 * Scalar factors move into matrix products, where they cost nothing: FusedMatMul computes alpha · op(a) op(b).
 *
 *   (s a) b → alpha = s       s (a b) → alpha = s, where nothing else reads the product       also through Reshape: it commutes
 *
 * Only for the onnxruntime target: FusedMatMul is an operator of com.microsoft.
 */
import type { Initializer, Node } from './graph.js'
import { namesRead } from './graph.js'
import { type Parts, type Result, simplify } from './simplify.js'

const isProduct = (node: Node | undefined): node is Node => node !== undefined && (node.operator === 'MatMul' || node.operator === 'FusedMatMul')

const alphaOf = ({ attributes }: Node): number => (attributes.alpha as { float: number } | undefined)?.float ?? 1

const scaled = (node: Node, factor: number, inputs: readonly string[], outputs: readonly string[]): Node => ({
  operator: 'FusedMatMul',
  domain: 'com.microsoft',
  inputs,
  outputs,
  attributes: { ...node.attributes, alpha: { float: alphaOf(node) * factor } },
})

/** The value and the constant that a node multiplies it by; undefined for any other node. */
function scaling(node: Node | undefined, constants: ReadonlyMap<string, Initializer>): { value: string; factor: number } | undefined {
  if (node?.operator !== 'Mul' && node?.operator !== 'Div') return undefined
  const [a, b] = node.inputs
  const number = (name: string) => {
    const constant = constants.get(name)
    return constant?.type === 'float32' && constant.shape.length === 0 ? (constant.data as Float32Array)[0] : undefined
  }
  const [first, second] = [number(a), number(b)]
  if (second !== undefined) return { value: a, factor: node.operator === 'Mul' ? second : 1 / second }
  return first !== undefined && node.operator === 'Mul' ? { value: b, factor: first } : undefined
}

/** Factors of operands: they move into every product that reads them. */
function foldOperands(nodes: readonly Node[], constants: ReadonlyMap<string, Initializer>): Node[] {
  const producers = new Map<string, Node>()
  const all: Node[] = []
  const append = (node: Node) => {
    all.push(node)
    for (const name of node.outputs) producers.set(name, node)
  }
  /** The value that a value is a multiple of. */
  const unscaled = (name: string): { value: string; factor: number } => {
    const producer = producers.get(name)
    const direct = scaling(producer, constants)
    if (direct) return direct
    const inner = producer?.operator === 'Reshape' ? unscaled(producer.inputs[0]) : undefined
    if (!producer || !inner || inner.factor === 1) return { value: name, factor: 1 }
    const value = `${name}_unscaled`
    if (!producers.has(value)) append({ ...producer, inputs: [inner.value, producer.inputs[1]], outputs: [value] })
    return { value, factor: inner.factor }
  }
  for (const node of nodes) {
    if (!isProduct(node)) {
      append(node)
      continue
    }
    const operands = node.inputs.map(unscaled)
    const factor = operands.reduce((product, operand) => product * operand.factor, 1)
    append(factor === 1 ? node : scaled(node, factor, operands.map(({ value }) => value), node.outputs))
  }
  return all
}

/** Factors of a product that nothing else reads. */
function foldProducts(nodes: readonly Node[], constants: ReadonlyMap<string, Initializer>, results: readonly Result[]): Node[] {
  const uses = new Map<string, number>()
  for (const name of [...nodes.flatMap(namesRead), ...results.map(({ value }) => value)]) uses.set(name, (uses.get(name) ?? 0) + 1)
  const products = new Map(nodes.filter(isProduct).map((node) => [node.outputs[0], node]))
  return nodes.map((node) => {
    const scale = scaling(node, constants)
    const product = scale && uses.get(scale.value) === 1 ? products.get(scale.value) : undefined
    if (!product) return node
    const folded = scaled(product, scale!.factor, product.inputs, node.outputs)
    products.set(node.outputs[0], folded)
    return folded
  })
}

/** The same results from fewer passes. */
export function foldScales(parts: Parts, results: readonly Result[]): Parts & { readonly results: readonly Result[] } {
  const before = simplify(parts, results)
  const constants = new Map(Array.from(before.initializers, (initializer) => [initializer.name, initializer]))
  const operands = simplify({ ...before, nodes: foldOperands(before.nodes, constants) }, before.results)
  return { ...operands, nodes: foldProducts(operands.nodes, constants, operands.results) }
}
