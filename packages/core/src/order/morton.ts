import { refuseUnknownOptions } from '../errors.js'
import type { Order } from '../order.js'
import { allCells, type Cell, gridOrder } from './grid-order.js'

/** Quarter by quarter, each in the same way (Morton 1966): by the number whose bits are those of row and column in turn. Cells outside are left out. */
export function morton(options: Record<never, never> = {}): Order {
  refuseUnknownOptions('morton', options, [])
  return gridOrder('morton', {}, (grid) => {
    const bits = Math.ceil(Math.log2(Math.max(grid.height, grid.width, 2)))
    const code = ([row, column]: Cell) => {
      let interleaved = 0
      for (let bit = bits - 1; bit >= 0; bit--) interleaved = 4 * interleaved + 2 * ((row >> bit) & 1) + ((column >> bit) & 1)
      return interleaved
    }
    return allCells(grid).sort((a, b) => code(a) - code(b))
  })
}
