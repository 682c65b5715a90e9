/**
 * Where a new value may be written over the old one. onnxruntime runs a node as soon as its inputs are there, in whatever
 * order: so the old value may be overwritten only if everything that reads it must, by its data, have run before.
 *
 *   safe(old, new)  ⇔  new is computed by a node U that adds or subtracts element by element, and
 *                      each node that reads old (also as a view: Reshape and the like share its memory) is U or an ancestor of U
 *
 * U itself reads old at the element that it writes: nothing else has its size and broadcasts to its shape. U's operands
 * must come from element-wise nodes too: onnxruntime may merge U with a matrix product or a reduction before it into one
 * node that reads old while it writes new.
 */
import { type Graph, namesRead, type Node } from './graph.js'

const views = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Identity'])
const updates = new Set(['Add', 'Sub'])
const simple = new Set(['Add', 'Sub', 'Mul', 'Div', 'Sqrt'])

/** Whether `output` of the graph may be written into the memory of `input`, which has the same shape. */
export function mayOverwrite(graph: Graph, input: string, output: string): boolean {
  const producers = new Map<string, Node>()
  const readers = new Map<string, Node[]>()
  for (const node of graph.nodes) {
    for (const name of node.outputs) producers.set(name, node)
    for (const name of new Set(namesRead(node))) readers.set(name, [...(readers.get(name) ?? []), node])
  }
  const update = producers.get(output)
  if (!update || !updates.has(update.operator)) return false
  const computed = update.inputs.flatMap((name) => producers.get(name) ?? [])
  if (!computed.every(({ operator }) => simple.has(operator))) return false

  const ancestors = new Set<Node>()
  const reach = (node: Node) => {
    if (ancestors.has(node)) return
    ancestors.add(node)
    for (const name of namesRead(node)) {
      const producer = producers.get(name)
      if (producer) reach(producer)
    }
  }
  computed.forEach(reach)

  const outputs = new Set(graph.outputs.map(({ name }) => name))
  const isReadBefore = (name: string): boolean =>
    (readers.get(name) ?? []).every((node) => {
      if (views.has(node.operator) && node.inputs[0] === name) return !outputs.has(node.outputs[0]) && isReadBefore(node.outputs[0])
      return node === update || ancestors.has(node)
    })
  return isReadBefore(input)
}
