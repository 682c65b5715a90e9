/**
 * The chain rule within a variable: component j given the components before it, by a small network over them, given the features:
 *
 *   sⱼ = A h + Σ_{i<j} Eᵢ[xᵢ]      p(xⱼ | x_<j, h) = F(xⱼ; Uⱼ relu(sⱼ + bⱼ) + cⱼ)
 *
 * That is NADE (Larochelle, Murray 2011) with h as its condition: training takes all components at once by a running sum, a draw adds one
 * row after each. Beyond 1024 values Eᵢ[x] is a vector times x, scaled to −1 … 1, not a row for every value; of real values, times x as it is.
 *
 * Axes: B batch, N variables, C components, M = B N, W width of the features, H width of the network, V values, P parameters of one component.
 */
import * as tf from '@tensorflow/tfjs-core'
import { refuseUnknownOptions, wholeNumber } from '../../errors.js'
import { describe } from '../../piece.js'
import type { Head } from '../head.js'
import { constantInitial, normalInitial } from '../initial.js'
import type { Tensors } from '../network.js'
import { embedding } from '../primitives/embedding.js'
import { linear } from '../primitives/linear.js'
import { runningSum } from '../primitives/running-sum.js'
import { scaledValues } from '../scaled-values.js'
import { componentRequest, joinComponents } from './components.js'
import { largestTable } from './logistic-mixture.js'

export interface ChainedOptions {
  /** H, the units of the network over the components (64). */
  width?: number
}

/**
 * @param head of one component; it owns no parameters here
 * @throws {UnsupportedError} at bind, where the head does not suit the components
 */
export function chained(head: Head, options: ChainedOptions = {}): Head {
  refuseUnknownOptions('chained', options, ['width'])
  const H = wholeNumber('chained', 'width', options.width ?? 64)
  return {
    name: 'chained',
    options: { head: { ...describe(head) }, width: H },
    parametersPerVariable(domain) {
      head.parametersPerVariable({ ...domain, components: 1 })
      return H
    },
    bind({ domain: { components: C, ...rest }, width: W, receivesParameters }) {
      const domain = { ...rest, components: 1 }
      const P = head.parametersPerVariable(domain)
      const inner = head.bind({ domain, width: P, receivesParameters: true })
      /** Where every value of a component has a row of its own: how many. */
      const rows = domain.values === 'real' || domain.values > largestTable ? undefined : domain.values
      const contextOf = (parameters: Tensors, features: tf.Tensor) => (receivesParameters ? features : linear(features, parameters.context))
      /** Of components first … first + n − 1: x [n, M] → E[x] [n, M, H]. */
      const embed = (parameters: Tensors, x: tf.Tensor, first: number): tf.Tensor => {
        const count = x.shape[0]
        if (rows === undefined) return tf.mul(tf.expandDims(scaledValues(x, domain), 2), tf.slice(parameters.inputs, [first, 0, 0], [count, 1, H]))
        return embedding(parameters.inputs, tf.add(x, tf.tensor2d(Int32Array.from({ length: count }, (_, i) => (first + i) * rows), [count, 1], 'int32')))
      }
      const hidden = (sums: tf.Tensor, bias: tf.Tensor) => tf.relu(tf.add(sums, bias))
      return {
        uniformsPerComponent: inner.uniformsPerComponent,
        isTied: false,
        initialize(seed) {
          const normal = (name: string, shape: number[], deviation: number) => ({ [name]: normalInitial(seed, `head/${name}`, shape, deviation) })
          return {
            ...(!receivesParameters && normal('context', [W, H], 1 / Math.sqrt(W))),
            ...(C > 1 && normal('inputs', rows ? [(C - 1) * rows, H] : [C - 1, 1, H], 1 / Math.sqrt(C))),
            ...normal('output', [C, H, P], 0.1 / Math.sqrt(H)),
            bias: constantInitial([C, 1, H], 0),
            outputBias: constantInitial([C, 1, P], 0),
          }
        },
        logProbability(parameters, features, x) {
          const [batch, length] = x.shape
          const values = tf.transpose(tf.reshape(x, [batch * length, C]))
          const context = tf.reshape(contextOf(parameters, features), [1, batch * length, H])
          const earlier = C === 1 ? [] : [embed(parameters, tf.slice(values, [0, 0], [C - 1, batch * length]), 0)]
          const sums = runningSum(tf.concat([context, ...earlier], 0))
          const outputs = tf.add(tf.matMul(hidden(sums, parameters.bias), parameters.output), parameters.outputBias)
          const logProbability = inner.logProbability({}, outputs, tf.expandDims(values, 2))
          return tf.reshape(tf.transpose(tf.squeeze(logProbability, [2])), [batch, length, C])
        },
        draw(parameters, features, request) {
          const biases = tf.unstack(parameters.bias)
          const outputs = tf.unstack(parameters.output)
          const outputBiases = tf.unstack(parameters.outputBias)
          return joinComponents((add) => {
            let sums = contextOf(parameters, features)
            for (let j = 0; j < C; j++) {
              const distribution = tf.add(linear(hidden(sums, biases[j]), outputs[j]), outputBiases[j])
              const value = add(inner.draw({}, distribution, componentRequest(request, j)))
              if (j < C - 1) sums = tf.add(sums, tf.squeeze(embed(parameters, tf.transpose(value), j), [0]))
            }
          })
        },
      }
    },
  }
}
