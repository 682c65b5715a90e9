/**
 * The chain rule within a variable: component j given the components before it, by a small network over them, given the features:
 *
 *   sⱼ = A h + Σ_{i<j} Eᵢ[xᵢ]      p(xⱼ | x_<j, h) = F(xⱼ; Uⱼ relu(sⱼ + bⱼ) + Vⱼ sⱼ + cⱼ)
 *
 * That is NADE (Larochelle, Murray 2011) with h as its condition: training takes all components at once by a running sum, a draw is a scan
 * that adds one row after each. Eᵢ[x] is a row of a table for every value of every component ('embedding'), or a vector times x, scaled to
 * −1 … 1 ('scaled'); of real values, times x as it is. Numbers have the linear path V too: a mean that follows its neighbours needs no bends.
 *
 * Axes: B batch, N variables, C components, M = B N, W width of the features, H width of the network, V values, P parameters of one component.
 */
import * as tf from '@tensorflow/tfjs-core'
import { valueType } from '../../domain.js'
import { InvalidOptionError, refuseUnknownOptions, UnsupportedError, wholeNumber } from '../../errors.js'
import { describe } from '../../piece.js'
import type { DrawRequest, Head } from '../head.js'
import { constantInitial, normalInitial } from '../initial.js'
import type { Tensors } from '../network.js'
import { embedding } from '../primitives/embedding.js'
import { linear } from '../primitives/linear.js'
import { runningSum } from '../primitives/running-sum.js'
import { scaledValues } from '../scaled-values.js'
import { scan } from '../scan.js'
import { truncationsOf } from './components.js'
import { largestTable } from './logistic-mixture.js'

export interface ChainedOptions {
  /** H, the units of the network over the components (64). */
  width?: number
  /**
   * How the components before are read: as numbers ('scaled': values with an order; the default from 16 values upward) or each value by a
   * learned vector ('embedding': up to 1,024 values; the default of fewer than 16).
   */
  input?: 'scaled' | 'embedding'
}

/** From so many values on they are taken to have an order: intensities, samples of sound. */
const fewestScaled = 16

/**
 * @param head of one component; it owns no parameters here
 * @throws {InvalidOptionError} for an input of another name
 * @throws {UnsupportedError} at bind, where the head does not suit the components, or there are too many values to have a vector each
 */
