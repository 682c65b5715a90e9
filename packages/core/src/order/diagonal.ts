import { refuseUnknownOptions } from '../errors.js'
import type { Order } from '../order.js'
import { allCells, type Cell, gridOrder } from './grid-order.js'

/**
 * From the top left, one diagonal row + column = 0, 1, 2, … after the other, up and down in turn (the zigzag of JPEG): every step
 * goes to one of the eight cells around.
 */
export function diagonal(options: Record<never, never> = {}): Order {
  refuseUnknownOptions('diagonal', options, [])
  const alongDiagonal = ([row, column]: Cell) => ((row + column) % 2 === 0 ? column : row)
  return gridOrder('diagonal', {}, (grid) => allCells(grid).sort((a, b) => a[0] + a[1] - b[0] - b[1] || alongDiagonal(a) - alongDiagonal(b)))
}
