/**
 * The domain says what x is: how many variables, how many components each, and which values a component takes.
 * Plain data, made by a tokenizer.
 */
import { InvalidDataError, InvalidOptionError, UnsupportedError, wholeNumber } from './errors.js'
import { checkLocations, type Locations } from './locations.js'

export interface Domain {
  /** d, the number of variables, or 'variable': any number of them, left to right. */
  readonly length: number | 'variable'
  /** Components of one variable: 1 for a token, 3 for an RGB pixel. */
  readonly components: number
  /** V: a component is a whole number in 0 … V−1. Or 'real': any number, as float32; p is then a density, and x has no end. */
  readonly values: number | 'real'
  /**
   * The value that ends x, always V − 1; of a variable length with one component only. Every variable after it holds it too, with
   * probability 1. Absent: x has no end, a variable length goes on for as long as anybody asks.
   */
  readonly end?: number
  /** Where the variables stand; absent: their positions in x say all there is. Of a fixed length only. */
  readonly locations?: Locations
}

/** A domain whose components are whole numbers. */
export type DiscreteDomain = Domain & { readonly values: number }

/** Values of components: whole numbers, or real ones. */
export type Values = Int32Array | Float32Array

/** Whether components are real numbers. */
export const isReal = ({ values }: Pick<Domain, 'values'>): boolean => values === 'real'

/** The type of values, in tensors and graphs. */
export const valueType = (domain: Pick<Domain, 'values'>): 'float32' | 'int32' => (isReal(domain) ? 'float32' : 'int32')

/** Room for values of a domain: zeros, which every domain has. */
export const emptyValues = (domain: Pick<Domain, 'values'>, size: number): Values => (isReal(domain) ? new Float32Array(size) : new Int32Array(size))

/** V, of those who need whole numbers. @throws {UnsupportedError} for real values */
export function valueCount({ values }: Pick<Domain, 'values'>, owner: string): number {
  if (values === 'real') throw new UnsupportedError(`${owner}: speaks of whole numbers, the domain's values are real. gaussianMixture() is the head for those, and every network but the tabular and the counted ones reads them.`)
  return values
}

/** L, the values but for an end, which is none of a scale: V, or V − 1 where x has one. @throws {UnsupportedError} for real values */
export const levelCount = (domain: Pick<Domain, 'values' | 'end'>, owner: string): number => valueCount(domain, owner) - (domain.end === undefined ? 0 : 1)

/** Checks a domain and returns it. @throws {InvalidOptionError} */
export function checkDomain(domain: Domain): Domain {
  if (domain.length !== 'variable') wholeNumber('domain', 'length', domain.length)
  wholeNumber('domain', 'components', domain.components)
  if (!isReal(domain)) wholeNumber('domain', 'values', domain.values, 2)
  if (domain.locations !== undefined) checkLocations(domain.locations, domain.length)
  const { end, length, components, values } = domain
  if (end === undefined) return domain
  if (length !== 'variable') throw new InvalidOptionError(`domain: end ${end} belongs to a variable length, this one is ${length}. Leave end out.`)
  if (components !== 1) throw new InvalidOptionError(`domain: end ${end} needs variables of one component, these have ${components}.`)
  if (values === 'real') throw new InvalidOptionError(`domain: real values have no end, since no number is set apart for it; got end ${end}. Leave it out, or use whole numbers.`)
  if (end !== values - 1) throw new InvalidOptionError(`domain: end must be the last value, ${values - 1}, got ${end}.`)
  return domain
}

/** The number of variables of a domain of fixed length. @throws {InvalidOptionError} for variable length */
export function fixedLength(domain: Domain, owner: string): number {
  if (domain.length === 'variable') throw new InvalidOptionError(`${owner} needs a domain of fixed length, this one is variable.`)
  return domain.length
}

/** How many variables of a row are its own: up to its first `end`, which counts, or all of them. */
export function endedLength(row: ArrayLike<number>, end: number): number {
  const at = Array.prototype.indexOf.call(row, end)
  return at < 0 ? row.length : at + 1
}

/**
 * Checks that nothing but `end` stands after an `end`, where nothing begins anew.
 * @param row one x of a domain with an end
 * @param what how messages call it
 * @param isStart for each variable: 1 where a document begins
 * @param previous what stands before the row, where it continues something
 * @throws {InvalidDataError} naming the place
 */
export function checkEnded(row: ArrayLike<number>, end: number, what: string, isStart?: ArrayLike<number>, previous?: number): void {
  for (let at = 0; at < row.length; at++) {
    if ((at === 0 ? previous : row[at - 1]) === end && row[at] !== end && !isStart?.[at]) throw new InvalidDataError(`${what} holds ${row[at]} at variable ${at}, after its end (${end}). Nothing but ${end} may follow an end.`)
  }
}
