/** Orders and networks on the command line: a name, and where it takes options these as JSON after a colon: random:{"seed":3}. */
import { InvalidOptionError, type Json, type JsonObject, type Piece, UnknownPieceError } from '@chainrule/core'

/** Names, each with the options that hold where none are given. */
export type Known = Readonly<Record<string, JsonObject>>

/** @param what of what kind it is, in messages. @throws {InvalidOptionError} for names and options that `make` does not know */
export function pieceNamed<P>(what: string, text: string, known: Known, make: (piece: Piece) => P): P {
  const at = text.indexOf(':')
  const name = at < 0 ? text : text.slice(0, at)
  const given = at < 0 ? {} : optionsIn(what, text, text.slice(at + 1))
  try {
    return make({ name, options: { ...(Object.hasOwn(known, name) && known[name]), ...given } })
  } catch (error) {
    throw error instanceof UnknownPieceError ? new InvalidOptionError(`no ${what} is called "${name}". Known: ${Object.keys(known).join(', ')}.`, { cause: error }) : error
  }
}

function optionsIn(what: string, text: string, json: string): JsonObject {
  let options: Json | undefined
  try {
    options = JSON.parse(json) as Json
  } catch {
    options = undefined
  }
  if (typeof options !== 'object' || options === null || Array.isArray(options)) throw new InvalidOptionError(`${what} ${text}: what follows the name must be options as JSON, in the manner of random:{"seed":3}; got ${json}.`)
  return options as JsonObject
}
