import { UnknownPieceError } from '../errors.js'
import type { Order } from '../order.js'
import type { Piece } from '../piece.js'
import { custom } from './custom.js'
import { leftToRight } from './left-to-right.js'
import { random } from './random.js'
import { reversed } from './reversed.js'

export { custom, type CustomOrderOptions } from './custom.js'
export { type GroupOptions, leftToRight } from './left-to-right.js'
export { random } from './random.js'
export { reversed } from './reversed.js'

const byName: Record<string, (options: never) => Order> = { custom, leftToRight, random, reversed }

/** The order that a file names. @throws {UnknownPieceError} */
export function orderFromName({ name, options }: Piece): Order {
  const make = Object.hasOwn(byName, name) ? byName[name] : undefined
  if (!make) throw new UnknownPieceError(`No order is called "${name}". Known: ${Object.keys(byName).join(', ')}.`)
  return make(options as never)
}
