/**
 * Conditions: what a model is told beside x, p(x | c). A condition enters the network, never the factorization, and nothing of it is
 * predicted: Σₓ p(x | c) = 1 for each c.
 *
 *   label            one of L categories for the whole x
 *   controlSequence  something for each variable, aligned with x by position: K real numbers, or one of L categories
 *
 * To a network both are K numbers, of the whole x or of each variable; a category is K = L of them, a 1 among zeros.
 */
import { InvalidDataError, InvalidOptionError, refuseUnknownOptions, UnknownPieceError, wholeNumber } from './errors.js'
import { sizeOf } from './parameters.js'
import type { JsonObject, Piece } from './piece.js'

/** Plain data; made by `label` or `controlSequence`. */
export interface Condition extends Piece {
  readonly name: 'label' | 'controlSequence'
  readonly options: JsonObject
  /** Whether each variable has its own; else there is one for the whole x. */
  readonly isSequence: boolean
  /** L, where it is a category 0 … L−1; absent: real numbers. */
  readonly values?: number
  /** K, the numbers that it is to a network. */
  readonly size: number
  /** What the categories are called. */
  readonly names?: readonly string[]
}

/** Conditions as numbers: categories as Int32Array, real numbers as Float32Array; of the whole x, or of each of its variables by position. */
export type ConditionValues = Int32Array | Float32Array

export interface LabelOptions {
  /** L; may be left out where there are names. */
  values?: number
  /** What the labels are called, the first one label 0. */
  names?: readonly string[]
}

/**
 * One of several categories for the whole x: a class, a speaker, a style.
 * @throws {InvalidOptionError} for options unknown, out of range or at odds
 */
export function label(options: LabelOptions): Condition {
  const owner = 'label'
  refuseUnknownOptions(owner, options, ['values', 'names'])
  const { names } = options
  if (names !== undefined) {
    if (!Array.isArray(names) || names.some((name) => typeof name !== 'string' || name === '')) throw new InvalidOptionError(`${owner}: names must be a list of texts, got ${JSON.stringify(names)}.`)
    const twice = names.find((name, at) => names.indexOf(name) !== at)
    if (twice !== undefined) throw new InvalidOptionError(`${owner}: names holds ${JSON.stringify(twice)} twice. Each label needs a name of its own.`)
  }
  const values = wholeNumber(owner, 'values', options.values ?? names?.length)
  if (names && names.length !== values) throw new InvalidOptionError(`${owner}: ${names.length} names for ${values} labels. Name all or none.`)
  return { name: owner, options: { values, ...(names && { names }) }, isSequence: false, values, size: values, ...(names && { names }) }
}

export type ControlSequenceOptions = { /** K real numbers for each variable. */ channels: number; values?: undefined } | { /** L: one of so many categories for each variable. */ values: number; channels?: undefined }

/**
 * Something for each variable of x: a pitch, a phoneme, a map.
 * @throws {InvalidOptionError} for options unknown or out of range, or both
 */
export function controlSequence(options: ControlSequenceOptions): Condition {
  const owner = 'controlSequence'
  refuseUnknownOptions(owner, options, ['channels', 'values'])
  if ((options.channels === undefined) === (options.values === undefined)) throw new InvalidOptionError(`${owner}: give channels (real numbers for each variable) or values (categories), one of them.`)
  if (options.channels !== undefined) {
    const channels = wholeNumber(owner, 'channels', options.channels)
    return { name: owner, options: { channels }, isSequence: true, size: channels }
  }
  const values = wholeNumber(owner, 'values', options.values)
  return { name: owner, options: { values }, isSequence: true, values, size: values }
}

const byName = { label, controlSequence } as Record<string, (options: never) => Condition>

/** The condition that a file names. @throws {UnknownPieceError} */
export function conditionFromName({ name, options }: Piece): Condition {
  const make = Object.hasOwn(byName, name) ? byName[name] : undefined
  if (!make) throw new UnknownPieceError(`No condition is called "${name}". Known: ${Object.keys(byName).join(', ')}.`)
  return make(options as never)
}

