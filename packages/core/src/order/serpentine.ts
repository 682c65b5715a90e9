import { refuseUnknownOptions } from '../errors.js'
import type { Order } from '../order.js'
import { allCells, gridOrder } from './grid-order.js'

/** Row by row, from left to right and from right to left in turn: every step goes to a neighbour. */
export function serpentine(options: Record<never, never> = {}): Order {
  refuseUnknownOptions('serpentine', options, [])
  return gridOrder('serpentine', {}, (grid) => allCells(grid).map(([row, column]) => [row, row % 2 === 0 ? column : grid.width - 1 - column] as const))
}
