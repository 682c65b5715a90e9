/**
 * Kernels on a grid of variables: for each position the neighbors that it may read under an order. Where the order is the raster, the
 * same neighbors are earlier everywhere, and the kernel is that of a masked convolution; in any other order each position has its own
 * (locally masked convolution: Jain, Abbeel, Pathak 2020, arXiv 2006.12486).
 */
import type { Grid } from '@chainrule/core'
import { neighborhood, type Neighborhood } from '@chainrule/core/tensors'

/** [rows down, columns to the right] of the position that reads. */
export type Offset = readonly [down: number, right: number]

/** The square of `kernel` × `kernel` offsets around a position; `kernel` is odd. */
export function square(kernel: number): Offset[] {
  const reach = (kernel - 1) / 2
  return Array.from({ length: kernel * kernel }, (_, i): Offset => [Math.floor(i / kernel) - reach, (i % kernel) - reach])
}

export type MayRead = (position: number, neighbor: number) => boolean

/** The position at an offset of another; −1 beyond the edge. */
function neighborAt({ height, width }: Grid, position: number, [down, right]: Offset): number {
  const [row, column] = [Math.floor(position / width) + down, (position % width) + right]
  return row >= 0 && row < height && column >= 0 && column < width ? row * width + column : -1
}

const positionsOf = ({ height, width }: Grid) => Array.from({ length: height * width }, (_, position) => position)

/** The offsets through which some position reads something; at least one stays, so that nothing is empty. */
export function liveOffsets(grid: Grid, offsets: readonly Offset[], mayRead: MayRead = () => true): readonly Offset[] {
  const isLive = (offset: Offset) =>
    positionsOf(grid).some((position) => {
      const neighbor = neighborAt(grid, position, offset)
      return neighbor >= 0 && mayRead(position, neighbor)
    })
  const live = offsets.filter(isLive)
  return live.length > 0 ? live : offsets.slice(0, 1)
}

/**
 * One tap for each offset.
 * @param mayRead by position: who, whom
 */
export function gridNeighbors(grid: Grid, offsets: readonly Offset[], mayRead: MayRead = () => true): Neighborhood {
  const reads = positionsOf(grid).flatMap((position) =>
    offsets.map((offset) => {
      const neighbor = neighborAt(grid, position, offset)
      return neighbor >= 0 && mayRead(position, neighbor) ? neighbor : -1
    }),
  )
  return neighborhood(Int32Array.from(reads), offsets.length)
}

/** How many taps of a kernel read something, in the mean: the fan-in of a weight. */
export function meanTaps({ reads, taps }: Neighborhood): number {
  return Math.max(1, reads.filter((row) => row >= 0).length / (reads.length / taps))
}

/** All that a set of rows reads through a neighborhood. */
export function readThrough(rows: Iterable<number>, { reads, taps }: Neighborhood): Set<number> {
  const found = new Set<number>()
  for (const row of rows) for (let tap = 0; tap < taps; tap++) if (reads[row * taps + tap] >= 0) found.add(reads[row * taps + tap])
  return found
}
