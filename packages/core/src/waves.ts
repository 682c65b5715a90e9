/**
 * Waves: variables that can be drawn at the same time, because none of them depends on another. p stays what it is.
 *
 *   wave(p) = 1 + the latest wave of all that p depends on, 0 where it depends on nothing
 *
 * So a wave is as early as it can be, and no schedule has fewer. On a grid in raster order, with kernels of 3 × 3 throughout, that is
 * column + 2 · row; with a first kernel of 7 × 7 column + 4 · row. Two stacks without a blind spot reach one place further with every layer:
 * with 3 × 3 and L more layers column + (L + 2) · row.
 */
import type { ResolvedOrder } from './order.js'

export interface Waves {
  readonly count: number
  /** How many variables the widest wave has. */
  readonly widest: number
  /** The wave of each position, from 0. */
  readonly waveOf: Int32Array
  /** Its slot among the variables of its wave, in the order of their ranks. */
  readonly slotOf: Int32Array
}

/**
 * @param latest of a position, the latest wave of what it depends on, −1 where there is nothing: all of earlier rank is in `waveOf` already
 */
export function wavesOf({ permutation }: ResolvedOrder, latest: (position: number, waveOf: Int32Array) => number): Waves {
  const [waveOf, slotOf] = [new Int32Array(permutation.length), new Int32Array(permutation.length)]
  const sizes: number[] = []
  for (const position of permutation) {
    const wave = 1 + latest(position, waveOf)
    waveOf[position] = wave
    slotOf[position] = sizes[wave] ?? 0
    sizes[wave] = slotOf[position] + 1
  }
  return { count: sizes.length, widest: Math.max(...sizes), waveOf, slotOf }
}

/** The same from the positions that each depends on. */
export function wavesFromDependencies(order: ResolvedOrder, dependencies: (position: number) => readonly number[]): Waves {
  return wavesOf(order, (position, waveOf) => dependencies(position).reduce((latest, earlier) => Math.max(latest, waveOf[earlier]), -1))
}
