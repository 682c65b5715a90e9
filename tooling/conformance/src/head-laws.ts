/**
 * The laws of a discrete head, on one variable whose values can all be enumerated:
 *
 *   Σᵥ p(v) = 1;  the sampler's frequencies agree with p (χ²), at temperature 1 and others;  the test has the power to see
 *   a temperature of 1.05;  with sampling filters, where the head knows them, frequencies agree with the definition, and no value
 *   outside the set is drawn;  what was drawn has distance 0, what is given stays and has the probability of p.
 *
 * Real values have laws of their own: density-laws.ts.
 *
 * False alarm: each χ² below fails a correct head once in 10⁶ seeds; seeds are fixed. Axes: B draws, C components, K uniforms, V values, W width.
 */
import { countParameters, type Domain, isReal, noSamplingFilters, type ParameterArrays, type SamplingFilters, uniform, valueCount } from '@chainrule/core'
import type { BoundHead, Draw, DrawFilters, Head } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { goodnessOfFit } from './chi-square.js'
import { densityHeadLaws } from './density-laws.js'
import { allTuples, randomNumbers, randomValues } from './enumeration.js'
import { filteredDistribution, type FilterSettings } from './filtered-distribution.js'
import { asTensors, numbersOf, shaken } from './parameters.js'
import { demand, demandClose } from './violation.js'

export interface HeadLawOptions {
  readonly domain: Domain
  /** W (8), where the head projects. */
  readonly width?: number
  /** True: the features are the distribution's parameters (false). */
  readonly receivesParameters?: boolean
  readonly seed?: number
  /** B of each χ² (60 000). */
  readonly draws?: number
}

/** A correct sampler is accused this often. */
export const falseAlarm = 1e-6
/** Size of the logits: far enough apart that a change of temperature shows. */
const spread = 2.5

/** Of log p under p. A change of temperature shows in proportion to it. */
function variance(logProbabilities: ArrayLike<number>): number {
  const logs = Array.from(logProbabilities)
  const mean = logs.reduce((sum, log) => sum + Math.exp(log) * log, 0)
  return logs.reduce((sum, log) => sum + Math.exp(log) * (log - mean) ** 2, 0)
}

/** @throws {LawViolation} */
export function headLaws(head: Head, options: HeadLawOptions): void {
  const { domain, width = 8, receivesParameters = false, seed = 1, draws = 60_000 } = options
  const law = `head ${head.name} ${JSON.stringify(head.options)}${receivesParameters ? ', parameters received' : ''}`
  if (isReal(domain)) return densityHeadLaws(head, options)
  const { components: C } = domain
  const V = valueCount(domain, law)
  const W = receivesParameters ? head.parametersPerVariable(domain) : width
  const bound = head.bind({ domain, width: W, receivesParameters })
  const own = shaken(bound.initialize(seed), seed, 1)
  const parameters: ParameterArrays = bound.isTied ? { ...own, embedding: { shape: [V + 1, W], data: randomNumbers(seed, 1, (V + 1) * W, 99) } } : own
  if (receivesParameters) {
    const projecting = countParameters(head.bind({ domain, width: W, receivesParameters: false }).initialize(seed))
    demand(law, countParameters(own) < projecting, () => `it receives its parameters, yet has as many of its own (${countParameters(own)}) as with a projection.`)
  }

  const tuples = allTuples(V, C)
  const cells = tuples.length / C
  const many = (features: Float32Array) => (count: number) => tf.tile(tf.tensor2d(features, [1, W]), [count, 1])
  const logProbabilitiesOf = (features: Float32Array) =>
    numbersOf(() => tf.sum(bound.logProbability(asTensors(parameters), tf.expandDims(many(features)(cells), 1), tf.tensor(tuples, [cells, 1, C], 'int32')), [1, 2]))
  const candidates = Array.from({ length: 12 }, (_, which) => randomNumbers(seed, receivesParameters ? spread : (2 * spread) / Math.sqrt(W), W, 7 + which))
  const telling = candidates.map((features) => variance(logProbabilitiesOf(features)))
  const features = candidates[telling.indexOf(Math.max(...telling))]
  const repeat = many(features)
  const logProbabilities = logProbabilitiesOf(features)
  const p = Float64Array.from(logProbabilities, Math.exp)
  const total = p.reduce((sum, value) => sum + value, 0)
  demand(law, Math.abs(total - 1) <= 1e-5, () => `Σ p(v) over all ${cells} values is ${total}, expected 1.`)

  const cellOf = (values: ArrayLike<number>, row: number) => {
    let cell = 0
    for (let c = 0; c < C; c++) cell = cell * V + values[row * C + c]
    return cell
  }
  const fitAt = (temperature: number, expected: ArrayLike<number>, stream: number) => {
    const { values } = drawMany(bound, parameters, repeat, { draws, C, seed: seed + stream, temperature })
    const counts = new Float64Array(cells)
    for (let row = 0; row < draws; row++) counts[cellOf(values, row)]++
    return goodnessOfFit(counts, expected)
  }
  const agreement = fitAt(1, p, 0)
  demand(law, agreement.probability >= falseAlarm, () => `its samples do not follow p: χ² = ${agreement.statistic} with ${agreement.freedom} degrees of freedom, p-value ${agreement.probability}.`)
  const control = fitAt(1.05, p, 1)
  demand(law, control.probability < falseAlarm, () => `control: samples at temperature 1.05 pass for temperature 1 (p-value ${control.probability}). Either temperature is ignored, or more draws are needed.`)
  const ofComponents = numbersOf(() => bound.logProbability(asTensors(parameters), tf.expandDims(repeat(cells), 1), tf.tensor(tuples, [cells, 1, C], 'int32')))
  const narrowed = (settings: FilterSettings) => narrowedEach(ofComponents, V, C, settings)
  for (const temperature of [0.5, 1.5]) {
    const fit = fitAt(temperature, narrowed({ temperature }), 2)
    demand(law, fit.probability >= falseAlarm, () => `at temperature ${temperature} its samples do not follow p^(1/${temperature}) of each component given the ones before it: p-value ${fit.probability}.`)
  }
  if (bound.samplingFilters) filterLaws(law, bound, parameters, repeat, { draws: Math.ceil(draws / 10), seed, V, C, cells, cellOf, narrowed })
  drawLaws(law, bound, parameters, repeat, { seed, C, V, p, cellOf })
}

