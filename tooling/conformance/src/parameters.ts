/** Parameters for the laws: away from the special points (zeros, ones) where a defect could hide, and as tensors. */
import type { ParameterArrays } from '@chainrule/core'
import type { Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { randomNumbers } from './enumeration.js'

/** The initial parameters with noise in (−amplitude, amplitude) added to every number. */
export function shaken(initial: ParameterArrays, seed: number, amplitude = 0.5): ParameterArrays {
  return Object.fromEntries(
    Object.entries(initial).map(([name, { shape, data }], stream) => {
      const noise = randomNumbers(seed, amplitude, data.length, stream)
      return [name, { shape, data: data.map((value, i) => value + noise[i]) }]
    }),
  )
}

/** Parameter arrays as float32 tensors. */
export function asTensors(parameters: ParameterArrays): Tensors {
  return Object.fromEntries(Object.entries(parameters).map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape], 'float32')]))
}

/** Runs a computation in a tidy and returns the numbers of its tensor. */
export function numbersOf(compute: () => tf.Tensor): Float32Array | Int32Array | Uint8Array {
  return tf.tidy(() => compute().dataSync().slice())
}
