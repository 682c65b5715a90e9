/**
 * Sub-graphs are recorded into the builder of the graph around them, so that names are unique in all, and taken out again.
 * Of a body that runs many times, what does not depend on its inputs stays outside, where it is computed once; a branch keeps all.
 */
import type { GraphBuilder } from './graph-builder.js'
import { type Graph, namesRead, type Node, type Value } from './graph.js'
import { liveNodes } from './simplify.js'

/**
 * Runs `work`, which appends to the builder, and makes a graph of what depends on `inputs`.
 * @param work returns the outputs; a value that comes from outside, straight from an input or twice is copied
 */
export function recordSubGraph(builder: GraphBuilder, name: string, inputs: readonly Value[], work: () => readonly Value[]): Graph {
  const mark = builder.nodes.length
  const results = work()
  const appended = builder.nodes.splice(mark)
  const changing = new Set(inputs.map((input) => input.name))
  const nodes = appended.filter((node) => {
    const isInside = namesRead(node).some((read) => changing.has(read))
    if (isInside) for (const output of node.outputs) changing.add(output)
    else builder.nodes.push(node)
    return isInside
  })
  return subGraphOf(builder, name, inputs, nodes, results)
}

/** Runs `work`, which appends to the builder, and makes a graph without inputs of all of it: it runs only where it is chosen. */
export function recordBranch(builder: GraphBuilder, name: string, work: () => readonly Value[]): Graph {
  const mark = builder.nodes.length
  const results = work()
  return subGraphOf(builder, name, [], builder.nodes.splice(mark), results)
}

function subGraphOf(builder: GraphBuilder, name: string, inputs: readonly Value[], nodes: Node[], results: readonly Value[]): Graph {
  const computed = new Set(nodes.flatMap((node) => node.outputs))
  const taken = new Set<string>()
  const outputs = results.map((result) => {
    const isDirect = computed.has(result.name) && !taken.has(result.name)
    if (isDirect) {
      taken.add(result.name)
      return result
    }
    const copy = { operator: 'Identity', domain: '', inputs: [result.name], outputs: [builder.fresh('copy')], attributes: {} }
    nodes.push(copy)
    return { ...result, name: copy.outputs[0] }
  })
  return { name, inputs, outputs, initializers: [], nodes: liveNodes(nodes, outputs.map((output) => output.name)) }
}
