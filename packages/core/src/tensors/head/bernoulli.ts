/** Two values: p(1 | h) = σ(l), l = h w one number. log p(x) = −softplus((1 − 2x) l). */
import * as tf from '@tensorflow/tfjs-core'
import { refuseUnknownOptions, UnsupportedError } from '../../errors.js'
import type { ParameterArrays } from '../../parameters.js'
import { truncations } from '../../sampling-filters.js'
import type { Head } from '../head.js'
import { normalInitial } from '../initial.js'
import type { Tensors } from '../network.js'
import { linear } from '../primitives/linear.js'
import { sampledDistribution } from './filters.js'
import { drawByInverseCdf } from './inverse-cdf.js'

export function bernoulli(options: Record<never, never> = {}): Head {
  refuseUnknownOptions('bernoulli', options, [])
  return {
    name: 'bernoulli',
    options: {},
    parametersPerVariable({ components, values }) {
      if (components !== 1 || values !== 2) throw new UnsupportedError(`bernoulli: speaks of one component of 2 values, the domain has ${components} of ${values}.`)
      return 1
    },
    bind({ width, receivesParameters }) {
      const logit = (parameters: Tensors, features: tf.Tensor) => (receivesParameters ? features : linear(features, parameters.weight))
      const logProbability = (l: tf.Tensor, x: tf.Tensor) => tf.neg(tf.softplus(tf.mul(l, tf.sub(1, tf.mul(2, tf.cast(x, 'float32'))))))
      return {
        uniformsPerComponent: 1,
        isTied: false,
        samplingFilters: truncations,
        initialize: (seed): ParameterArrays => (receivesParameters ? {} : { weight: normalInitial(seed, 'head/weight', [width, 1], 0.02) }),
        logProbability: (parameters, features, x) => logProbability(logit(parameters, features), x),
        draw(parameters, features, request) {
          const l = logit(parameters, features)
          const draw = drawByInverseCdf(sampledDistribution(tf.concat([tf.zerosLike(l), l], 1), request), request)
          return {
            ...draw,
            logProbability: tf.squeeze(logProbability(l, draw.values), [1]),
            logProbabilities: tf.neg(tf.concat([tf.softplus(l), tf.softplus(tf.neg(l))], 1)),
          }
        },
      }
    },
  }
}
