/** Features → the numbers that describe a distribution: a matrix and a bias, or nothing where the network gives them itself. */
import * as tf from '@tensorflow/tfjs-core'
import type { ParameterArrays } from '../../parameters.js'
import type { HeadBinding } from '../head.js'
import { constantInitial, normalInitial } from '../initial.js'
import type { Tensors } from '../network.js'
import { linear } from '../primitives/linear.js'

export interface Projection {
  initialize(seed: number): ParameterArrays
  /** features [..., W] → [..., P]. */
  apply(parameters: Tensors, features: tf.Tensor): tf.Tensor
}

export function projection({ width, receivesParameters }: HeadBinding, parametersPerVariable: number): Projection {
  if (receivesParameters) return { initialize: () => ({}), apply: (_, features) => features }
  return {
    initialize: (seed) => ({ weight: normalInitial(seed, 'head/weight', [width, parametersPerVariable], 0.02), bias: constantInitial([parametersPerVariable], 0) }),
    apply: (parameters, features) => tf.add(linear(features, parameters.weight), parameters.bias),
  }
}
