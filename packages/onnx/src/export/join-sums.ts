/**
 * A product of matrices and the Add that reads it as one Gemm. onnxruntime joins them by itself, and an activation too, but only where it knows
 * the shapes; those of addends that were split off a batch of products it does not infer.
 */
import { type Dimension, type Graph, namesRead, type Node } from '../graph.js'

/** The graph with `x W + c` as Gemm, where nothing else reads `x W` and c [N] or [B, N] needs no more broadcasting. */
export function joinSums(graph: Graph): Graph {
  const shapes = new Map<string, readonly Dimension[]>([
    ...[...(graph.known ?? [])].map(([name, { shape }]) => [name, shape] as const),
    ...[...graph.inputs, ...graph.initializers].map(({ name, shape }) => [name, shape] as const),
  ])
  const readers = new Map<string, number>()
  for (const name of [...graph.nodes.flatMap(namesRead), ...graph.outputs.map(({ name }) => name)]) readers.set(name, (readers.get(name) ?? 0) + 1)
  const products = new Map(graph.nodes.filter(({ operator, inputs }) => operator === 'MatMul' && inputs.every((name) => shapes.get(name)?.length === 2)).map((node) => [node.outputs[0], node]))
  const joined = new Set<Node>()
  const nodes = graph.nodes.map((node) => {
    const product = node.operator === 'Add' ? node.inputs.findIndex((name) => products.has(name) && readers.get(name) === 1) : -1
    if (product < 0) return node
    const { inputs } = products.get(node.inputs[product])!
    const [addend, full] = [node.inputs[1 - product], [shapes.get(inputs[0])![0], shapes.get(inputs[1])![1]]]
    const shape = shapes.get(addend)
    if (!shape || shape.length === 0 || shape.length > 2 || shape.some((axis, i) => axis !== full[i + 2 - shape.length])) return node
    joined.add(products.get(node.inputs[product])!)
    return { ...node, operator: 'Gemm', inputs: [...inputs, addend] }
  })
  return { ...graph, nodes: nodes.filter((node) => !joined.has(node)) }
}
