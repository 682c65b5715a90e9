/**
 * A mixture of discretised logistics for the red, green and blue of a pixel: one mixture for all three, and within a component of it
 * the mean of a channel moves with the channels before it (z: a channel's value scaled to −1 … 1):
 *
 *   p(r, g, b | h) = Σₖ πₖ p(r; μᵣ) p(g; μ_g + α z_r) p(b; μ_b + β z_r + γ z_g)        α, β, γ in (−1, 1)
 *
 * 10K numbers a pixel. A channel's own probability is a quotient: p(g | r) = Σₖ πₖ p(r) p(g) / Σₖ πₖ p(r), and it is drawn as such:
 * from the mixture with weights in proportion to πₖ pₖ(r). Salimans et al. 2017 (arXiv 1701.05517), eq. 3. Axes: B batch, K logistics, V values.
 */
import * as tf from '@tensorflow/tfjs-core'
import { valueCount } from '../../domain.js'
import { refuseUnknownOptions, UnsupportedError, wholeNumber } from '../../errors.js'
import type { Head } from '../head.js'
import { logSumExp } from '../primitives/log-sum-exp.js'
import { componentRequest, joinComponents } from './components.js'
import { drawFromMixture, filtersOf, type LogisticMixture, logistics, mostLevels, weighted } from './logistic-mixture.js'
import { projection } from './projection.js'

export interface RgbLogisticMixtureOptions {
  /** Components of the mixture, K (10). */
  components?: number
}

const owner = 'rgbLogisticMixture'
const channels = 3

export function rgbLogisticMixture(options: RgbLogisticMixtureOptions = {}): Head {
  refuseUnknownOptions(owner, options, ['components'])
  const K = wholeNumber(owner, 'components', options.components ?? 10)
  return {
    name: owner,
    options: { components: K },
    parametersPerVariable(domain) {
      const { components } = domain
      const values = valueCount(domain, owner)
      if (components !== channels) throw new UnsupportedError(`${owner}: speaks of ${channels} components (red, green, blue), the domain's variables have ${components}.`)
      if (values > mostLevels) throw new UnsupportedError(`${owner}: speaks of at most ${mostLevels} values, the domain has ${values}.`)
      return 10 * K
    },
    bind(binding) {
      const V = valueCount(binding.domain, owner)
      const { initialize, apply } = projection(binding, 10 * K)
      // All alike in the middle: means that were spread would begin as shades of gray, since one k holds for all three channels.
      const start = { centers: [0], spread: 0.5, levels: V }
      const scaled = (x: tf.Tensor) => tf.sub(tf.mul(tf.cast(x, 'float32'), 2 / (V - 1)), 1)

      /**
       * Each channel in turn, given the ones before: `valueOf` gets its mixture and returns its value x, [..., 1] int32.
       * @param raw [..., 10K]: logits, 3 means, 3 scales, α, β, γ
       * @returns log πₖ p(x₁) … p(xⱼ) of each k, but for the sum over the logits: for j = 0 … 3, [..., K]
       */
      const inTurn = (raw: tf.Tensor, valueOf: (mixture: LogisticMixture, channel: number) => tf.Tensor): tf.Tensor[] => {
        const [logits, ...rest] = tf.split(raw, 10, -1)
        const slopes = rest.slice(6).map((slope) => tf.tanh(slope))
        const joint = [logits]
        const earlier: tf.Tensor[] = []
        for (let channel = 0; channel < channels; channel++) {
          const first = (channel * (channel - 1)) / 2
          const mean = earlier.reduce((sum, z, i) => tf.add(sum, tf.mul(slopes[first + i], z)), rest[channel])
          const mixture = { logits: joint[channel], ...logistics(mean, rest[3 + channel], start) }
          const x = valueOf(mixture, channel)
          joint.push(weighted(mixture, x, V))
          earlier.push(scaled(x))
        }
        return joint
      }

      return {
        uniformsPerComponent: 1,
        isTied: false,
        ...filtersOf(V),
        initialize,
        logProbability(parameters, features, x) {
          const values = tf.split(x, channels, -1)
          const sums = inTurn(apply(parameters, features), (_, channel) => values[channel]).map(logSumExp)
          return tf.stack(values.map((_, channel) => tf.sub(sums[channel + 1], sums[channel])), -1)
        },
        draw(parameters, features, request) {
          return joinComponents((add) => {
            inTurn(apply(parameters, features), (mixture, channel) => add(drawFromMixture(mixture, componentRequest(request, channel), V)))
          })
        },
      }
    },
  }
}
