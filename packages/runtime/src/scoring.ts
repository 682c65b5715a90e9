/**
 * Scoring: −log p of each variable given the ones before it. A fixed length is scored in one run; a variable length
 * chunk by chunk with the state carried, so that a chunk continues exactly where the last one ended.
 * Axes: N sequences, B batch, S variables of a chunk, C components.
 */
import { checkEnded, type ConditionValues, emptyValues, fixedLength, InvalidDataError, InvalidOptionError, isReal, type ModelManifest, refuseUnknownOptions, throwIfInterrupted, UnsupportedError, type Values, wholeNumber } from '@chainrule/core'
import { type ConditionFeeds, sequenceConditions } from './condition.js'
import { advanced, beginning, type Cursor, cursorFeeds, lastVariable, tensor } from './cursor.js'
import { type Graphs, graphSignature } from './graphs.js'

/** Variables of all samples together. */
export interface Progress {
  readonly done: number
  readonly total: number
}

export interface ScoreOptions {
  /** [N, n, C], by position. Of a model whose x ends, rows that have ended are filled with `end`, which has 0 nats after an end. */
  x: Values
  /** n, where the model's length is variable; absent there: x is one sequence. */
  length?: number
  /** [N, C], variable length only: the variable before each sequence, where it is cut from inside a longer one. */
  previous?: Values
  /** [N], variable length only, 1: a sequence is a beginning and `previous` says nothing of it. Without `previous` all are. */
  isStart?: Uint8Array
  /** What the model is told: labels [N], or a control sequence [N, n] or [N, n, K] by position; or of one sequence, shared by all. */
  condition?: ConditionValues
  /** Sequences scored in one run; it changes memory and speed only. */
  batchSize?: number
  signal?: AbortSignal
  onProgress?(progress: Progress): void
}

/** Variables of a variable-length sequence in one run. */
const chunkLength = 256
/** Without `batchSize`, a run has about this many variables: enough to keep the processor busy, little enough for memory. */
const variablesOfRun = 16_384

/** Whether an array is what values of the domain come in. */
export const isValues = (domain: ModelManifest['domain'], x: unknown): x is Values => x instanceof (isReal(domain) ? Float32Array : Int32Array)

/** How messages call that array. */
export const valuesName = (domain: ModelManifest['domain']): string => (isReal(domain) ? 'a Float32Array (the values are real)' : 'an Int32Array')

/** Checks that all values lie in 0 … V−1, or are finite. @throws {InvalidDataError} naming the first place that does not */
export function checkValues(owner: string, what: string, x: Values, { values, components }: ModelManifest['domain'], n: number): void {
  for (let at = 0; at < x.length; at++) {
    if (values === 'real' ? !Number.isFinite(x[at]) : x[at] < 0 || x[at] >= values) {
      const variable = Math.floor(at / components)
      const expected = values === 'real' ? 'finite numbers' : `whole numbers from 0 to ${values - 1}`
      throw new InvalidDataError(`${owner}: ${what} holds ${x[at]} (sequence ${Math.floor(variable / n)}, variable ${variable % n}, component ${at % components}), expected ${expected}.`)
    }
  }
}

/** @throws {UnsupportedError} where a model that knows only so many positions would have to go beyond them */
export function checkLongest(owner: string, { longest, domain }: ModelManifest, variables: number): void {
  if (domain.length === 'variable' && longest !== undefined && variables > longest) {
    throw new UnsupportedError(`${owner}: the model takes at most ${longest} variables, a prompt included; ${variables} were asked for. Shorten them, or train a model with a larger context or with rotary positions.`)
  }
}

/**
 * Reads x [B, S, C] of a variable length from a cursor on, chunk by chunk.
 * @param condition counted from the first variable of x
 * @returns nats [B, S], and the cursor after it
 */
export async function readSequence(graphs: Graphs, manifest: ModelManifest, cursor: Cursor, x: Values, condition: ConditionFeeds, owner: string, signal?: AbortSignal, onChunk?: (variables: number) => void) {
  const { components: C } = manifest.domain
  const B = cursor.batch
  const rowLength = x.length / B
  const n = rowLength / C
  const nats = new Float32Array(B * n)
  for (let start = 0; start < n; start += chunkLength) {
    throwIfInterrupted(signal, owner)
    const size = Math.min(chunkLength, n - start)
    const chunk = emptyValues(manifest.domain, B * size * C)
    for (let b = 0; b < B; b++) chunk.set(x.subarray(b * rowLength + start * C, b * rowLength + (start + size) * C), b * size * C)
    const outputs = await graphs.run('score', { ...cursorFeeds(cursor), ...condition(start, size), x: tensor(chunk, [B, size, C]) }, graphSignature('score', manifest).outputs)
    const ofChunk = outputs.nats.data as Float32Array
    for (let b = 0; b < B; b++) nats.set(ofChunk.subarray(b * size, (b + 1) * size), b * n + start)
    cursor = advanced(cursor, outputs, lastVariable(chunk, B, C))
    onChunk?.(B * size)
  }
  return { nats, cursor }
}

