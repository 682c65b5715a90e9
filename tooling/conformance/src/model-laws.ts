/**
 * The laws of a whole model: Σₓ p(x) = 1 over ALL x (with an end: over strings ended within N, and unended prefixes of N variables); untrained, its loss is about log V; a batch can be learned by heart;
 * its samples follow p(x) as a whole. Axes: B batch, N variables, C components, V values.
 */
import { isReal, type ParameterArrays, valueCount } from '@chainrule/core'
import { type Model, negativeLogLikelihood } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { type Fit, goodnessOfFit } from './chi-square.js'
import { integratesToOne } from './density-laws.js'
import { eagerSampler, type Sampler } from './eager-sampler.js'
import { allTuples, isPossible, randomRows } from './enumeration.js'
import { falseAlarm } from './head-laws.js'
import { asTensors, numbersOf, shaken } from './parameters.js'
import { demand } from './violation.js'

export interface ModelLawOptions {
  /** N, for a domain of variable length (4). */
  readonly length?: number
  readonly seed?: number
}

const nameOf = ({ network, head, order }: Model) => `model ${network.name} ${JSON.stringify(network.options)}, head ${head.name}, order ${order.name}`
const lengthOf = ({ domain }: Model, length = 4) => (domain.length === 'variable' ? length : domain.length)

/** p(x) of all x, in the order of `allTuples(V, N·C)`; 0 for what goes on after its end. Of a variable length: all prefixes of N variables. */
export function jointProbabilities(model: Model, parameters: ParameterArrays, length?: number): Float64Array {
  const { components: C } = model.domain
  const N = lengthOf(model, length)
  const tuples = allTuples(valueCount(model.domain, nameOf(model)), N * C)
  const nats = numbersOf(() => tf.sum(model.logProbability(asTensors(parameters), tf.tensor(tuples, [tuples.length / (N * C), N, C], 'int32')), 1))
  return Float64Array.from(nats, (value, which) => (isPossible(tuples.subarray(which * N * C, (which + 1) * N * C), model.domain) ? Math.exp(value) : 0))
}

/** Σₓ p(x) = 1 (± 1e-4: float32). @throws {LawViolation} */
export function sumsToOne(model: Model, parameters: ParameterArrays, length?: number): void {
  const p = jointProbabilities(model, parameters, length)
  const total = p.reduce((sum, value) => sum + value, 0)
  demand(nameOf(model), Math.abs(total - 1) <= 1e-4, () => `Σ p(x) over all ${p.length} x is ${total}, expected 1.`)
}

/** The loss of fresh parameters on uniform noise is log V, within 10 %. @throws {LawViolation} */
export function startsUniform(model: Model, { length = 4, seed = 1 }: ModelLawOptions = {}): void {
  const { components: C } = model.domain
  const V = valueCount(model.domain, nameOf(model))
  const [B, N] = [64, lengthOf(model, length)]
  const x = randomRows(seed, { ...model.domain, values: V }, B, N)
  const [loss] = numbersOf(() => negativeLogLikelihood(model, asTensors(model.initialize(seed)), tf.tensor(x, [B, N, C], 'int32')))
  const { end } = model.domain
  const certain = end === undefined ? 0 : x.filter((_, i) => i % N > 0 && x[i - 1] === end).length
  const expected = C * Math.log(V) * (1 - certain / (B * N))
  demand(nameOf(model), Math.abs(loss - expected) <= 0.1 * expected, () => `untrained, its loss is ${loss} nats a variable, expected about log V = ${expected}.`)
}

export interface OverfittingOptions extends ModelLawOptions {
  /** Different examples to learn by heart (4). */
  readonly examples?: number
  /** Steps of Adam (200). */
  readonly steps?: number
  /** Of the first step; it falls linearly to 0 (0.02). */
  readonly learningRate?: number
  /** How near the loss must come to the least possible, in nats a variable (0.05). */
  readonly margin?: number
}

/**
 * A few examples can be learned by heart: plain Adam (Kingma, Ba 2015, arXiv 1412.6980) brings the loss down to the least
 * that can be reached with what each variable may read, the empirical conditional entropies.
 * @returns the loss reached, in nats a variable
 * @throws {LawViolation}
 */
