/**
 * Two samplers that must agree: the graph that holds the whole loop, and its slow twin, one run of the step's graph for
 * each variable. Everything is in the order of generation. Axes: B batch, S steps, C components, K uniforms per component.
 */
import type { ModelManifest } from '@chainrule/core'
import { advanced, type Cursor, cursorFeeds, lastVariable, tensorMaker } from './cursor.js'
import { type Graphs, graphSignature } from './graphs.js'

/** What goes into a stretch of consecutive variables. */
export interface Stretch {
  readonly steps: number
  /** [B, S, C, K] */
  readonly uniforms: Float32Array
  /** [B, S, C], kept where `isGiven`; elsewhere any valid values. */
  readonly given: Int32Array
  /** [B, S], 1: given. */
  readonly isGiven: Uint8Array
  readonly temperature: number
}

/** What comes out of it. */
export interface Drawn {
  /** [B, S, C]: the values kept, given or drawn. */
  readonly values: Int32Array
  /** [B, S, C]: what the uniforms pick, given or not. */
  readonly drawn: Int32Array
  /** [B, S]: how far the uniforms lie outside the CDF interval of the values kept; 0 = inside. */
  readonly distance: Float32Array
  /** [B, S]: −log p of the values kept, at temperature 1. */
  readonly nats: Float32Array
}

export type Sampler = (graphs: Graphs, manifest: ModelManifest, cursor: Cursor, stretch: Stretch) => Promise<Drawn & { cursor: Cursor }>

/** One run for the whole stretch. */
const inGraph: Sampler = async (graphs, manifest, cursor, { steps, uniforms, given, isGiven, temperature }) => {
  const { components: C } = manifest.domain
  const [tensor, B] = [await tensorMaker(), cursor.batch]
  const feeds = {
    ...(await cursorFeeds(cursor)),
    uniforms: tensor(uniforms, [B, steps, C, manifest.uniformsPerComponent]),
    given: tensor(given, [B, steps, C]),
    isGiven: tensor(isGiven, [B, steps]),
    temperature: tensor(Float32Array.of(temperature), [1]),
  }
  const outputs = await graphs.run('sample', feeds, graphSignature('sample', manifest).outputs)
  const values = outputs.values.data as Int32Array
  return {
    values,
    drawn: outputs.drawn.data as Int32Array,
    distance: outputs.distance.data as Float32Array,
    nats: outputs.nats.data as Float32Array,
    cursor: advanced(cursor, outputs, lastVariable(values, B, C)),
  }
}

/** One run for every variable. */
const byStep: Sampler = async (graphs, manifest, cursor, { steps, uniforms, given, isGiven, temperature }) => {
  const { components: C } = manifest.domain
  const K = manifest.uniformsPerComponent
  const [tensor, B] = [await tensorMaker(), cursor.batch]
  const result = { values: new Int32Array(B * steps * C), drawn: new Int32Array(B * steps * C), distance: new Float32Array(B * steps), nats: new Float32Array(B * steps) }
  /** Column `step` of rows [B, S, width] → [B, width], and back. */
  const take = <A extends Float32Array | Int32Array | Uint8Array>(rows: A, width: number, step: number): A => {
    const column = new (rows.constructor as new (size: number) => A)(B * width)
    for (let b = 0; b < B; b++) column.set(rows.subarray((b * steps + step) * width, (b * steps + step + 1) * width), b * width)
    return column
  }
  const put = <A extends Float32Array | Int32Array>(rows: A, width: number, step: number, column: A) => {
    for (let b = 0; b < B; b++) rows.set(column.subarray(b * width, (b + 1) * width), (b * steps + step) * width)
  }
  for (let step = 0; step < steps; step++) {
    const feeds = {
      ...(await cursorFeeds(cursor)),
      uniforms: tensor(take(uniforms, C * K, step), [B, C, K]),
      given: tensor(take(given, C, step), [B, C]),
      isGiven: tensor(take(isGiven, 1, step), [B]),
      temperature: tensor(Float32Array.of(temperature), [1]),
    }
    const outputs = await graphs.run('step', feeds, graphSignature('step', manifest).outputs)
    const value = outputs.value.data as Int32Array
    put(result.values, C, step, value)
    put(result.drawn, C, step, outputs.drawn.data as Int32Array)
    put(result.distance, 1, step, outputs.distance.data as Float32Array)
    put(result.nats, 1, step, outputs.nats.data as Float32Array)
    cursor = advanced(cursor, outputs, value)
  }
  return { ...result, cursor }
}

export const samplers = { graph: inGraph, steps: byStep } as const
export type SamplerName = keyof typeof samplers