/** How programs and graphs call a condition. */
export const conditionInput = ({ isSequence }: Condition): 'label' | 'control' => (isSequence ? 'control' : 'label')

/** As programs and graphs take it: [batch], [batch, sequence] or [batch, sequence, K]; without `sequence` that of one variable. */
export function conditionSpecification<Axis>({ isSequence, values, size }: Condition, batch: Axis, sequence?: Axis): { shape: (Axis | number)[]; type: 'int32' | 'float32' } {
  const shape = [batch, ...(isSequence && sequence !== undefined ? [sequence] : []), ...(values === undefined ? [size] : [])]
  return { shape, type: values === undefined ? 'float32' : 'int32' }
}

/**
 * Checks conditions of N sequences of n variables.
 * @param what how messages call them
 * @throws {InvalidDataError} where they are missing, of another size or type, out of range or not finite; naming the place
 */
export function checkConditionValues(what: string, condition: Condition, given: ConditionValues | undefined, sequences: number, length: number): ConditionValues {
  const { shape, type } = conditionSpecification(condition, sequences, length)
  const [wanted, input] = [`${type === 'int32' ? 'an Int32Array' : 'a Float32Array'} of ${shape.join(' × ')} ${condition.isSequence ? 'numbers' : 'labels'}`, conditionInput(condition)]
  if (given === undefined) throw new InvalidDataError(`${what}: the model's condition is missing: it was made for p(x | ${input}). Give ${wanted}.`)
  const isType = type === 'int32' ? given instanceof Int32Array : given instanceof Float32Array
  if (!isType || given.length !== sizeOf(shape)) throw new InvalidDataError(`${what}: the condition must be ${wanted}, got ${given instanceof Int32Array || given instanceof Float32Array ? `${given.constructor.name} of ${given.length}` : String(given)}.`)
  const { values } = condition
  const wrong = given.findIndex((value: number) => (values === undefined ? !Number.isFinite(value) : value < 0 || value >= values))
  if (wrong >= 0) throw new InvalidDataError(`${what}: ${input} ${wrong} is ${given[wrong]}, expected ${values === undefined ? 'a finite number' : `a whole number from 0 to ${values - 1}`}.`)
  return given
}

/** Refuses a condition that nothing asks for. @throws {InvalidDataError} */
export function refuseCondition(what: string, given: unknown): void {
  if (given !== undefined) throw new InvalidDataError(`${what}: a condition is given, but the model takes none. Leave it out, or train a model with a condition.`)
}

/** A label as people give it: its name, or its number. */
export type Label = string | number

/**
 * Labels of several samples: one for all, or a list with one for each.
 * @param what how messages call the verb
 * @throws {InvalidDataError} where they are missing, not asked for, too few or too many, or there is no such label
 */
export function labelValues(what: string, condition: Condition | undefined, asked: Label | readonly Label[] | undefined, count: number): Int32Array | undefined {
  if (condition?.name !== 'label') {
    refuseCondition(what, asked)
    return undefined
  }
  if (asked === undefined) throw new InvalidDataError(`${what}: label is missing: the model was made for p(x | label). Give ${condition.names ? `one of ${condition.names.join(', ')}, or ` : ''}a number from 0 to ${condition.size - 1}.`)
  const list = typeof asked === 'object' ? asked : [asked]
  if (list.length !== count && typeof asked === 'object') throw new InvalidDataError(`${what}: got ${list.length} labels for ${count} samples. Give one for each, or one for all.`)
  return Int32Array.from(list, (each) => labelNumber(what, condition, each))
}

/**
 * The number of a label, by its name or its number.
 * @throws {InvalidDataError} where there is no such label
 */
export function labelNumber(what: string, { values = 0, names }: Condition, asked: Label): number {
  const number = typeof asked === 'number' ? asked : names?.includes(asked) ? names.indexOf(asked) : /^\d+$/.test(asked) ? Number(asked) : -1
  if (Number.isInteger(number) && number >= 0 && number < values) return number
  throw new InvalidDataError(`${what}: there is no label ${JSON.stringify(asked)}, expected ${names ? `one of ${names.join(', ')}, or its number` : 'a whole number'} from 0 to ${values - 1}.`)
}
