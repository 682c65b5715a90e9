/**
 * Samplers that must agree: the graph that draws all of x wave by wave, of models that have it; the graph that holds the whole loop over
 * variables; and the slow twin of both, one run of the step's graph for each variable. Everything is in the order of generation.
 *
 * Axes: B batch, S steps, C components, K uniforms per component.
 */
import { emptyValues, graphNames, type ModelManifest, type SamplingFilters, truncations, UnsupportedError, type Values } from '@chainrule/core'
import { advanced, type Cursor, cursorFeeds, lastVariable, tensor } from './cursor.js'
import { type Graphs, graphSignature } from './graphs.js'
import type { Feeds } from './session.js'

/** What goes into a stretch of consecutive variables. */
export interface Stretch {
  readonly steps: number
  /** [B, S, C, K] */
  readonly uniforms: Float32Array
  /** [B, S, C], kept where `isGiven`; elsewhere any valid values. */
  readonly given: Values
  /** [B, S], 1: given. */
  readonly isGiven: Uint8Array
  /** The inputs that say its condition: of the whole x, or [B, S, …]. */
  readonly condition: Feeds
  readonly temperature: number
  readonly filters: Required<SamplingFilters>
}

/** What comes out of it. */
export interface Drawn {
  /** [B, S, C]: the values kept, given or drawn. */
  readonly values: Values
  /** [B, S, C]: what the uniforms pick, given or not. */
  readonly drawn: Values
  /** [B, S]: how far the uniforms lie outside the CDF interval of the values kept; 0 = inside. */
  readonly distance: Float32Array
  /** [B, S]: −log p of the values kept, at temperature 1. */
  readonly nats: Float32Array
}

export type Sampler = (graphs: Graphs, manifest: ModelManifest, cursor: Cursor, stretch: Stretch) => Promise<Drawn & { cursor: Cursor }>

/** The inputs that are the same at every step. */
function settings({ samplingFilters }: ModelManifest, { temperature, filters }: Stretch): Feeds {
  const number = (value: number) => tensor(Float32Array.of(value), [1])
  const { topK, topP, minP, repetitionPenalty } = filters
  return {
    temperature: number(temperature),
    ...(samplingFilters && { topK: tensor(Int32Array.of(topK), [1]), topP: number(topP), minP: number(minP) }),
    ...(samplingFilters?.includes('repetitionPenalty') && { repetitionPenalty: number(repetitionPenalty) }),
  }
}

/** What is wanted of a graph: which values occurred only where that makes a difference. */
const outputsOf = (graph: 'sample' | 'step', manifest: ModelManifest, { filters }: Stretch): string[] => {
  const { outputs } = graphSignature(graph, manifest)
  return manifest.samplingFilters?.includes('repetitionPenalty') && filters.repetitionPenalty === 1 ? outputs.filter((name) => name !== 'next.seen') : outputs
}

const seenFeed = ({ seen }: Cursor): Feeds => (seen ? { seen } : {})

/** One run for the whole stretch. */
const inGraph: Sampler = async (graphs, manifest, cursor, stretch) => {
  const { steps, uniforms, given, isGiven } = stretch
  const { components: C } = manifest.domain
  const B = cursor.batch
  const feeds = {
    ...cursorFeeds(cursor),
    uniforms: tensor(uniforms, [B, steps, C, manifest.uniformsPerComponent]),
    given: tensor(given, [B, steps, C]),
    isGiven: tensor(isGiven, [B, steps]),
    ...stretch.condition,
    ...settings(manifest, stretch),
    ...seenFeed(cursor),
  }
  const outputs = await graphs.run('sample', feeds, outputsOf('sample', manifest, stretch))
  // The loop stops where every row has ended; nothing but the end comes after.
  const [made, end] = [outputs.values.dims[1], manifest.domain.end ?? 0]
  const values = lengthened(outputs.values.data as Values, B, made * C, steps * C, end)
  return {
    values,
    drawn: lengthened(outputs.drawn.data as Values, B, made * C, steps * C, end),
    distance: lengthened(outputs.distance.data as Float32Array, B, made, steps, 0),
    nats: lengthened(outputs.nats.data as Float32Array, B, made, steps, 0),
    cursor: advanced(cursor, outputs, lastVariable(values, B, C)),
  }
}

/** Rows of `length` numbers as rows of `wanted`, the rest of each filled. */
function lengthened<A extends Float32Array | Int32Array>(rows: A, batch: number, length: number, wanted: number, value: number): A {
  if (length === wanted) return rows
  const result = new (rows.constructor as new (size: number) => A)(batch * wanted).fill(value) as A
  for (let b = 0; b < batch; b++) result.set(rows.subarray(b * length, (b + 1) * length), b * wanted)
  return result
}

