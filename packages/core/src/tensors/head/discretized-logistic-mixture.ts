/**
 * A mixture of discretised logistics for one component whose values have an order: intensities, samples of sound.
 *
 *   p(x | h) = Σₖ πₖ [σ((x + ½ − μₖ)/sₖ) − σ((x − ½ − μₖ)/sₖ)]        the end values take the tails
 *
 * 3K numbers a variable, whatever V, where a categorical needs V. Where x has an end, one more: the end is no intensity beside the
 * loudest, but has a logit of its own, p(end) = σ(e), and the mixture speaks of the rest. Salimans et al. 2017 (arXiv 1701.05517).
 */
import * as tf from '@tensorflow/tfjs-core'
import { levelCount, valueCount } from '../../domain.js'
import { finiteNumber, refuseUnknownOptions, UnsupportedError, wholeNumber } from '../../errors.js'
import type { Head } from '../head.js'
import type { Tensors } from '../network.js'
import { drawFromMixture, filtersOf, type LogisticMixture, logistics, mixtureLogProbability, mostLevels } from './logistic-mixture.js'
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
 * For 2 … 65 536 levels, and an end. Up to 1024 values, a temperature T samples p^(1/T), as for any discrete head; beyond, it divides the logits
 * of the mixture and of the end by T and multiplies the scales.
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
      const levels = levelCount(domain, owner)
      if (components !== 1) throw new UnsupportedError(`${owner}: speaks of one component, the domain's variables have ${components}. Use rgbLogisticMixture(), or chained() or factorized() around this head.`)
      if (levels > mostLevels) throw new UnsupportedError(`${owner}: speaks of at most ${mostLevels} values, the domain has ${levels}.`)
      return 3 * K + (domain.end === undefined ? 0 : 1)
    },
    bind(binding) {
      const [V, levels] = [valueCount(binding.domain, owner), levelCount(binding.domain, owner)]
      const hasEnd = levels < V
      const { initialize, apply } = projection(binding, 3 * K + (hasEnd ? 1 : 0))
      // Evenly spread over its range, each half as wide as its share: a fresh head is nearly uniform.
      const start = { centers: Array.from({ length: K }, (_, k) => ((2 * k + 1) / K - 1) * range), spread: (0.5 / K) * range, levels }
      const mixture = (parameters: Tensors, features: tf.Tensor): LogisticMixture => {
        const [logits, means, logScales, rawEnd] = tf.split(apply(parameters, features), hasEnd ? [K, K, K, 1] : [K, K, K], -1)
        // Of a fresh head an end is as likely as a level.
        return { logits, ...logistics(range === 1 ? means : tf.mul(means, range), logScales, start), ...(hasEnd && { endLogit: tf.sub(rawEnd, Math.log(levels)) }) }
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
