/**
 * Any distribution over V values: p(v | h) = softmax(h W)ᵥ. With `tied`, W is the network's value embedding, transposed
 * (Press, Wolf 2017, arXiv 1608.05859).
 */
import * as tf from '@tensorflow/tfjs-core'
import { valueCount } from '../../domain.js'
import { refuseUnknownOptions, UnsupportedError } from '../../errors.js'
import type { ParameterArrays } from '../../parameters.js'
import { samplingFilterNames } from '../../sampling-filters.js'
import type { Head } from '../head.js'
import { normalInitial } from '../initial.js'
import type { Tensors } from '../network.js'
import { categoricalLogProbability } from '../primitives/categorical-log-probability.js'
import { entryAt } from '../primitives/entry.js'
import { linear } from '../primitives/linear.js'
import { sampledDistribution } from './filters.js'
import { drawByInverseCdf } from './inverse-cdf.js'

export interface CategoricalOptions {
  /** Use the network's value embedding in place of a matrix of the head's own. */
  tied?: boolean
}

export function categorical(options: CategoricalOptions = {}): Head {
  refuseUnknownOptions('categorical', options, ['tied'])
  const { tied = false } = options
  return {
    name: 'categorical',
    options: { tied },
    parametersPerVariable(domain) {
      if (domain.components !== 1) throw new UnsupportedError(`categorical: speaks of one component, the domain's variables have ${domain.components}.`)
      return valueCount(domain, 'categorical')
    },
    bind({ domain, width, receivesParameters }) {
      const V = valueCount(domain, 'categorical')
      if (tied && receivesParameters) throw new UnsupportedError('categorical: tied needs a network with features and an embedding; this network emits the parameters itself.')
      const logits = (parameters: Tensors, features: tf.Tensor) => {
        if (receivesParameters) return features
        if (!tied) return linear(features, parameters.weight)
        return linear(features, tf.slice(parameters.embedding, [0, 0], [V, width]), true)
      }
      return {
        uniformsPerComponent: 1,
        isTied: tied,
        samplingFilters: samplingFilterNames,
        initialize: (seed): ParameterArrays => (tied || receivesParameters ? {} : { weight: normalInitial(seed, 'head/weight', [width, V], 0.02) }),
        logProbability(parameters, features, x) {
          return tf.expandDims(categoricalLogProbability(logits(parameters, features), tf.squeeze(x, [2])), 2)
        },
        draw(parameters, features, request) {
          const all = logits(parameters, features)
          const { values, drawn, distance } = drawByInverseCdf(sampledDistribution(all, request), request)
          const logProbabilities = tf.logSoftmax(all)
          return { values, drawn, distance, logProbability: tf.squeeze(entryAt(logProbabilities, values), [1]), logProbabilities }
        },
      }
    },
  }
}
