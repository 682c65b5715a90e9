/** Orders on the command line: a name, and where it takes options these as JSON: random:{"seed":3}. */
import { InvalidOptionError, type JsonObject, type Order, orderFromName, UnknownPieceError } from '@chainrule/core'

/** Those that need no further word first. */
export const orderNames = ['raster', 'reversed', 'columnMajor', 'serpentine', 'diagonal', 'spiral', 'hilbert', 'morton', 'checkerboard', 'random'] as const

/** @throws {InvalidOptionError} */
export function orderNamed(text: string): Order {
  const at = text.indexOf(':')
  const name = at < 0 ? text : text.slice(0, at)
  let options: JsonObject = name === 'random' ? { seed: 0 } : {}
  if (at >= 0) {
    try {
      options = { ...options, ...JSON.parse(text.slice(at + 1)) }
    } catch {
      throw new InvalidOptionError(`order ${text}: what follows the name must be options as JSON, random:{"seed":3} for example.`)
    }
  }
  try {
    return orderFromName({ name, options })
  } catch (error) {
    throw error instanceof UnknownPieceError ? new InvalidOptionError(`no order is called "${name}". Known: ${orderNames.join(', ')}.`, { cause: error }) : error
  }
}
