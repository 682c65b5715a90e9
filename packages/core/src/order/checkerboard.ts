import { InvalidOptionError, refuseUnknownOptions } from '../errors.js'
import type { Order } from '../order.js'
import { allCells, gridOrder } from './grid-order.js'

export interface CheckerboardOptions {
  /**
   * True: the cells of one colour are assumed independent of each other, the second colour given the first (two groups, as in
   * He et al. 2021, arXiv 2103.15306). That is another, weaker p. False, the default: a plain chain.
   */
  groups?: boolean
}

/** The cells with row + column even, row by row, then the others. */
export function checkerboard(options: CheckerboardOptions = {}): Order {
  refuseUnknownOptions('checkerboard', options, ['groups'])
  const { groups = false } = options
  if (typeof groups !== 'boolean') throw new InvalidOptionError(`checkerboard: groups must be true or false, got ${String(groups)}.`)
  return gridOrder(
    'checkerboard',
    { groups },
    (grid) => allCells(grid).sort((a, b) => ((a[0] + a[1]) % 2) - ((b[0] + b[1]) % 2)),
    (cells) => (groups ? Int32Array.from(cells, ([row, column]) => (row + column) % 2) : undefined),
  )
}
