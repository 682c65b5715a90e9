import { UnknownPieceError } from '../errors.js'
import type { Order } from '../order.js'
import type { Piece } from '../piece.js'
import { checkerboard } from './checkerboard.js'
import { columnMajor } from './column-major.js'
import { custom } from './custom.js'
import { diagonal } from './diagonal.js'
import { hilbert } from './hilbert.js'
import { leftToRight } from './left-to-right.js'
import { morton } from './morton.js'
import { random } from './random.js'
import { raster } from './raster.js'
import { reversed } from './reversed.js'
import { serpentine } from './serpentine.js'
import { spiral } from './spiral.js'

export { checkerboard, type CheckerboardOptions } from './checkerboard.js'
export { columnMajor } from './column-major.js'
export { custom, type CustomOrderOptions } from './custom.js'
export { diagonal } from './diagonal.js'
export { hilbert } from './hilbert.js'
export { type GroupOptions, leftToRight } from './left-to-right.js'
export { morton } from './morton.js'
export { random } from './random.js'
export { raster } from './raster.js'
export { reversed } from './reversed.js'
export { serpentine } from './serpentine.js'
export { spiral, type SpiralOptions } from './spiral.js'

const byName: Record<string, (options: never) => Order> = {
  checkerboard,
  columnMajor,
  custom,
  diagonal,
  hilbert,
  leftToRight,
  morton,
  random,
  raster,
  reversed,
  serpentine,
  spiral,
}

/** The order that a file names. @throws {UnknownPieceError} */
export function orderFromName({ name, options }: Piece): Order {
  const make = Object.hasOwn(byName, name) ? byName[name] : undefined
  if (!make) throw new UnknownPieceError(`No order is called "${name}". Known: ${Object.keys(byName).join(', ')}.`)
  return make(options as never)
}
