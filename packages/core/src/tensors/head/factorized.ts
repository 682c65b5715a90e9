/**
 * The components of a variable taken as independent given the features, each by a distribution of its own:
 *
 *   p(x | h) = ∏ⱼ F(xⱼ; βⱼ(h))
 *
 * Cheap, and wrong where components depend on each other (the channels of a pixel do): what `chained` is to be compared with.
 * Axes: B batch, N variables, C components, P parameters of one component, K uniforms of one.
 */
import * as tf from '@tensorflow/tfjs-core'
import { refuseUnknownOptions } from '../../errors.js'
import { describe } from '../../piece.js'
import type { Head } from '../head.js'
import { truncationsOf } from './components.js'
import { projection } from './projection.js'

/** @param head of one component */
export function factorized(head: Head, options: Record<never, never> = {}): Head {
  refuseUnknownOptions('factorized', options, [])
  return {
    name: 'factorized',
    options: { head: { ...describe(head) } },
    parametersPerVariable: (domain) => domain.components * head.parametersPerVariable({ ...domain, components: 1 }),
    bind(binding) {
      const C = binding.domain.components
      const domain = { ...binding.domain, components: 1 }
      const P = head.parametersPerVariable(domain)
      const inner = head.bind({ domain, width: P, receivesParameters: true })
      const { initialize, apply } = projection(binding, C * P)
      return {
        uniformsPerComponent: inner.uniformsPerComponent,
        isTied: false,
        ...truncationsOf(inner),
        initialize,
        logProbability(parameters, features, x) {
          const [batch, length] = x.shape
          const all = tf.reshape(apply(parameters, features), [batch, length * C, P])
          return tf.reshape(inner.logProbability({}, all, tf.reshape(x, [batch, length * C, 1])), [batch, length, C])
        },
        draw(parameters, features, { uniforms, temperature, given, isGiven, filters }) {
          const [batch, , K] = uniforms.shape as [number, number, number]
          const draw = inner.draw({}, tf.reshape(apply(parameters, features), [batch * C, P]), {
            uniforms: tf.reshape(uniforms, [batch * C, 1, K]),
            temperature,
            given: tf.reshape(given, [batch * C, 1]),
            isGiven: tf.reshape(tf.logicalAnd(tf.expandDims(isGiven, 1), tf.ones([1, C], 'bool')), [batch * C]),
            ...(filters && { filters }),
          })
          const perVariable = (tensor: tf.Tensor) => tf.reshape(tensor, [batch, C])
          return {
            values: perVariable(draw.values),
            drawn: perVariable(draw.drawn),
            distance: tf.max(perVariable(draw.distance), 1),
            logProbability: tf.sum(perVariable(draw.logProbability), 1),
          }
        },
      }
    },
  }
}