export function chained(head: Head, options: ChainedOptions = {}): Head {
  refuseUnknownOptions('chained', options, ['width', 'input'])
  const H = wholeNumber('chained', 'width', options.width ?? 64)
  const { input } = options
  if (input !== undefined && input !== 'scaled' && input !== 'embedding') throw new InvalidOptionError(`chained: input must be 'scaled' or 'embedding', got ${JSON.stringify(input)}.`)
  return {
    name: 'chained',
    options: { head: { ...describe(head) }, width: H, ...(input && { input }) },
    parametersPerVariable(domain) {
      head.parametersPerVariable({ ...domain, components: 1 })
      return H
    },
    bind({ domain: { components: C, ...rest }, width: W, receivesParameters }) {
      const domain = { ...rest, components: 1 }
      const P = head.parametersPerVariable(domain)
      const inner = head.bind({ domain, width: P, receivesParameters: true })
      const values = domain.values === 'real' ? Infinity : domain.values
      if (input === 'embedding' && values > largestTable) throw new UnsupportedError(`chained: input 'embedding' has a vector for each of at most ${largestTable} values, the domain's are ${values === Infinity ? 'real' : values}. Use input: 'scaled'.`)
      const isScaled = (input ?? (values < fewestScaled ? 'embedding' : 'scaled')) === 'scaled'
      const contextOf = (parameters: Tensors, features: tf.Tensor) => (receivesParameters ? features : linear(features, parameters.context))
      /** Of components that stand at `places` of the parameter `inputs`: x [n, M] → E[x] [n, M, H]. */
      const embed = (parameters: Tensors, x: tf.Tensor, places: tf.Tensor): tf.Tensor =>
        isScaled ? tf.mul(tf.expandDims(scaledValues(x, domain), 2), places) : embedding(parameters.inputs, tf.add(x, places))
      /** Sums s [..., M, H] → the parameters of F [..., M, P]. */
      const outputOf = (sums: tf.Tensor, { bias, output, outputBias, through }: Tensors) => {
        const bent = tf.add(tf.matMul(tf.relu(tf.add(sums, bias)), output), outputBias)
        return through ? tf.add(bent, tf.matMul(sums, through)) : bent
      }
      const ofComponent = ['bias', 'output', 'outputBias', ...(isScaled ? ['through'] : [])]
      const logProbability = (parameters: Tensors, features: tf.Tensor, x: tf.Tensor): tf.Tensor => {
        const [batch, length] = x.shape as [number, number]
        const byComponent = tf.transpose(tf.reshape(x, [batch * length, C]))
        const context = tf.reshape(contextOf(parameters, features), [1, batch * length, H])
        const places = isScaled ? parameters.inputs : tf.tensor2d(Int32Array.from({ length: C - 1 }, (_, i) => i * values), [C - 1, 1], 'int32')
        const earlier = C === 1 ? [] : [embed(parameters, tf.slice(byComponent, [0, 0], [C - 1, batch * length]), places)]
        const sums = runningSum(tf.concat([context, ...earlier], 0))
        const each = inner.logProbability({}, outputOf(sums, parameters), tf.expandDims(byComponent, 2))
        return tf.reshape(tf.transpose(tf.squeeze(each, [2])), [batch, length, C])
      }
      return {
        uniformsPerComponent: inner.uniformsPerComponent,
        isTied: false,
        ...truncationsOf(inner),
        initialize(seed) {
          const normal = (name: string, shape: number[], deviation: number) => ({ [name]: normalInitial(seed, `head/${name}`, shape, deviation) })
          return {
            ...(!receivesParameters && normal('context', [W, H], 1 / Math.sqrt(W))),
            ...(C > 1 && normal('inputs', isScaled ? [C - 1, 1, H] : [(C - 1) * values, H], 1 / Math.sqrt(C))),
            ...normal('output', [C, H, P], 0.1 / Math.sqrt(H)),
            ...(isScaled && { through: constantInitial([C, H, P], 0) }),
            bias: constantInitial([C, 1, H], 0),
            outputBias: constantInitial([C, 1, P], 0),
          }
        },
        logProbability,
        draw(parameters, features, { uniforms, temperature, given, isGiven, filters }) {
          // The last component is read by none.
          const places = C === 1 ? tf.zeros([1, 1, 1]) : isScaled ? tf.pad(parameters.inputs, [[0, 1], [0, 0], [0, 0]]) : tf.tensor3d(Float32Array.from({ length: C }, (_, j) => Math.min(j, C - 2) * values), [C, 1, 1])
          const asNumbers = (tensor: tf.Tensor) => tf.cast(tensor, 'float32')
          const { outputs } = scan(
            ({ state: { sums }, inputs: { place, uniforms, given, ...weights } }) => {
              const request: DrawRequest = { uniforms, temperature, given: tf.cast(given, valueType(domain)), isGiven, ...(filters && { filters }) }
              const draw = inner.draw({}, outputOf(sums, weights), request)
              const read = C === 1 ? sums : embed(parameters, tf.transpose(draw.values), isScaled ? place : tf.cast(place, 'int32'))
              return { state: { sums: C === 1 ? sums : tf.add(sums, tf.squeeze(read, [0])) }, outputs: { values: asNumbers(draw.values), drawn: asNumbers(draw.drawn), distance: draw.distance } }
            },
            {
              state: { sums: contextOf(parameters, features) },
              inputs: {
                place: places,
                uniforms: tf.expandDims(tf.transpose(uniforms, [1, 0, 2]), 2),
                given: tf.expandDims(tf.transpose(asNumbers(given)), 2),
                ...Object.fromEntries(ofComponent.map((name) => [name, parameters[name]])),
              },
            },
          )
          const inRow = (tensor: tf.Tensor) => tf.cast(tf.transpose(tf.squeeze(tensor, [2])), valueType(domain))
          const kept = inRow(outputs.values)
          const nats = logProbability(parameters, tf.expandDims(features, 1), tf.expandDims(kept, 1))
          return { values: kept, drawn: inRow(outputs.drawn), distance: tf.max(outputs.distance, 0), logProbability: tf.sum(nats, [1, 2]) }
        },
      }
    },
  }
}
