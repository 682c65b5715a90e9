/**
 * A mixture of discretised logistics for one component whose values have an order: intensities, samples of sound.
 *
 *   p(x | h) = Σₖ πₖ [σ((x + ½ − μₖ)/sₖ) − σ((x − ½ − μₖ)/sₖ)]        the end values take the tails
 *
 * 3K numbers a variable, whatever V, where a categorical needs V. Salimans et al. 2017 (arXiv 1701.05517).
 */
import * as tf from '@tensorflow/tfjs-core'
import { valueCount } from '../../domain.js'
import { finiteNumber, refuseUnknownOptions, UnsupportedError, wholeNumber } from '../../errors.js'
import type { Head } from '../head.js'
import type { Tensors } from '../network.js'
import { drawFromMixture, filtersOf, type LogisticMixture, logistics, mixtureLogProbability, mostValues } from './logistic-mixture.js'
import { projection } from './projection.js'

export interface DiscretizedLogisticMixtureOptions {
  /** Components of the mixture, K (10). */
  components?: number
  /**
   * Share of all values, around the middle one, over which a fresh head spreads its components, and the unit of its means (1). Small where values crowd
   * in the middle, as the samples of a sound do.
   */
  range?: number
}

const owner = 'discretizedLogisticMixture'

/**
 * For 2 … 65 536 values. Up to 1024, a temperature T samples p^(1/T), as for any discrete head; beyond, it divides the logits of the mixture
 * by T and multiplies its scales.
 */
export function discretizedLogisticMixture(options: DiscretizedLogisticMixtureOptions = {}): Head {
  refuseUnknownOptions(owner, options, ['components', 'range'])
  const K = wholeNumber(owner, 'components', options.components ?? 10)
  const range = finiteNumber(owner, 'range', options.range ?? 1, 2 ** -15, 1)
  return {
    name: owner,
    options: { components: K, ...(range !== 1 && { range }) },
    parametersPerVariable(domain) {
      const { components } = domain
      const values = valueCount(domain, owner)
      if (components !== 1) throw new UnsupportedError(`${owner}: speaks of one component, the domain's variables have ${components}. Use rgbLogisticMixture(), or chained() or factorized() around this head.`)
      if (values > mostValues) throw new UnsupportedError(`${owner}: speaks of at most ${mostValues} values, the domain has ${values}.`)
      return 3 * K
    },
    bind(binding) {
      const V = valueCount(binding.domain, owner)
      const { initialize, apply } = projection(binding, 3 * K)
      // Evenly spread over its range, each half as wide as its share: a fresh head is nearly uniform.
      const start = { centers: Array.from({ length: K }, (_, k) => ((2 * k + 1) / K - 1) * range), spread: (0.5 / K) * range, values: V }
      const mixture = (parameters: Tensors, features: tf.Tensor): LogisticMixture => {
        const [logits, means, logScales] = tf.split(apply(parameters, features), 3, -1)
        return { logits, ...logistics(range === 1 ? means : tf.mul(means, range), logScales, start) }
      }
      return {
        uniformsPerComponent: 1,
        isTied: false,
        ...filtersOf(V),
        initialize,
        logProbability: (parameters, features, x) => tf.expandDims(mixtureLogProbability(mixture(parameters, features), x, V), -1),
        draw: (parameters, features, request) => drawFromMixture(mixture(parameters, features), request, V),
      }
    },
  }
}
