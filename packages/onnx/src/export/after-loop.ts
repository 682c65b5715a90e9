/**
 * What a step only tells is computed after the loop, for all steps at once: no later step waits for −log p, say. A step's graph takes any
 * batch and treats its rows alike, so the nodes that tell run once, with steps · rows for a batch, on lists of what the loop handed out.
 */
import { type Dimension, type Known, namesRead, type Node, renamed, subgraphs } from '../graph.js'
import { liveNodes } from '../simplify.js'

/** Numbers of one variable and row that the loop hands out at most: a list of them stays in memory until the loop has ended. */
const mostNumbers = 4096

export interface Division {
  /** What runs in every step. */
  readonly repeated: readonly Node[]
  /** What runs once; it reads `flat` names in place of those that were handed out or that it computes itself. */
  readonly afterwards: readonly Node[]
  /** Values of a step, with the batch as their first axis, that the loop lists for it. */
  readonly handedOut: readonly string[]
}

/** How a value of a step is called where all steps stand below each other: [steps · batch, …]. */
export const flat = (name: string) => `all.${name}`

const numbersOf = (shape: readonly Dimension[]) => shape.slice(1).reduce<number>((product, axis) => product * Number(axis), 1)

/**
 * @param nodes of a step, those that are the same in every step left out
 * @param before nodes that run once, before the loop; sizes that they take from shapes are taken anew where all steps are one batch
 * @param needed what the next step reads
 * @param told what is told of a step
 * @param variables how many a step draws of each row
 */
export function divide(nodes: readonly Node[], before: readonly Node[], needed: readonly string[], told: readonly string[], known: Known, variables = 1): Division {
  const everything = liveNodes(nodes, [...needed, ...told])
  const producers = new Map([...before, ...nodes].flatMap((node) => node.outputs.map((name) => [name, node] as const)))
  const isOutside = new Set(before)
  const isSize = (name: string): boolean => {
    const node = producers.get(name)
    return node !== undefined && isOutside.has(node) && (node.operator === 'Shape' || namesRead(node).some(isSize))
  }
  /** The nodes before the loop that compute a size, where they take no other length than that of the batch. */
  const sizeNodes = (name: string): Node[] | undefined => {
    const node = producers.get(name)!
    if (node.operator === 'Shape') return node.attributes.start === 0 && node.attributes.end === 1 ? [node] : undefined
    const parts = namesRead(node).filter(isSize).map(sizeNodes)
    return parts.some((part) => part === undefined) ? undefined : [...parts.flatMap((part) => part!), node]
  }

  let repeated = liveNodes(everything, needed)
  for (;;) {
    const inLoop = new Set(repeated)
    const afterwards = everything.filter((node) => !inLoop.has(node))
    const own = new Set(afterwards.flatMap(({ outputs }) => outputs))
    // A node moves only where it reads rows of the batch, what is the same in every step, or what moves too.
    const isRow = (name: string) => known.get(name)?.shape[0] === 'batch' && !Number.isNaN(numbersOf(known.get(name)!.shape))
    const inside = (name: string) => !own.has(name) && !isSize(name) && !(producers.has(name) && isOutside.has(producers.get(name)!)) && (producers.has(name) || known.has(name))
    const staying = afterwards.filter((node) => subgraphs(node).length > 0 || namesRead(node).some((name) => (inside(name) && !isRow(name)) || (isSize(name) && !sizeNodes(name))))
    if (staying.length > 0) {
      repeated = liveNodes(everything, [...needed, ...staying.flatMap(({ outputs }) => outputs)])
      continue
    }
    const read = [...new Set(afterwards.flatMap(namesRead))]
    const handedOut = read.filter(inside)
    if (handedOut.reduce((sum, name) => sum + numbersOf(known.get(name)!.shape), 0) > mostNumbers * variables) return { repeated: everything, afterwards: [], handedOut: [] }
    const sizes = [...new Set(read.filter(isSize).flatMap((name) => sizeNodes(name)!))].map((node) => (node.operator === 'Shape' ? { ...node, inputs: [handedOut[0]] } : node))
    const turned = new Set([...handedOut, ...own, ...sizes.flatMap(({ outputs }) => outputs)])
    const { nodes: moved } = renamed({ name: '', inputs: [], outputs: [], initializers: [], nodes: [...sizes, ...afterwards] }, (name) => (turned.has(name) ? flat(name) : name))
    return { repeated, afterwards: moved, handedOut }
  }
}
