/**
 * The laws of real values, where nothing can be enumerated and integrals take the place of sums:
 *
 *   head    ∫ p(xⱼ | x_<j) dxⱼ = 1 for every component;  what is drawn is F⁻¹(u): the CDF made of the density is u at the value drawn, and at
 *           temperature 1.05 it is not;  what was drawn has distance 0, what is given stays and has the density of p
 *   model   ∫ p(x_π(i) | x_π(<i)) dx_π(i) = 1 for every variable, the earlier ones at random
 *
 * A correct head never fails: nothing here is left to chance. Axes: B draws, C components, K uniforms, W width, G points.
 */
import { emptyValues, type ParameterArrays, uniform } from '@chainrule/core'
import type { BoundHead, Draw, Head, Model } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { randomNumbers } from './enumeration.js'
import type { HeadLawOptions } from './head-laws.js'
import { asTensors, numbersOf, shaken } from './parameters.js'
import { demand, demandClose } from './violation.js'

/** Of integrals, and of a CDF against its uniform; at temperature 1.05 a Gaussian's is off by up to 6 × 10⁻³. */
const tolerance = 1e-3
/** Densities are looked at in (−reach, reach). */
const reach = 14
/** Points of an integral from one end of that to a value; odd, for Simpson's rule. */
const points = 401

interface Subject {
  readonly law: string
  readonly head: BoundHead
  readonly parameters: ParameterArrays
  /** [W] */
  readonly features: Float32Array
  readonly components: number
  readonly seed: number
}

/** @throws {LawViolation} */
export function densityHeadLaws(head: Head, { domain, width = 8, receivesParameters = false, seed = 1 }: HeadLawOptions): void {
  const W = receivesParameters ? head.parametersPerVariable(domain) : width
  const bound = head.bind({ domain, width: W, receivesParameters })
  const subject: Subject = {
    law: `head ${head.name} ${JSON.stringify(head.options)}${receivesParameters ? ', parameters received' : ''}`,
    head: bound,
    parameters: shaken(bound.initialize(seed), seed, 0.4),
    features: randomNumbers(seed, receivesParameters ? 0.6 : 1.5 / Math.sqrt(W), W, 7),
    components: domain.components,
    seed,
  }
  const { law } = subject
  const drawn = drawRows(subject, 1)
  const { totals, farthest } = againstCdf(subject, drawn)
  demand(law, totals.every((total) => Math.abs(total - 1) <= tolerance), () => `the integral of p over a component is ${totals.find((total) => !(Math.abs(total - 1) <= tolerance))}, expected 1.`)
  demand(law, farthest <= tolerance, () => `a value drawn lies ${farthest} from where the CDF is its uniform, at most ${tolerance} is allowed.`)
  const control = againstCdf(subject, drawRows(subject, 1.05)).farthest
  demand(law, control > tolerance, () => `control: draws at temperature 1.05 pass for temperature 1 (${control}). Is temperature ignored?`)

  demand(law, drawn.values.every((value, i) => value === drawn.drawn[i]), () => 'nothing is given, yet the values kept are not those drawn.')
  demand(law, drawn.distance.every((distance) => distance === 0), () => `a value that the uniforms picked has a distance of ${Math.max(...drawn.distance)}, expected 0.`)
  const given = randomNumbers(seed, 2, drawn.values.length, 5)
  const forced = drawRows(subject, 0.7, given)
  demand(law, forced.values.every((value, i) => value === given[i]), () => 'a given value did not stay.')
  demand(law, forced.distance.every((distance) => distance > 1e-5), () => 'a value given at random has hardly any distance from what the uniforms pick.')
  for (const each of [drawn, forced]) demandClose(law, each.logProbability, logDensities(subject, each.values).map(sum), 1e-4, 'log-probability of a draw')
}

const count = 8
type Rows = Readonly<Record<'values' | 'drawn' | 'distance' | 'logProbability', Float32Array>>
const sum = (numbers: ArrayLike<number>) => Array.from(numbers).reduce((total, number) => total + number, 0)

const uniformAt = ({ seed, components: C, head: { uniformsPerComponent: K } }: Subject, i: number) => uniform(seed, 'sampling', Math.floor(i / (C * K)), 0, Math.floor(i / K) % C, i % K)

