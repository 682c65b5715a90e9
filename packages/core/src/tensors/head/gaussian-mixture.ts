/**
 * A mixture of Gaussians for real values: a density, ∫ p(x | h) dx = 1, whose nats are no bits of anything that is counted.
 *
 *   p(x | h) = Σₖ πₖ ∏ⱼ N(xⱼ; μₖⱼ, σₖⱼ)        x ∈ R^C: a number, a pixel, a patch, a frame
 *
 * Within a mixture component the C components are independent; through the weights they are not: p(xⱼ | x_<j) is the mixture with weights
 * in proportion to πₖ ∏_{i<j} N(xᵢ; μₖᵢ, σₖᵢ), which is how xⱼ is scored and drawn. `chained(gaussianMixture())` depends on more.
 *
 * A draw is the exact inverse of the mixture's CDF, x = F⁻¹(u), by one uniform: of a value that is given, F(x) says which u would have drawn
 * it, where a mixture component picked by a uniform of its own would leave that open. gaussian-search.ts finds it.
 * A temperature T divides the logits and multiplies the scales by √T, which for one Gaussian is p^(1/T).
 *
 * Bishop 1994, "Mixture density networks". Axes: B batch, N variables, C components, K Gaussians.
 */
import * as tf from '@tensorflow/tfjs-core'
import { isReal } from '../../domain.js'
import { finiteNumber, refuseUnknownOptions, UnsupportedError, wholeNumber } from '../../errors.js'
import type { Head } from '../head.js'
import type { Tensors } from '../network.js'
import { logSumExp } from '../primitives/log-sum-exp.js'
import { normalLogDensity } from '../primitives/normal-distribution.js'
import { runningSum } from '../primitives/running-sum.js'
import { componentRequest } from './components.js'
import { drawFromGaussians } from './gaussian-search.js'
import { projection } from './projection.js'

export interface GaussianMixtureOptions {
  /** Components of the mixture, K (10). */
  components?: number
  /** The least σ, in values (0.001): what keeps a value that occurs again and again from a density without bound. */
  smallestScale?: number
}

const owner = 'gaussianMixture'
/** Wider than any data of numbers around 1: keeps a chain of wild draws, each of which widens the next, from infinity. */
const largestScale = 1000

/** Fresh parameters are Gaussians within −1 … 1. @throws {InvalidOptionError} */
export function gaussianMixture(options: GaussianMixtureOptions = {}): Head {
  refuseUnknownOptions(owner, options, ['components', 'smallestScale'])
  const K = wholeNumber(owner, 'components', options.components ?? 10)
  const smallestScale = finiteNumber(owner, 'smallestScale', options.smallestScale ?? 1e-3, 1e-6, 1)
  return {
    name: owner,
    options: { components: K, smallestScale },
    parametersPerVariable(domain) {
      if (!isReal(domain)) throw new UnsupportedError(`${owner}: is a density of real values, the domain's are ${domain.values} whole numbers. Use discretizedLogisticMixture(), or a tokenizer of real values.`)
      return K * (1 + 2 * domain.components)
    },
    bind(binding) {
      const C = binding.domain.components
      const { initialize, apply } = projection(binding, K * (1 + 2 * C))
      // Of one component evenly spread, each half as wide as its share; of several all in the middle, since one k holds for all of them.
      const centers = Array.from({ length: K }, (_, k) => (C === 1 ? (2 * k + 1) / K - 1 : 0))
      const startingScale = Math.log(C === 1 ? 0.5 / K : 0.5)

      /** features [..., W] → logits [..., K], means and log σ [..., C, K]. */
      const gaussians = (parameters: Tensors, features: tf.Tensor) => {
        const [logits, means, logScales] = tf.split(apply(parameters, features), [K, C * K, C * K], -1)
        const perComponent = (tensor: tf.Tensor) => tf.reshape(tensor, [...tensor.shape.slice(0, -1), C, K])
        return {
          logits,
          means: tf.add(perComponent(means), tf.tensor1d(centers)),
          logScales: tf.minimum(tf.maximum(tf.add(perComponent(logScales), startingScale), Math.log(smallestScale)), Math.log(largestScale)),
        }
      }

      const logProbability = ({ logits, means, logScales }: ReturnType<typeof gaussians>, x: tf.Tensor): tf.Tensor => {
        const terms = runningSum(tf.transpose(normalLogDensity(tf.expandDims(x, -1), means, logScales), [2, 0, 1, 3]))
        const before = tf.expandDims(logits, 0)
        const sums = logSumExp(tf.concat([before, tf.add(terms, before)], 0))
        const [batch, length] = x.shape as [number, number]
        return tf.transpose(tf.sub(tf.slice(sums, [1, 0, 0], [C, batch, length]), tf.slice(sums, [0, 0, 0], [C, batch, length])), [1, 2, 0])
      }

      return {
        uniformsPerComponent: 1,
        isTied: false,
        initialize,
        logProbability: (parameters, features, x) => logProbability(gaussians(parameters, features), x),
        draw(parameters, features, request) {
          const model = gaussians(parameters, features)
          const widened = tf.add(model.logScales, tf.mul(tf.log(request.temperature), 0.5))
          const [means, logScales] = [tf.unstack(model.means, 1), tf.unstack(widened, 1)]
          let logits = tf.div(model.logits, request.temperature)
          const draws = means.map((mean, j) => {
            const draw = drawFromGaussians({ logits, mean, logScale: logScales[j] }, componentRequest(request, j))
            if (j < C - 1) logits = tf.add(logits, normalLogDensity(draw.values, mean, logScales[j]))
            return draw
          })
          const values = tf.concat(draws.map((draw) => draw.values), 1)
          const single = ({ logits, means, logScales }: typeof model) => ({ logits: tf.expandDims(logits, 1), means: tf.expandDims(means, 1), logScales: tf.expandDims(logScales, 1) })
          return {
            values,
            drawn: tf.concat(draws.map(({ drawn }) => drawn), 1),
            distance: tf.max(tf.concat(draws.map(({ distance }) => distance), 1), 1),
            logProbability: tf.squeeze(tf.sum(logProbability(single(model), tf.expandDims(values, 1)), 2), [1]),
          }
        },
      }
    },
  }
}
