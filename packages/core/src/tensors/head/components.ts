/** The components of a variable, drawn one by one. Axes: B batch, C components, K uniforms of a component. */
import * as tf from '@tensorflow/tfjs-core'
import { type SamplingFilterName, truncations } from '../../sampling-filters.js'
import type { BoundHead, Draw, DrawRequest } from '../head.js'

/** Of the filters that the head of a component knows, those that a variable of several can have: what occurred before is counted of whole variables. */
export function truncationsOf({ samplingFilters }: BoundHead): { samplingFilters?: readonly SamplingFilterName[] } {
  return samplingFilters ? { samplingFilters: truncations } : {}
}

/** The part of a request that speaks of one component. */
export function componentRequest({ uniforms, temperature, given, isGiven, filters }: DrawRequest, component: number): DrawRequest {
  const [batch, , K] = uniforms.shape as [number, number, number]
  return { uniforms: tf.slice(uniforms, [0, component, 0], [batch, 1, K]), temperature, given: tf.slice(given, [0, component], [batch, 1]), isGiven, ...(filters && { filters }) }
}

/**
 * One draw of a variable from the draws of its components: the largest of their distances, the sum of their log-probabilities.
 * @param draw calls `add` with each component's draw, which returns its value, int32 [B, 1]
 */
export function joinComponents(draw: (add: (one: Draw) => tf.Tensor) => void): Draw {
  const draws: Draw[] = []
  draw((one) => {
    draws.push(one)
    return one.values
  })
  return {
    values: tf.concat(draws.map(({ values }) => values), 1),
    drawn: tf.concat(draws.map(({ drawn }) => drawn), 1),
    distance: tf.max(tf.stack(draws.map(({ distance }) => distance), 1), 1),
    logProbability: tf.sum(tf.stack(draws.map(({ logProbability }) => logProbability), 1), 1),
  }
}
