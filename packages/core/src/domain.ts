/**
 * The domain says what x is: how many variables, how many components each, and which values a component takes.
 * Plain data, made by a tokenizer.
 */
import { InvalidOptionError, wholeNumber } from './errors.js'

export interface Domain {
  /** d, the number of variables, or 'variable': any number of them, left to right. */
  readonly length: number | 'variable'
  /** Components of one variable: 1 for a token, 3 for an RGB pixel. */
  readonly components: number
  /** V: a component is a whole number in 0 … V−1. */
  readonly values: number
}

/** Checks a domain and returns it. @throws {InvalidOptionError} */
export function checkDomain(domain: Domain): Domain {
  if (domain.length !== 'variable') wholeNumber('domain', 'length', domain.length)
  wholeNumber('domain', 'components', domain.components)
  wholeNumber('domain', 'values', domain.values, 2)
  return domain
}

/** The number of variables of a domain of fixed length. @throws {InvalidOptionError} for variable length */
export function fixedLength(domain: Domain, owner: string): number {
  if (domain.length === 'variable') throw new InvalidOptionError(`${owner} needs a domain of fixed length, this one is variable.`)
  return domain.length
}