interface Numbers {
  readonly values: Int32Array
  readonly drawn: Int32Array
  readonly distance: Float32Array
  readonly logProbability: Float32Array
  readonly logProbabilities?: Float32Array
}

/** The distribution of all tuples where each component's, given the ones before it, is narrowed. @param logs log p of each component of each tuple, [V^C, C] */
function narrowedEach(logs: ArrayLike<number>, V: number, C: number, settings: FilterSettings): Float64Array {
  const p = new Float64Array(V ** C).fill(1)
  for (let c = 0; c < C; c++) {
    const below = V ** (C - 1 - c)
    for (let prefix = 0; prefix < V ** c; prefix++) {
      const own = filteredDistribution(Array.from({ length: V }, (_, v) => logs[(prefix * V + v) * below * C + c]), settings)
      for (let cell = prefix * V * below; cell < (prefix + 1) * V * below; cell++) p[cell] *= own[Math.floor(cell / below) % V]
    }
  }
  return p
}

/** Filters need no logits but for the penalty, of which the law is: what did not occur keeps its odds, what did loses. */
function filterLaws(
  law: string,
  head: BoundHead,
  parameters: ParameterArrays,
  repeat: (count: number) => tf.Tensor,
  { draws, seed, V, C, cells, cellOf, narrowed }: { draws: number; seed: number; V: number; C: number; cells: number; cellOf: (values: ArrayLike<number>, row: number) => number; narrowed: (settings: FilterSettings) => Float64Array },
): void {
  const countsOf = (settings: { temperature?: number; filters: SamplingFilters; seen?: Uint8Array }) => {
    const counts = new Float64Array(cells)
    const { values } = drawMany(head, parameters, repeat, { draws, C, seed: seed + 3, temperature: 1, ...settings })
    for (let row = 0; row < draws; row++) counts[cellOf(values, row)]++
    return counts
  }
  const all: SamplingFilters[] = [{ topK: 1 }, { topK: 2 }, { topP: 0.3 }, { topP: 0.8 }, { minP: 0.2 }, { topK: V, topP: 0.9, minP: 0.02 }]
  const temperature = 0.7
  for (const filters of all) {
    const fit = goodnessOfFit(countsOf({ temperature, filters }), narrowed({ temperature, ...filters }))
    demand(law, fit.probability >= falseAlarm, () => `with ${JSON.stringify(filters)} at temperature ${temperature} its samples do not follow the truncated distribution: χ² = ${fit.statistic}, p-value ${fit.probability}.`)
  }
  if (!head.samplingFilters!.includes('repetitionPenalty')) return
  const p = narrowed({})
  const likeliest = p.indexOf(Math.max(...p))
  const seen = Uint8Array.from({ length: V }, (_, v) => (v === likeliest ? 1 : 0))
  const counts = countsOf({ filters: { repetitionPenalty: 1.7 }, seen })
  const others = (list: Float64Array) => list.filter((_, v) => v !== likeliest)
  const rest = goodnessOfFit(others(counts), others(p).map((value) => value / (1 - p[likeliest])))
  demand(law, rest.probability >= falseAlarm, () => `a repetition penalty changes the odds of values that did not occur: p-value ${rest.probability}.`)
  demand(law, goodnessOfFit(counts, p).probability < falseAlarm && counts[likeliest] < draws * p[likeliest], () => `a repetition penalty of 1.7 does not make value ${likeliest}, which occurred, less likely.`)
  demand(law, goodnessOfFit(countsOf({ filters: {}, seen }), p).probability >= falseAlarm, () => 'a repetition penalty of 1 changes what is drawn.')
}

