import { UnknownPieceError } from '../../errors.js'
import type { Piece } from '../../piece.js'
import type { Head } from '../head.js'
import { bernoulli } from './bernoulli.js'
import { categorical } from './categorical.js'
import { chained, type ChainedOptions } from './chained.js'
import { discretizedLogisticMixture } from './discretized-logistic-mixture.js'
import { factorized } from './factorized.js'
import { gaussianMixture } from './gaussian-mixture.js'
import { rgbLogisticMixture } from './rgb-logistic-mixture.js'

export { bernoulli } from './bernoulli.js'
export { categorical, type CategoricalOptions } from './categorical.js'
export { chained, type ChainedOptions } from './chained.js'
export { discretizedLogisticMixture, type DiscretizedLogisticMixtureOptions } from './discretized-logistic-mixture.js'
export { factorized } from './factorized.js'
export { gaussianMixture, type GaussianMixtureOptions } from './gaussian-mixture.js'
export { rgbLogisticMixture, type RgbLogisticMixtureOptions } from './rgb-logistic-mixture.js'

/** Heads around another one say which among their options. */
const byName: Record<string, (options: never) => Head> = {
  bernoulli,
  categorical,
  chained: ({ head, ...options }: ChainedOptions & { head: Piece }) => chained(headFromName(head), options),
  discretizedLogisticMixture,
  factorized: ({ head, ...options }: { head: Piece }) => factorized(headFromName(head), options),
  gaussianMixture,
  rgbLogisticMixture,
}

/** The head that a file names. @throws {UnknownPieceError} */
export function headFromName({ name, options }: Piece): Head {
  const make = Object.hasOwn(byName, name) ? byName[name] : undefined
  if (!make) throw new UnknownPieceError(`No head is called "${name}". Known: ${Object.keys(byName).join(', ')}.`)
  return make(options as never)
}
