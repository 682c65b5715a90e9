/**
 * The tables of an n-gram model: for each context c that was counted, a row of p(v | c) of all values v, and the row that comes next.
 *
 *   p(v | c) = max(a(cv) − D(a(cv)), 0) / A(c) + γ(c) p(v | c′)       A(c) = Σᵥ a(cv),  γ(c) = Σᵥ D(a(cv)) / A(c)
 *
 * c′ is c without its first symbol; below the empty context stands 1/V. Interpolated Kneser-Ney with three discounts a length, D(1), D(2)
 * and D(3 or more), from the counts of counts: Chen, Goodman 1998 (TR-10-98), section 3. a counts occurrences for the longest strings and
 * those that begin a sequence, which nothing stands before, else the different symbols before the string.
 *
 * The rows are a finite automaton: next[c, v] is the longest context kept that ends cv. A context is kept where it was followed at least
 * `minimumCount` times; then so are its prefixes and suffixes, which the automaton needs.
 * Axes: R rows (0 the empty context, 1 the start of a sequence), V values.
 */
import { InvalidDataError, type ParameterArrays } from '@chainrule/core'
import { emptyNode, type NgramCounts, startNode } from './ngram-counts.js'

/** Numbers of one table: half a gigabyte. */
export const mostNumbers = 2 ** 27

/** D of 1, of 2, and of more; where counts of counts are missing, one discount for all (Ney, Essen, Kneser 1994). */
export function discountsOf([one, two, three, four]: readonly number[]): readonly [number, number, number] {
  const single = one && two ? one / (one + 2 * two) : 0.5
  if (!(one && two && three && four)) return [single, single, single]
  const bounded = (discount: number, count: number) => Math.min(Math.max(discount, 0.05), count)
  return [bounded(1 - (2 * single * two) / one, 1), bounded(2 - (3 * single * three) / two, 2), bounded(3 - (4 * single * four) / three, 3)]
}

/**
 * @returns `next` [R·V], the row after row r and value v, and `logits` [R, V], log p(v | r)
 * @throws {InvalidDataError} where the tables would be too large
 */
export function ngramTables(counts: NgramCounts, order: number, V: number, minimumCount: number): ParameterArrays {
  const { size, parent, value, suffix, length, occurrences } = counts
  const a = adjustedCounts(counts, order)
  const discounts = discountsByLength(counts, a, order)

  const followed = new Float64Array(size)
  for (let node = 2; node < size; node++) followed[parent[node]] += occurrences[node]
  // In the order of their numbers, so that the row of a suffix is there before it is read.
  const contexts: number[] = []
  for (let node = 0; node < size; node++) if (node <= startNode || (length[node] < order && followed[node] >= minimumCount)) contexts.push(node)
  const R = contexts.length
  if (R * V > mostNumbers) {
    throw new InvalidDataError(`ngram: ${R} contexts of ${V} values would take ${Math.round((8 * R * V) / 1e6)} MB, at most ${Math.round((8 * mostNumbers) / 1e6)} MB are allowed. Raise minimumCount (now ${minimumCount}) or lower order (now ${order}).`)
  }
  const rowOf = new Int32Array(size).fill(-1)
  contexts.forEach((node, row) => (rowOf[node] = row))

  const children = childrenOf(counts)
  const probabilities = new Float32Array(R * V)
  const next = new Float32Array(R * V)
  contexts.forEach((node, row) => {
    const shorter = rowOf[suffix[node]] * V
    const [begin, end] = [children.begins[node], children.begins[node + 1]]
    let [total, discounted] = [0, 0]
    for (let i = begin; i < end; i++) {
      const child = children.members[i]
      total += a[child]
      discounted += discountOf(discounts[length[child]], a[child])
    }
    // A start that too little is known of is the empty context.
    const isKept = node === emptyNode || followed[node] >= minimumCount
    const rest = isKept ? discounted / total : 1
    for (let v = 0; v < V; v++) {
      probabilities[row * V + v] = rest * (node === emptyNode ? 1 / V : probabilities[shorter + v])
      next[row * V + v] = node === emptyNode ? 0 : next[shorter + v]
    }
    if (!isKept) return
    for (let i = begin; i < end; i++) {
      const child = children.members[i]
      const at = row * V + value[child]
      probabilities[at] += (a[child] - discountOf(discounts[length[child]], a[child])) / total
      if (rowOf[child] >= 0) next[at] = rowOf[child]
    }
  })
  // In place: the tables are large.
  for (let i = 0; i < probabilities.length; i++) probabilities[i] = Math.log(probabilities[i])
  return { next: { shape: [R * V], data: next }, logits: { shape: [R, V], data: probabilities } }
}

const discountOf = (discounts: readonly number[], count: number) => discounts[Math.min(count, 3) - 1]

/** a of each node. */
function adjustedCounts({ size, parent, length, occurrences, symbolsBefore }: NgramCounts, order: number): Int32Array {
  const begins = new Uint8Array(size)
  begins[startNode] = 1
  const a = new Int32Array(size)
  for (let node = 2; node < size; node++) {
    begins[node] = begins[parent[node]]
    a[node] = length[node] === order || begins[node] ? occurrences[node] : symbolsBefore[node]
  }
  return a
}

/** The three discounts of strings of each length. */
function discountsByLength({ size, length }: NgramCounts, a: Int32Array, order: number) {
  const countsOfCounts = Array.from({ length: order + 1 }, () => [0, 0, 0, 0])
  for (let node = 2; node < size; node++) if (a[node] <= 4) countsOfCounts[length[node]][a[node] - 1]++
  return countsOfCounts.map(discountsOf)
}

/** The nodes by their parent: the children of a node stand from begins[node] to begins[node + 1]. */
function childrenOf({ size, parent }: NgramCounts): { members: Int32Array; begins: Int32Array } {
  const begins = new Int32Array(size + 1)
  for (let node = 2; node < size; node++) begins[parent[node] + 1]++
  for (let node = 0; node < size; node++) begins[node + 1] += begins[node]
  const members = new Int32Array(size - 2)
  const at = begins.slice()
  for (let node = 2; node < size; node++) members[at[parent[node]]++] = node
  return { members, begins }
}