/** One run for every variable. */
const byStep: Sampler = async (graphs, manifest, cursor, stretch) => {
  const { steps, uniforms, given, isGiven } = stretch
  const { components: C } = manifest.domain
  const K = manifest.uniformsPerComponent
  const B = cursor.batch
  const result = { values: emptyValues(manifest.domain, B * steps * C), drawn: emptyValues(manifest.domain, B * steps * C), distance: new Float32Array(B * steps), nats: new Float32Array(B * steps) }
  /** Column `step` of rows [B, S, width] → [B, width], and back. */
  const take = <A extends Float32Array | Int32Array | Uint8Array>(rows: A, width: number, step: number): A => {
    const column = new (rows.constructor as new (size: number) => A)(B * width)
    for (let b = 0; b < B; b++) column.set(rows.subarray((b * steps + step) * width, (b * steps + step + 1) * width), b * width)
    return column
  }
  const put = <A extends Float32Array | Int32Array>(rows: A, width: number, step: number, column: A) => {
    for (let b = 0; b < B; b++) rows.set(column.subarray(b * width, (b + 1) * width), (b * steps + step) * width)
  }
  const { label, control } = stretch.condition
  const conditionOf = (step: number): Feeds => {
    if (!control) return label ? { label } : {}
    const rest = control.dims.slice(2)
    return { control: tensor(take(control.data as Int32Array | Float32Array, rest[0] ?? 1, step), [B, ...rest]) }
  }
  const [fixed, names] = [settings(manifest, stretch), outputsOf('step', manifest, stretch)]
  for (let step = 0; step < steps; step++) {
    const feeds = {
      ...cursorFeeds(cursor),
      uniforms: tensor(take(uniforms, C * K, step), [B, C, K]),
      given: tensor(take(given, C, step), [B, C]),
      isGiven: tensor(take(isGiven, 1, step), [B]),
      ...conditionOf(step),
      ...fixed,
      ...seenFeed(cursor),
    }
    const outputs = await graphs.run('step', feeds, names)
    const value = outputs.value.data as Values
    put(result.values, C, step, value)
    put(result.drawn, C, step, outputs.drawn.data as Values)
    put(result.distance, 1, step, outputs.distance.data as Float32Array)
    put(result.nats, 1, step, outputs.nats.data as Float32Array)
    cursor = advanced(cursor, outputs, value)
  }
  return { ...result, cursor }
}

/** One run for all of x, from its beginning. */
const inWaves: Sampler = async (graphs, manifest, cursor, stretch) => {
  const { steps, uniforms, given, isGiven } = stretch
  const { components: C } = manifest.domain
  const B = cursor.batch
  const numbers = settings(manifest, stretch)
  const feeds = {
    uniforms: tensor(uniforms, [B, steps, C, manifest.uniformsPerComponent]),
    given: tensor(given, [B, steps, C]),
    isGiven: tensor(isGiven, [B, steps]),
    ...stretch.condition,
    temperature: numbers.temperature,
    ...(manifest.samplingFilters && Object.fromEntries(truncations.map((name) => [name, numbers[name]]))),
  }
  const { values, drawn, distance, nats } = await graphs.run('waves', feeds, graphSignature('waves', manifest).outputs)
  return { values: values.data as Values, drawn: drawn.data as Values, distance: distance.data as Float32Array, nats: nats.data as Float32Array, cursor }
}

export const samplers = { waves: inWaves, graph: inGraph, steps: byStep } as const
export type SamplerName = keyof typeof samplers

/** Why a model cannot be sampled wave by wave; undefined: it can. */
function obstacleToWaves(manifest: ModelManifest, { repetitionPenalty }: Required<SamplingFilters>): string | undefined {
  if (!graphNames(manifest).includes('waves')) return `this model draws ${manifest.sampling ?? 'one variable after the other'}`
  return repetitionPenalty === 1 ? undefined : 'a repetition penalty needs all that occurred before each variable'
}

/**
 * The sampler that is asked for, or else the fastest one for whole samples.
 * @throws {UnsupportedError} where the model cannot be sampled so
 */
export function chosenSampler(owner: string, manifest: ModelManifest, filters: Required<SamplingFilters>, asked?: SamplerName): SamplerName {
  const obstacle = obstacleToWaves(manifest, filters)
  if (asked === 'waves' && obstacle) throw new UnsupportedError(`${owner}: sampler 'waves' cannot be used: ${obstacle}. Leave sampler out, or use 'graph'.`)
  return asked ?? (obstacle ? 'graph' : 'waves')
}
