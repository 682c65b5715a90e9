/**
 * Data is indexed: `length` examples, example `at(i)`. Batches are drawn by (seed, step), so a resumed run sees the same ones,
 * and nothing needs the whole set as tensors.
 */
import { checkConditionValues, checkEnded, type Condition, conditionInput, conditionSpecification, type ConditionValues, type Domain, emptyValues, InvalidDataError, isReal, refuseCondition, uniformIndex, type Values, valueType } from '@chainrule/core'
import type { Arrays, Model, ProgramSpecification } from '@chainrule/core/tensors'

export interface Example {
  /** The variables, by position: N × C whole numbers (real ones: float32), row-major. */
  readonly x: Values
  /** The variable before the first (C numbers), where x continues something; absent: x is a beginning. */
  readonly previous?: Values
  /**
   * Packing, for domains with an end: 1 for each of the N variables with which a document begins, so that several stand side by side.
   * Where the first is none, `previous` says what it continues. Absent: one document.
   */
  readonly isStart?: Uint8Array
  /** Of a model with one: one label, or the control of each of the N variables, by position. */
  readonly condition?: ConditionValues
}

export interface Data {
  readonly length: number
  at(index: number): Example
  /** What the examples are cut from, for networks that count: every x whole, each variable once. Absent: the examples are whole. */
  readonly sequences?: Iterable<ArrayLike<number>>
}

/** What the examples of a batch have in common. */
export interface Layout {
  /** N. */
  readonly length: number
  /** C. */
  readonly components: number
  readonly values: Domain['values']
  /** The value that ends a document. */
  readonly end?: number
  /** Whether examples may hold several documents. */
  readonly isPacked?: boolean
  /** What each example is told. */
  readonly condition?: Condition
}

/** How a model takes its training examples: with several documents side by side where x has an end and the network can tell them apart; with a condition each is one. */
export function trainingLayout({ domain: { components, values, end }, boundNetwork, condition }: Model, length: number): Layout {
  return { length, components, values, end, isPacked: end !== undefined && boundNetwork.packs === true && !condition, ...(condition && { condition }) }
}

/** The inputs that a batch of a variable length is to a program. */
export function batchInputs(batch: number, { length, components, isPacked = false, condition, ...layout }: Layout, continues: boolean): ProgramSpecification['inputs'] {
  const type = valueType(layout)
  return {
    ...(condition && { [conditionInput(condition)]: conditionSpecification(condition, batch, length) }),
    x: { shape: [batch, length, components], type },
    ...(continues && { previous: { shape: [batch, components], type }, isStart: { shape: isPacked ? [batch, length] : [batch], type: 'bool' as const } }),
  }
}

/** Examples of equal length, side by side. */
export interface Batch {
  /** [B, N, C], of the type of the values. */
  readonly x: Values
  /** [B, C]; zeros where nothing came before. */
  readonly previous: Values
  /** bool [B]; [B, N] where packed. */
  readonly isStart: Uint8Array
  /** As `conditionSpecification` says. */
  readonly condition?: ConditionValues
}

/** What a batch is to a program, by the names of `batchInputs`. */
export function batchArrays({ x, previous, isStart, condition }: Batch, layout: Layout, continues: boolean): Arrays {
  return { x, ...(continues && { previous, isStart }), ...(condition && { [conditionInput(layout.condition!)]: condition }) }
}

/**
 * Puts examples of N variables with C components side by side.
 * @throws {InvalidDataError} for an example of another size, one that goes on after its end, documents side by side where they cannot be, or a
 *   condition that is missing, wrong or not asked for
 */
export function joinExamples(examples: readonly Example[], { length, components, end, isPacked = false, condition, ...layout }: Layout): Batch {
  const width = length * components
  const starts = isPacked ? length : 1
  const x = emptyValues(layout, examples.length * width)
  const previous = emptyValues(layout, examples.length * components)
  const isStart = new Uint8Array(examples.length * starts)
  const conditions = examples.map((example) => (condition ? checkConditionValues('An example', condition, example.condition, 1, length) : refuseCondition('An example', example.condition)))
  examples.forEach((example, which) => {
    if (example.x.length !== width) throw new InvalidDataError(`An example has ${example.x.length} numbers, expected ${length} variables × ${components} components = ${width}.`)
    if (end !== undefined) checkEnded(example.x, end, 'An example', example.isStart, example.previous?.[0])
    checkKind(example, layout)
    x.set(example.x, which * width)
    if (example.isStart) {
      if (condition) throw new InvalidDataError('An example holds documents side by side (isStart), but the model has a condition, which belongs to one document. Give each document as an example, without isStart.')
      if (!isPacked) throw new InvalidDataError('An example holds documents side by side (isStart), which is for domains with an end and networks that begin anew within x. Give one document, without isStart.')
      if (example.isStart.length !== length) throw new InvalidDataError(`An example says of ${example.isStart.length} variables whether a document begins (isStart), expected ${length}.`)
      if (!example.isStart[0] && !example.previous) throw new InvalidDataError('An example begins inside a document (isStart is 0 at its first variable), but does not say what came before: previous is missing.')
      isStart.set(example.isStart, which * starts)
    } else isStart[which * starts] = example.previous ? 0 : 1
    if (example.previous) previous.set(example.previous, which * components)
  })
  return { x, previous, isStart, ...(condition && { condition: joined(conditions as ConditionValues[]) }) }
}

function joined(rows: readonly ConditionValues[]): ConditionValues {
  const width = rows[0].length
  const result = rows[0] instanceof Int32Array ? new Int32Array(rows.length * width) : new Float32Array(rows.length * width)
  rows.forEach((row, which) => result.set(row, which * width))
  return result
}

/** Whole numbers and real ones are not taken for each other. @throws {InvalidDataError} for the wrong ones, and for a real one that is not finite */
function checkKind({ x, previous }: Example, layout: Pick<Layout, 'values'>): void {
  const expected = isReal(layout) ? Float32Array : Int32Array
  for (const values of previous ? [x, previous] : [x]) {
    if (!(values instanceof expected)) throw new InvalidDataError(`An example holds ${Object.prototype.toString.call(values).slice(8, -1)}, expected ${expected.name}: the domain's values are ${isReal(layout) ? 'real' : 'whole numbers'}.`)
    const wrong = isReal(layout) ? values.findIndex((value) => !Number.isFinite(value)) : -1
    if (wrong >= 0) throw new InvalidDataError(`An example holds ${values[wrong]} (number ${wrong}), expected finite numbers.`)
  }
}

/** What an update is drawn by. */
export interface Drawing {
  readonly seed: number
  readonly batchSize: number
  /** Micro-batches of one update. */
  readonly accumulation: number
}

/**
 * The micro-batches of one update: examples drawn with replacement, a function of seed and step alone. Together they are the one batch
 * that is drawn for the same number of examples.
 */
export function drawBatches(data: Data, { seed, batchSize, accumulation }: Drawing, step: number, layout: Layout): Batch[] {
  return Array.from({ length: accumulation }, (_, micro) => {
    const examples = Array.from({ length: batchSize }, (_, which) => data.at(uniformIndex(data.length, seed, 'batches', step, micro * batchSize + which)))
    return joinExamples(examples, layout)
  })
}
