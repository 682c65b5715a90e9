/**
 * Counts of n-grams: how often each string of up to n variables stands in the sequences, and after how many different symbols.
 *
 * The strings are the nodes of a tree: node 0 is the empty string, node 1 the start of a sequence as a context, the child of a node is
 * the string with one value more. One pass, in which a sequence is read once and nothing of it is kept: n look-ups a variable.
 * Memory: 29 bytes for each string that there is room for, at most twice as many as there are; half as much more while it grows.
 */
import { InvalidDataError } from '@chainrule/core'

/** Strings that there may be room for: a gigabyte. */
const mostStrings = 2 ** 25

export const emptyNode = 0
export const startNode = 1

/** Of each node, by its number; a node comes after its parent and its suffix. */
export interface NgramCounts {
  readonly size: number
  /** The string without its last value; −1 for the first two nodes. */
  readonly parent: Int32Array
  /** The last value; −1 for the first two nodes. */
  readonly value: Int32Array
  /** The string without its first symbol. */
  readonly suffix: Int32Array
  /** Symbols, a start included. */
  readonly length: Uint8Array
  /** How often it occurs; 0 for the first two nodes. */
  readonly occurrences: Int32Array
  /** How many different symbols, the start among them, occur before it; of no use for the first two. */
  readonly symbolsBefore: Int32Array
}

/**
 * @param sequences each of values 0 … V−1, in the order of generation; a start stands before its first
 * @param order n, the length of the longest strings
 * @throws {InvalidDataError} for a value out of range, where there is none, or too many different strings
 */
export function countNgrams(sequences: Iterable<ArrayLike<number>>, order: number, values: number, most = mostStrings): NgramCounts {
  let capacity = 1 << 12
  let [parent, value, suffix, occurrences, symbolsBefore] = Array.from({ length: 5 }, () => new Int32Array(capacity))
  let length = new Uint8Array(capacity)
  let size = 2
  parent.fill(-1, 0, size)
  value.fill(-1, 0, size)
  length[startNode] = 1
  /** Nodes by hash of parent and value, 0 where a slot is empty; at least half of them are. */
  let slots = new Int32Array(2 * capacity)
  const slotOf = (node: number, x: number) => {
    let slot = (Math.imul(node, 0x9e3779b1) ^ Math.imul(x + 1, 0x85ebca6b)) >>> 0
    slot = (slot ^ (slot >>> 15)) & (slots.length - 1)
    while (slots[slot] !== 0 && (parent[slots[slot]] !== node || value[slots[slot]] !== x)) slot = (slot + 1) & (slots.length - 1)
    return slot
  }
  const grow = () => {
    capacity *= 2
    if (capacity > most) throw new InvalidDataError(`ngram: the data has more than ${size} different strings of up to ${order} values; counting them would take more than ${Math.round((29 * most) / 1e6)} MB. Lower order (now ${order}).`)
    const larger = <A extends Int32Array | Uint8Array>(array: A): A => {
      const result = new (array.constructor as new (size: number) => A)(capacity)
      result.set(array)
      return result
    }
    ;[parent, value, suffix, occurrences, symbolsBefore] = [parent, value, suffix, occurrences, symbolsBefore].map(larger)
    length = larger(length)
    slots = new Int32Array(2 * capacity)
    for (let node = 2; node < size; node++) slots[slotOf(parent[node], value[node])] = node
  }
  const childOf = (node: number, x: number, itsSuffix: number) => {
    if (size === capacity) grow()
    const slot = slotOf(node, x)
    if (slots[slot] !== 0) return slots[slot]
    slots[slot] = size
    parent[size] = node
    value[size] = x
    suffix[size] = itsSuffix
    length[size] = length[node] + 1
    symbolsBefore[itsSuffix]++
    return size++
  }

  // The strings that end at the variable before, by length; and those that end at this one.
  let [before, here] = [new Int32Array(order + 1), new Int32Array(order + 1)]
  let which = 0
  for (const sequence of sequences) {
    before[1] = startNode
    let known = 1
    for (let i = 0; i < sequence.length; i++) {
      const x = sequence[i]
      if (!Number.isInteger(x) || x < 0 || x >= values) throw new InvalidDataError(`ngram: sequence ${which} holds ${x} at ${i}, expected 0 … ${values - 1}.`)
      const longest = Math.min(known, order - 1)
      for (let k = 0; k <= longest; k++) {
        here[k + 1] = childOf(before[k], x, here[k])
        occurrences[here[k + 1]]++
      }
      known = longest + 1
      ;[before, here] = [here, before]
    }
    which++
  }
  if (size === 2) throw new InvalidDataError('ngram: there is nothing to count: the data holds no variable.')
  return { size, parent, value, suffix, length, occurrences, symbolsBefore }
}