function drawRows(subject: Subject, temperature: number, given?: Float32Array): Rows {
  const { head, parameters, features, components: C } = subject
  const K = head.uniformsPerComponent
  return tf.tidy(() => {
    const draw: Draw = head.draw(asTensors(parameters), tf.tile(tf.tensor2d(features, [1, features.length]), [count, 1]), {
      uniforms: tf.tensor(Float32Array.from({ length: count * C * K }, (_, i) => uniformAt(subject, i)), [count, C, K]),
      temperature: tf.tensor1d([temperature]),
      given: tf.tensor(given ?? new Float32Array(count * C), [count, C]),
      isGiven: tf.tensor(new Uint8Array(count).fill(given ? 1 : 0), [count], 'bool'),
    })
    const [values, drawn, distance, logProbability] = [draw.values, draw.drawn, draw.distance, draw.logProbability].map((tensor) => tensor.dataSync<'float32'>().slice())
    return { values, drawn, distance, logProbability }
  })
}

/** x [rows, C] → log p of each component given those before it, for each row. */
function logDensities({ head, parameters, features, components: C }: Subject, x: Float32Array): Float32Array[] {
  const rows = x.length / C
  const all = numbersOf(() => head.logProbability(asTensors(parameters), tf.tile(tf.tensor3d(features, [1, 1, features.length]), [rows, 1, 1]), tf.tensor3d(x, [rows, 1, C]))) as Float32Array
  return Array.from({ length: rows }, (_, row) => all.subarray(row * C, (row + 1) * C))
}

/** For each component of each row: the integral of its density over all, and how far the CDF at its value is from its uniform (the largest). */
function againstCdf(subject: Subject, { values }: Rows): { totals: number[]; farthest: number } {
  const { components: C } = subject
  const totals: number[] = []
  let farthest = 0
  for (let i = 0; i < values.length; i++) {
    const row = values.subarray(Math.floor(i / C) * C, (Math.floor(i / C) + 1) * C)
    const integral = (from: number, to: number) => {
      const step = (to - from) / (points - 1)
      const x = Float32Array.from({ length: points * C }, (_, at) => (at % C === i % C ? from + Math.floor(at / C) * step : row[at % C]))
      return (step / 3) * sum(logDensities(subject, x).map((log, at) => Math.exp(log[i % C]) * (at === 0 || at === points - 1 ? 1 : at % 2 ? 4 : 2)))
    }
    const below = integral(-reach, values[i])
    totals.push(below + integral(values[i], reach))
    farthest = Math.max(farthest, Math.abs(below - uniformAt(subject, i * subject.head.uniformsPerComponent)))
  }
  return { totals, farthest }
}

/**
 * The integral of every variable's density is 1, given random values of the ones before it; of one or two components.
 * @throws {LawViolation}
 */
export function integratesToOne(model: Model, parameters: ParameterArrays, { length = 4, seed = 1 }: { length?: number; seed?: number } = {}): void {
  const { domain, network, head, order } = model
  const { components: C } = domain
  const N = domain.length === 'variable' ? length : domain.length
  // For Gaussians not narrower than a step, a sum over an even grid is the integral.
  const [G, reach] = C === 1 ? [401, 8] : [81, 7]
  const rows = G ** C
  const step = (2 * reach) / G
  for (let position = 0; position < N; position++) {
    const base = randomNumbers(seed, 1.2, N * C, position)
    const x = emptyValues(domain, rows * N * C)
    for (let row = 0; row < rows; row++) {
      x.set(base, row * N * C)
      for (let c = 0, rest = row; c < C; c++, rest = Math.floor(rest / G)) x[(row * N + position) * C + c] = ((rest % G) + 0.5) * step - reach
    }
    const logs = numbersOf(() => tf.slice(model.logProbability(asTensors(parameters), tf.tensor(x, [rows, N, C])), [0, position], [rows, 1]))
    const total = step ** C * sum(Array.from(logs, Math.exp))
    demand(`model ${network.name} ${JSON.stringify(network.options)}, head ${head.name}, order ${order.name}`, Math.abs(total - 1) <= tolerance, () => `the integral of p over the variable at ${position} is ${total}, expected 1.`)
  }
}
