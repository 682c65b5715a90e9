/** Initial values of parameters: each is a function of the seed and the parameter's name alone. */
import { normal, uniform } from '../noise.js'
import { type ParameterArray, sizeOf } from '../parameters.js'

/** A whole number from a name (FNV-1a), so that each parameter has noise of its own. */
function addressOf(name: string): number {
  let hash = 0x811c9dc5
  for (const character of name) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193)
  return hash >>> 0
}

/** Normal with mean 0. */
export function normalInitial(seed: number, name: string, shape: readonly number[], standardDeviation: number): ParameterArray {
  const address = addressOf(name)
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => standardDeviation * normal(seed, 'initialization', address, i))
  return { shape, data }
}

/** Uniform in (−bound, bound). */
export function uniformInitial(seed: number, name: string, shape: readonly number[], bound: number): ParameterArray {
  const address = addressOf(name)
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => bound * (2 * uniform(seed, 'initialization', address, i) - 1))
  return { shape, data }
}

/** Every element the same. */
export function constantInitial(shape: readonly number[], value: number): ParameterArray {
  return { shape, data: new Float32Array(sizeOf(shape)).fill(value) }
}
