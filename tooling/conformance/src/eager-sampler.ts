/**
 * Ancestral sampling as plainly as it can be written: one variable after the other, eagerly. The slow twin of every other sampler.
 * Axes: B samples, N variables, C components, K uniforms of a component. All results are by position.
 */
import { checkSamplingFilters, conditionSpecification, type ConditionValues, emptyValues, type ParameterArrays, type SamplingFilters, uniform, type Values, valueType } from '@chainrule/core'
import { begin, type Model, type Previous } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { asTensors } from './parameters.js'

export interface SampleRequest extends SamplingFilters {
  /** B. */
  readonly count: number
  /** N. */
  readonly length: number
  readonly seed: number
  /** 1 where absent. */
  readonly temperature?: number
  /** [B, N, C], kept where `isGiven`. */
  readonly given?: Values
  /** [B, N], 0 or 1. */
  readonly isGiven?: Uint8Array
  /** Of models with one: [B] labels, or a control sequence [B, N] or [B, N, K], by position. */
  readonly condition?: ConditionValues
}

/** What a sampler says of each variable. */
export interface Sampled {
  /** [B, N, C]: given or drawn. */
  readonly values: Values
  /** [B, N, C]: what the uniforms pick, given or not. */
  readonly drawn: Values
  /** [B, N]: how far the uniforms lie outside the CDF interval of the value kept. */
  readonly distance: Float32Array
  /** [B, N], in nats. */
  readonly logProbability: Float32Array
}

/** Any sampler under test. */
export type Sampler = (request: SampleRequest) => Sampled | Promise<Sampled>

/** The sampler of a model on the tfjs backend that is set. */
export function eagerSampler(model: Model, parameters: ParameterArrays): (request: SampleRequest) => Sampled {
  const C = model.domain.components
  /** Only whole numbers have filters. */
  const V = model.domain.values === 'real' ? 0 : model.domain.values
  const type = valueType(model.domain)
  const { uniformsPerComponent: K, samplingFilters } = model.boundHead
  const conditionOf = (told: ConditionValues, B: number, N: number, position: number): tf.Tensor => {
    const { shape, type } = conditionSpecification(model.condition!, B)
    if (!model.condition!.isSequence) return tf.tensor(told, shape, type)
    const width = told.length / (B * N)
    return tf.tensor(Array.from({ length: B * width }, (_, i) => told[(Math.floor(i / width) * N + position) * width + (i % width)]), shape, type)
  }
  return ({ count: B, length: N, seed, temperature = 1, given = emptyValues(model.domain, B * N * C), isGiven = new Uint8Array(B * N), condition: told, ...options }) => {
    const { topK, topP, minP, repetitionPenalty } = checkSamplingFilters('eagerSampler', options, samplingFilters ?? [])
    const knowsPenalty = samplingFilters?.includes('repetitionPenalty') ?? false
    const seen = new Uint8Array(knowsPenalty ? B * V : 0)
    const result: Sampled = { values: emptyValues(model.domain, B * N * C), drawn: emptyValues(model.domain, B * N * C), distance: new Float32Array(B * N), logProbability: new Float32Array(B * N) }
    tf.tidy(() => {
      const tensors = asTensors(parameters)
      let state = begin(model.state, B)
      let before: Previous = { values: tf.zeros([B, C], type), isStart: tf.ones([B], 'bool') }
      for (let rank = 0; rank < N; rank++) {
        const position = model.resolvedOrder.isLeftToRight ? rank : model.resolvedOrder.permutation[rank]
        const request = {
          uniforms: tf.tensor(Float32Array.from({ length: B * C * K }, (_, i) => uniform(seed, 'sampling', Math.floor(i / (C * K)), position, Math.floor(i / K) % C, i % K)), [B, C, K]),
          temperature: tf.tensor1d([temperature]),
          given: tf.tensor(Float32Array.from({ length: B * C }, (_, i) => given[(Math.floor(i / C) * N + position) * C + (i % C)]), [B, C], type),
          isGiven: tf.tensor(Uint8Array.from({ length: B }, (_, b) => isGiven[b * N + position]), [B], 'bool'),
          ...(samplingFilters && {
            filters: { topK: tf.tensor1d([topK], 'int32'), topP: tf.tensor1d([topP]), minP: tf.tensor1d([minP]), ...(knowsPenalty && { repetitionPenalty: tf.tensor1d([repetitionPenalty]), seen: tf.tensor(seen.slice(), [B, V], 'bool') }) },
          }),
        }
        const draw = model.step(tensors, state, before, request, told && conditionOf(told, B, N, position))
        const [values, drawn, distance, logProbability] = [draw.values, draw.drawn, draw.distance, draw.logProbability].map((tensor) => tensor.dataSync())
        for (let b = 0; b < B; b++) {
          const at = b * N + position
          result.values.set(values.subarray(b * C, (b + 1) * C), at * C)
          result.drawn.set(drawn.subarray(b * C, (b + 1) * C), at * C)
          result.distance[at] = distance[b]
          result.logProbability[at] = logProbability[b]
          if (knowsPenalty) seen[b * V + values[b]] = 1
        }
        state = draw.state
        before = { values: draw.values, isStart: tf.zeros([B], 'bool') }
      }
    })
    return result
  }
}
