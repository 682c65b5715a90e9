/** What the orders of a grid share: each is a list of cells, [row, column] by rank. A cell's position is row · width + column. */
import type { JsonObject } from '../piece.js'
import { type Grid, gridOf } from '../locations.js'
import { type Order, resolvedOrder } from '../order.js'

export type Cell = readonly [row: number, column: number]

/** All cells, row by row. */
export const allCells = ({ height, width }: Grid): Cell[] => Array.from({ length: height * width }, (_, position): Cell => [Math.floor(position / width), position % width])

/**
 * The order of a grid's cells.
 * @param cells by rank
 * @param groups by rank; absent: a plain chain
 */
export function gridOrder(name: string, options: JsonObject, cells: (grid: Grid) => Iterable<Cell>, groups?: (cells: readonly Cell[]) => Int32Array | undefined): Order {
  return {
    name,
    options,
    resolve(domain) {
      const grid = gridOf(domain, name)
      const ranked = [...cells(grid)]
      return resolvedOrder(name, Int32Array.from(ranked, ([row, column]) => row * grid.width + column), groups?.(ranked))
    },
  }
}
