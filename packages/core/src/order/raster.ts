import { refuseUnknownOptions } from '../errors.js'
import type { Order } from '../order.js'
import { allCells, gridOrder } from './grid-order.js'

/** Row by row, each from left to right. */
export function raster(options: Record<never, never> = {}): Order {
  refuseUnknownOptions('raster', options, [])
  return gridOrder('raster', {}, allCells)
}
