import { UnknownPieceError } from '../../errors.js'
import type { Piece } from '../../piece.js'
import type { Head } from '../head.js'
import { bernoulli } from './bernoulli.js'
import { categorical } from './categorical.js'

export { bernoulli } from './bernoulli.js'
export { categorical, type CategoricalOptions } from './categorical.js'

const byName: Record<string, (options: never) => Head> = { bernoulli, categorical }

/** The head that a file names. @throws {UnknownPieceError} */
export function headFromName({ name, options }: Piece): Head {
  const make = Object.hasOwn(byName, name) ? byName[name] : undefined
  if (!make) throw new UnknownPieceError(`No head is called "${name}". Known: ${Object.keys(byName).join(', ')}.`)
  return make(options as never)
}