export function overfitsOneBatch(model: Model, options: OverfittingOptions = {}): number {
  const { length = 4, seed = 1, examples: B = 4, steps = 200, learningRate = 0.02, margin = 0.05 } = options
  const { components: C } = model.domain
  const N = lengthOf(model, length)
  const values = randomRows(seed + 3, { ...model.domain, values: valueCount(model.domain, nameOf(model)) }, B, N)
  const least = leastLoss(values, B, N, C, model.boundNetwork.dependencies)
  const law = nameOf(model)
  const initial = model.initialize(seed)
  const names = Object.keys(initial)
  const x = tf.tensor(values, [B, N, C], 'int32')
  let weights = names.map((name) => tf.tensor(initial[name].data.slice(), [...initial[name].shape]))
  let means = weights.map((weight) => tf.zerosLike(weight))
  let squares = weights.map((weight) => tf.zerosLike(weight))
  const gradients = tf.valueAndGrads((...tensors: tf.Tensor[]) => negativeLogLikelihood(model, Object.fromEntries(tensors.map((tensor, i) => [names[i], tensor])), x) as tf.Scalar)
  let loss = Infinity
  for (let step = 1; step <= steps; step++) {
    const old = [...weights, ...means, ...squares]
    const [newWeights, newMeans, newSquares, value] = tf.tidy(() => {
      const { value, grads } = gradients(weights)
      const m = means.map((mean, i) => tf.add(tf.mul(mean, 0.9), tf.mul(grads[i], 0.1)))
      const s = squares.map((square, i) => tf.add(tf.mul(square, 0.999), tf.mul(tf.square(grads[i]), 0.001)))
      // The rate falls to zero, so that the last step is not a spike of so small a model.
      const rate = (learningRate * (1 - step / steps) * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step)
      const w = weights.map((weight, i) => tf.sub(weight, tf.div(tf.mul(m[i], rate), tf.add(tf.sqrt(s[i]), 1e-8))))
      return [w, m, s, value] as const
    })
    loss = value.dataSync()[0]
    tf.dispose([...old, value])
    weights = newWeights
    means = newMeans
    squares = newSquares
  }
  tf.dispose([x, ...weights, ...means, ...squares])
  demand(law, loss >= least - 1e-3, () => `its loss of ${loss} nats a variable is below the least possible, ${least}: it sees what it must not.`)
  demand(law, loss <= least + margin, () => `after ${steps} steps on ${B} examples its loss is ${loss} nats a variable, expected ${least} to ${least + margin}.`)
  return loss
}

/** Σ over variables of the empirical entropy given what each depends on, divided by N: the least loss on these examples. */
function leastLoss(values: Int32Array, B: number, N: number, C: number, dependencies: (position: number) => readonly number[]): number {
  const at = (b: number, position: number) => values.subarray((b * N + position) * C, (b * N + position + 1) * C).join()
  let nats = 0
  for (let p = 0; p < N; p++) {
    const contexts = Array.from({ length: B }, (_, b) => dependencies(p).map((q) => at(b, q)).join(';'))
    for (let b = 0; b < B; b++) {
      const sameContext = contexts.flatMap((context, other) => (context === contexts[b] ? [other] : []))
      nats -= Math.log(sameContext.filter((other) => at(other, p) === at(b, p)).length / sameContext.length) / B
    }
  }
  return nats / N
}

export interface SampleLawOptions extends ModelLawOptions {
  /** Samples drawn (4 000). */
  readonly count?: number
  readonly temperature?: number
  /** The eager sampler where absent. */
  readonly sampler?: Sampler
}

/** How well whole samples agree with p(x) over all x, by χ². */
export async function sampleFit(model: Model, parameters: ParameterArrays, options: SampleLawOptions = {}): Promise<Fit> {
  const { length, seed = 1, count = 4_000, temperature = 1, sampler = eagerSampler(model, parameters) } = options
  const { components: C } = model.domain
  const V = valueCount(model.domain, nameOf(model))
  const N = lengthOf(model, length)
  const p = jointProbabilities(model, parameters, N)
  const { values } = await sampler({ count, length: N, seed, temperature })
  const counts = new Float64Array(p.length)
  for (let sample = 0; sample < count; sample++) counts[Array.from(values.subarray(sample * N * C, (sample + 1) * N * C)).reduce((cell, value) => cell * V + value, 0)]++
  return goodnessOfFit(counts, p)
}

/** Whole samples follow p(x): a correct sampler fails once in 10⁶ seeds. @throws {LawViolation} */
export async function samplesFollowModel(model: Model, parameters: ParameterArrays, options: SampleLawOptions = {}): Promise<void> {
  const fit = await sampleFit(model, parameters, options)
  demand(nameOf(model), fit.probability >= falseAlarm, () => `its samples do not follow p(x): χ² = ${fit.statistic} with ${fit.freedom} degrees of freedom, p-value ${fit.probability}.`)
}

/** The laws of a model with one call, at random parameters; `overfitsOneBatch` takes longer and stands apart. @throws {LawViolation} */
export async function modelLaws(model: Model, options: SampleLawOptions = {}): Promise<void> {
  const { length, seed = 1 } = options
  if (isReal(model.domain)) return integratesToOne(model, shaken(model.initialize(seed), seed, 0.3), { length, seed })
  const parameters = shaken(model.initialize(seed), seed, 1)
  sumsToOne(model, parameters, length)
  startsUniform(model, options)
  await samplesFollowModel(model, parameters, options)
}