/**
 * @returns nats [N, n], by position: −log p of each variable given the ones before it in the order; their sum is exactly −log p(x)
 * @throws {InvalidOptionError | InvalidDataError | UnsupportedError | InterruptedError}
 */
export async function score(graphs: Graphs, manifest: ModelManifest, options: ScoreOptions): Promise<Float32Array> {
  const owner = 'score'
  refuseUnknownOptions(owner, options, ['x', 'length', 'previous', 'isStart', 'condition', 'batchSize', 'signal', 'onProgress'])
  const { x, previous, isStart, signal, onProgress } = options
  const { domain } = manifest
  const C = domain.components
  if (!isValues(domain, x)) throw new InvalidOptionError(`score: x must be ${valuesName(domain)}, got ${Object.prototype.toString.call(x)}.`)
  const isVariable = domain.length === 'variable'
  const n = isVariable ? wholeNumber(owner, 'length', options.length ?? x.length / C) : fixedLength(domain, owner)
  if (!isVariable && options.length !== undefined && options.length !== n) throw new InvalidOptionError(`score: the model's sequences have ${n} variables, got length ${options.length}.`)
  if (!isVariable && (previous || isStart)) throw new UnsupportedError(`score: previous and isStart belong to models of variable length; this one's sequences have ${n} variables and are always whole.`)
  const N = x.length / (n * C)
  if (!Number.isInteger(N) || N === 0) throw new InvalidOptionError(`score: x has ${x.length} numbers, expected a multiple of ${n} variables × ${C} components.`)
  checkLongest(owner, manifest, n)
  checkValues(owner, 'x', x, domain, n)
  if (previous) {
    if (!isValues(domain, previous) || previous.length !== N * C) throw new InvalidOptionError(`score: previous must be ${valuesName(domain)} of ${N} sequences × ${C} components, got ${previous.length} numbers.`)
    checkValues(owner, 'previous', previous, domain, 1)
  }
  if (isStart) {
    if (!(isStart instanceof Uint8Array) || isStart.length !== N) throw new InvalidOptionError(`score: isStart must be a Uint8Array of ${N} entries, got ${isStart.length}.`)
    if (!previous && isStart.includes(0)) throw new InvalidOptionError(`score: isStart says that sequence ${isStart.indexOf(0)} continues something, but previous is missing.`)
  }
  if (domain.end !== undefined) {
    for (let row = 0; row < N; row++) checkEnded(x.subarray(row * n, (row + 1) * n), domain.end, `${owner}: sequence ${row} of x`, undefined, isStart?.[row] ? undefined : previous?.[row])
  }
  const conditions = sequenceConditions(owner, manifest, options.condition, N, n)
  const batchSize = wholeNumber(owner, 'batchSize', options.batchSize ?? Math.max(1, Math.min(64, Math.floor(variablesOfRun / (isVariable ? Math.min(n, chunkLength) : n)))))
  const nats = new Float32Array(N * n)
  let done = 0
  const advance = (variables: number) => onProgress?.({ done: (done += variables), total: N * n })
  for (let first = 0; first < N; first += batchSize) {
    throwIfInterrupted(signal, owner)
    const B = Math.min(batchSize, N - first)
    const condition = conditions.of(first, B)
    const rows = x.slice(first * n * C, (first + B) * n * C)
    if (isVariable) {
      const start = beginning(manifest, B)
      const cursor: Cursor = {
        ...start,
        previous: previous ? previous.slice(first * C, (first + B) * C) : start.previous,
        isStart: isStart ? isStart.slice(first, first + B) : previous ? new Uint8Array(B) : start.isStart,
      }
      nats.set((await readSequence(graphs, manifest, cursor, rows, condition, owner, signal, advance)).nats, first * n)
    } else {
      const outputs = await graphs.run('score', { ...condition(0, n), x: tensor(rows, [B, n, C]) }, ['nats'])
      nats.set(outputs.nats.data as Float32Array, first * n)
      advance(B * n)
    }
  }
  return nats
}
