/**
 * Data is indexed: `length` examples, example `at(i)`. Batches are drawn by (seed, step), so a resumed run sees the same ones,
 * and nothing needs the whole set as tensors.
 */
import { InvalidDataError, uniformIndex } from '@chainrule/core'

export interface Example {
  /** The variables, by position: N × C whole numbers, row-major. */
  readonly x: Int32Array
  /** The variable before the first (C numbers), where x continues something; absent: x is a beginning. */
  readonly previous?: Int32Array
}

export interface Data {
  readonly length: number
  at(index: number): Example
}

/** Examples of equal length, side by side. */
export interface Batch {
  /** int32 [B, N, C]. */
  readonly x: Int32Array
  /** int32 [B, C]; zeros where nothing came before. */
  readonly previous: Int32Array
  /** bool [B]. */
  readonly isStart: Uint8Array
}

/** Puts examples of N variables with C components side by side. @throws {InvalidDataError} for an example of another size */
export function joinExamples(examples: readonly Example[], length: number, components: number): Batch {
  const width = length * components
  const x = new Int32Array(examples.length * width)
  const previous = new Int32Array(examples.length * components)
  const isStart = new Uint8Array(examples.length)
  examples.forEach((example, which) => {
    if (example.x.length !== width) throw new InvalidDataError(`An example has ${example.x.length} numbers, expected ${length} variables × ${components} components = ${width}.`)
    x.set(example.x, which * width)
    if (example.previous) previous.set(example.previous, which * components)
    else isStart[which] = 1
  })
  return { x, previous, isStart }
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
export function drawBatches(data: Data, { seed, batchSize, accumulation }: Drawing, step: number, length: number, components: number): Batch[] {
  return Array.from({ length: accumulation }, (_, micro) => {
    const examples = Array.from({ length: batchSize }, (_, which) => data.at(uniformIndex(data.length, seed, 'batches', step, micro * batchSize + which)))
    return joinExamples(examples, length, components)
  })
}
