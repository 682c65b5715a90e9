import { InvalidOptionError, refuseUnknownOptions } from '../errors.js'
import type { Grid } from '../locations.js'
import type { Order } from '../order.js'
import { type Cell, gridOrder } from './grid-order.js'

export interface SpiralOptions {
  /** Where it begins: at the top left corner ('edge', the default), or in the middle. */
  from?: 'edge' | 'center'
}

/** Around the edge clockwise, then around the next ring, … or all of it backwards: every step goes to a neighbour. */
export function spiral(options: SpiralOptions = {}): Order {
  refuseUnknownOptions('spiral', options, ['from'])
  const { from = 'edge' } = options
  if (from !== 'edge' && from !== 'center') throw new InvalidOptionError(`spiral: from must be 'edge' or 'center', got ${JSON.stringify(from)}.`)
  return gridOrder('spiral', { from }, (grid) => (from === 'edge' ? inwards(grid) : inwards(grid).reverse()))
}

function inwards({ height, width }: Grid): Cell[] {
  const cells: Cell[] = []
  let [top, left, bottom, right] = [0, 0, height - 1, width - 1]
  while (top <= bottom && left <= right) {
    for (let column = left; column <= right; column++) cells.push([top, column])
    top++
    for (let row = top; row <= bottom; row++) cells.push([row, right])
    right--
    if (top <= bottom) for (let column = right; column >= left; column--) cells.push([bottom, column])
    bottom--
    if (left <= right) for (let row = bottom; row >= top; row--) cells.push([row, left])
    left++
  }
  return cells
}
