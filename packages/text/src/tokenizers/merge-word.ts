/**
 * Merging the tokens of one word: as long as neighbours form a pair with a rank, the pair of the lowest rank becomes one token, the leftmost first.
 *
 * A linked list of tokens and a heap of pairs by (rank, place): n tokens take O(n log n), so a word may be long. A pair in the heap may
 * have been consumed since it was found; `rankAt` says whether it still stands.
 */
import { Heap } from './heap.js'

export interface Merges {
  /** V: tokens are 0 … V−1. */
  readonly values: number
  /** left · V + right → rank. */
  readonly ranks: ReadonlyMap<number, number>
  /** What the pair of a rank becomes. */
  readonly results: Int32Array
}

export function mergeWord(word: Int32Array, { values, ranks, results }: Merges): Int32Array {
  const length = word.length
  const tokens = word.slice()
  const next = Int32Array.from({ length }, (_, at) => at + 1)
  const before = Int32Array.from({ length }, (_, at) => at - 1)
  const rankAt = new Int32Array(length).fill(-1)
  const heap = new Heap<number>((a, b) => a < b)
  const look = (at: number) => {
    const rank = next[at] < length ? ranks.get(tokens[at] * values + tokens[next[at]]) ?? -1 : -1
    rankAt[at] = rank
    if (rank >= 0) heap.push(rank * length + at)
  }
  for (let at = 0; at < length; at++) look(at)
  let count = length
  for (let key = heap.pop(); key !== undefined; key = heap.pop()) {
    const at = key % length
    const rank = (key - at) / length
    if (rankAt[at] !== rank) continue
    const right = next[at]
    tokens[at] = results[rank]
    rankAt[right] = -1
    next[at] = next[right]
    if (next[at] < length) before[next[at]] = at
    look(at)
    if (before[at] >= 0) look(before[at])
    count--
  }
  const merged = new Int32Array(count)
  for (let at = 0, which = 0; at < length; at = next[at]) merged[which++] = tokens[at]
  return merged
}
