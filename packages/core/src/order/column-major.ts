import { refuseUnknownOptions } from '../errors.js'
import type { Order } from '../order.js'
import { allCells, gridOrder } from './grid-order.js'

/** Column by column, each from top to bottom. */
export function columnMajor(options: Record<never, never> = {}): Order {
  refuseUnknownOptions('columnMajor', options, [])
  return gridOrder('columnMajor', {}, ({ height, width }) => allCells({ height: width, width: height }).map(([column, row]) => [row, column] as const))
}
