/** Parts of a set of examples, drawn by a seed: to train on, to validate with, held out to measure with. */
import { checkSeed, finiteNumber, InvalidDataError, InvalidOptionError, refuseUnknownOptions, shuffled } from '@chainrule/core'

export interface SplitOptions {
  seed: number
  /** The part that is never trained on, 0 … 0.9. */
  heldOut: number
  /** The part, of all, that validates, 0 … 0.5 (0). */
  validation?: number
}

/** The places of the examples of each part, rising. */
export interface SplitPlaces {
  readonly training: Int32Array
  readonly validation: Int32Array
  readonly heldOut: Int32Array
}

/**
 * The same examples fall into the same parts for the same seed; within a part they keep their order.
 * @param owner the verb that splits, and `noun` what an example is, for messages
 * @throws {InvalidOptionError} where nothing is left for a part that was asked for
 */
export function splitPlaces(owner: string, noun: string, length: number, options: SplitOptions): SplitPlaces {
  refuseUnknownOptions(owner, options, ['seed', 'heldOut', 'validation'])
  const seed = checkSeed(owner, options.seed)
  const heldOut = Math.round(length * finiteNumber(owner, 'heldOut', options.heldOut, 0, 0.9))
  const validation = Math.round(length * finiteNumber(owner, 'validation', options.validation ?? 0, 0, 0.5))
  if (length === 0) throw new InvalidDataError(`${owner}: got no ${noun}. Give at least one.`)
  if ((options.heldOut > 0 && heldOut === 0) || ((options.validation ?? 0) > 0 && validation === 0) || heldOut + validation >= length) {
    throw new InvalidOptionError(`${owner}: of ${length} ${noun}s ${heldOut} would be held out, ${validation} would validate and ${Math.max(0, length - heldOut - validation)} be left to train on. Choose other parts, or give more ${noun}s.`)
  }
  const places = shuffled(seed, 'evaluation', length)
  const part = (begin: number, end: number) => places.slice(begin, end).sort()
  return { heldOut: part(0, heldOut), validation: part(heldOut, heldOut + validation), training: part(heldOut + validation, length) }
}