interface DrawOptions {
  readonly draws: number
  readonly C: number
  readonly seed: number
  readonly temperature: number
  readonly given?: Int32Array
  /** None where the head knows none. */
  readonly filters?: SamplingFilters
  /** [V], 1: the value occurred before. */
  readonly seen?: Uint8Array
}

function drawMany(head: BoundHead, parameters: ParameterArrays, repeat: (count: number) => tf.Tensor, { draws, C, seed, temperature, given, filters, seen }: DrawOptions): Numbers {
  const K = head.uniformsPerComponent
  const uniforms = Float32Array.from({ length: draws * C * K }, (_, i) => uniform(seed, 'sampling', Math.floor(i / (C * K)), 0, Math.floor(i / K) % C, i % K))
  return tf.tidy(() => {
    const draw: Draw = head.draw(asTensors(parameters), repeat(draws), {
      uniforms: tf.tensor(uniforms, [draws, C, K]),
      temperature: tf.tensor1d([temperature]),
      given: tf.tensor(given ?? new Int32Array(draws * C), [draws, C], 'int32'),
      isGiven: tf.tensor(new Uint8Array(draws).fill(given ? 1 : 0), [draws], 'bool'),
      ...(filters && { filters: filterTensors(filters, draws, seen) }),
    })
    return {
      values: draw.values.dataSync<'int32'>().slice(),
      drawn: draw.drawn.dataSync<'int32'>().slice(),
      distance: draw.distance.dataSync<'float32'>().slice(),
      logProbability: draw.logProbability.dataSync<'float32'>().slice(),
      logProbabilities: draw.logProbabilities?.dataSync<'float32'>().slice(),
    }
  })
}

function filterTensors(filters: SamplingFilters, draws: number, seen: Uint8Array | undefined): DrawFilters {
  const { topK, topP, minP, repetitionPenalty } = { ...noSamplingFilters, ...filters }
  const truncating = { topK: tf.tensor1d([topK], 'int32'), topP: tf.tensor1d([topP]), minP: tf.tensor1d([minP]) }
  return seen ? { ...truncating, repetitionPenalty: tf.tensor1d([repetitionPenalty]), seen: tf.tile(tf.tensor(seen, [1, seen.length], 'bool'), [draws, 1]) } : truncating
}

function drawLaws(
  law: string,
  head: BoundHead,
  parameters: ParameterArrays,
  repeat: (count: number) => tf.Tensor,
  { seed, C, V, p, cellOf }: { seed: number; C: number; V: number; p: Float64Array; cellOf: (values: ArrayLike<number>, row: number) => number },
): void {
  const draws = 500
  const logOf = (values: ArrayLike<number>) => Float64Array.from({ length: draws }, (_, row) => Math.log(p[cellOf(values, row)]))
  // Temperature changes what is drawn, never the probability that is reported.
  for (const temperature of [1, 0.7]) {
    const free = drawMany(head, parameters, repeat, { draws, C, seed, temperature })
    demand(law, free.values.every((value, i) => value === free.drawn[i]), () => 'nothing is given, yet the values kept are not those drawn.')
    demand(law, free.values.every((value) => value >= 0 && value < V), () => `a value is outside 0 … ${V - 1}.`)
    demand(law, free.distance.every((distance) => distance === 0), () => `a value that the uniforms picked has a distance of ${Math.max(...free.distance)}, expected 0.`)
    demandClose(law, free.logProbability, logOf(free.values), 1e-4, 'log-probability of a draw')

    const given = randomValues(seed, V, draws * C)
    const forced = drawMany(head, parameters, repeat, { draws, C, seed, temperature, given })
    demand(law, forced.values.every((value, i) => value === given[i]), () => 'a given value did not stay.')
    if (C === 1) {
      demand(law, forced.drawn.every((value, i) => value === free.drawn[i]), () => 'drawn changes with the value given; it is what the uniforms pick.')
      forced.distance.forEach((distance, row) => {
        const isOwn = given[row] === forced.drawn[row]
        demand(law, isOwn ? distance === 0 : distance > 0 || p[given[row]] < 1e-6, () => `given ${given[row]}, drawn ${forced.drawn[row]}: the distance is ${distance}.`)
      })
    }
    demandClose(law, forced.logProbability, logOf(given), 1e-4, 'log-probability of a given value')
    if (free.logProbabilities) {
      demand(law, C === 1 && free.logProbabilities.length === draws * V, () => `logProbabilities has ${free.logProbabilities!.length} numbers, expected ${draws} × ${V}.`)
      const expected = Float64Array.from({ length: draws * V }, (_, i) => Math.log(p[i % V]))
      demandClose(law, free.logProbabilities, expected, 1e-4, 'logProbabilities')
    }
  }
}
