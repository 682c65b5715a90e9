/**
 * A mixture of K discretised logistics, p(x) = Σₖ πₖ pₖ(x): its probability, and one draw from the same p.
 *
 * The running sum F(x) = Σₖ πₖ σ((x + ½ − μₖ) tₖ) is known without the probabilities; what is drawn is the first x with F(x) > u. Up to 1024 values
 * it is taken of all; with a temperature or filters, those of any discrete distribution, the table of all probabilities is made and summed.
 * Beyond, x is found 256 values at a time; a temperature T then acts on the parameters, logits/T and scales × T, and there are no filters.
 *
 * An `end` is no level of the scale: it has a logit e of its own, and the mixture speaks of the L = V − 1 levels below it,
 *
 *   p(end) = σ(e),   p(x) = (1 − σ(e)) Σₖ πₖ pₖ(x),   F(x) as above times 1 − σ(e), and 1 at the end
 *
 * Axes: B batch, K logistics, L levels, V values (the levels, and the end where there is one), S values looked at in one stage of the search.
 */
import * as tf from '@tensorflow/tfjs-core'
import { conditional } from '../conditional.js'
import { truncations } from '../../sampling-filters.js'
import type { Draw, DrawRequest } from '../head.js'
import { discretizedLogistic } from '../primitives/discretized-logistic.js'
import { logSumExp } from '../primitives/log-sum-exp.js'
import { isUnchanged, sampledDistribution } from './filters.js'
import { drawByCumulative } from './inverse-cdf.js'

/** Each [..., K]. */
export interface LogisticMixture {
  readonly logits: tf.Tensor
  /** In levels: 0 … L−1. */
  readonly mean: tf.Tensor
  /** log 1/scale, in levels. */
  readonly logRate: tf.Tensor
  /** e [..., 1], where the value after the levels is an end. */
  readonly endLogit?: tf.Tensor
}

/** The most values whose probabilities are tabled for a draw. */
export const largestTable = 1024
/** What a mixture over so many values knows of filters: there is no table of its probabilities beyond `largestTable`. */
export const filtersOf = (values: number) => (values <= largestTable ? { samplingFilters: truncations } : {})
/** The most levels for which x ± ½, u and F leave float32 room enough. */
export const mostLevels = 65_536
/** The smallest scale is 1/32 of a value: a logistic on a value gives it all but 10⁻⁷. */
const highestLogRate = Math.log(32)
/** The largest scale, 10¹⁷ values: nothing but the two ends is left, and no gradient of a smaller rate is 0/0. */
const lowestLogRate = -40
const stage = 256

/**
 * The logistics of raw parameters, which are 0 at a fresh start: means in units of half the range around `centers` (−1 … 1), scales
 * e^raw times `spread`.
 */
export function logistics(rawMean: tf.Tensor, rawLogScale: tf.Tensor, { centers, spread, levels }: { centers: readonly number[]; spread: number; levels: number }): Pick<LogisticMixture, 'mean' | 'logRate'> {
  const half = (levels - 1) / 2
  const mean = tf.mul(tf.add(rawMean, tf.tensor1d(centers.map((center) => 1 + center))), half)
  return { mean, logRate: tf.maximum(tf.minimum(tf.sub(-Math.log(half * spread), rawLogScale), highestLogRate), lowestLogRate) }
}

/** log πₖ pₖ(x) of levels, but for the sum over the logits: x [..., 1] int32 → [..., K]. As logits, those of the mixture given x. */
export const weighted = ({ logits, mean, logRate }: LogisticMixture, x: tf.Tensor, levels: number) => tf.add(logits, discretizedLogistic(x, mean, logRate, levels))

const levelsOf = ({ endLogit }: LogisticMixture, values: number) => (endLogit ? values - 1 : values)

/** x [..., 1] int32 → log p(x) [...]. */
export function mixtureLogProbability(mixture: LogisticMixture, x: tf.Tensor, values: number): tf.Tensor {
  const levels = levelsOf(mixture, values)
  const ofLevel = tf.sub(logSumExp(weighted(mixture, x, levels)), logSumExp(mixture.logits))
  if (!mixture.endLogit) return ofLevel
  const withoutLast = (tensor: tf.Tensor) => tf.squeeze(tensor, [tensor.rank - 1])
  const logit = withoutLast(mixture.endLogit)
  return tf.where(tf.equal(withoutLast(x), tf.scalar(levels, 'int32')), tf.neg(tf.softplus(tf.neg(logit))), tf.sub(ofLevel, tf.softplus(logit)))
}

/** One value from a mixture [B, K], by one uniform. */
export function drawFromMixture(mixture: LogisticMixture, request: DrawRequest, values: number): Draw {
  return values <= largestTable ? drawFromTable(mixture, request, values) : drawBySearch(mixture, request, values)
}

const numbers = (count: number, stride = 1, first = 0) => tf.tensor2d(Int32Array.from({ length: count }, (_, i) => first + i * stride), [1, count], 'int32')

/** x [B or 1, S] → F(x) [B, S]; 0 before the first value and 1 at the last, whatever the rounding of the sum. Logistics are the rows, for speed. */
function cumulativeOf(mixture: LogisticMixture, temperature: tf.Tensor | undefined, V: number): (x: tf.Tensor) => tf.Tensor {
  const { logits, mean, logRate, endLogit } = mixture
  const warm = (tensor: tf.Tensor) => (temperature ? tf.div(tensor, temperature) : tensor)
  const weights = tf.expandDims(tf.softmax(warm(logits)), 1)
  const [means, rates] = [mean, warm(tf.exp(logRate))].map((tensor) => tf.expandDims(tensor, 2))
  const goesOn = endLogit && tf.sigmoid(tf.neg(warm(endLogit)))
  return (x) => {
    const isAtLeast = (value: number) => tf.cast(tf.greaterEqual(x, tf.scalar(value, 'int32')), 'float32')
    const inside = tf.sigmoid(tf.mul(tf.sub(tf.expandDims(tf.add(tf.cast(x, 'float32'), 0.5), 1), means), rates))
    const ofLevels = tf.maximum(tf.mul(tf.squeeze(tf.matMul(weights, inside), [1]), isAtLeast(0)), isAtLeast(levelsOf(mixture, V) - 1))
    return goesOn ? tf.maximum(tf.mul(ofLevels, goesOn), isAtLeast(V - 1)) : ofLevels
  }
}

function drawFromTable(mixture: LogisticMixture, request: DrawRequest, V: number): Draw {
  const { logits, mean, logRate, endLogit } = mixture
  const between = { logits: tf.expandDims(logits, 1), mean: tf.expandDims(mean, 1), logRate: tf.expandDims(logRate, 1), ...(endLogit && { endLogit: tf.expandDims(endLogit, 1) }) }
  const table = () => mixtureLogProbability(between, tf.expandDims(numbers(V), 2), V)
  const batch = mean.shape[0]!
  // Two results in one: the running sum, and which values can be drawn.
  const both = conditional(
    isUnchanged(request),
    () => tf.concat([cumulativeOf(mixture, undefined, V)(numbers(V)), tf.ones([batch, V])], 1),
    () => {
      const probabilities = sampledDistribution(table(), request)
      return tf.concat([tf.cumsum(probabilities, 1), probabilities], 1)
    },
  )
  const [cumulative, isPossible] = tf.split(both, 2, 1)
  const draw = drawByCumulative({ cumulative, isPossible }, request)
  return { ...draw, logProbability: mixtureLogProbability(mixture, draw.values, V), logProbabilities: table() }
}

function drawBySearch(mixture: LogisticMixture, { uniforms, temperature, given, isGiven }: DrawRequest, V: number): Draw {
  const sums = cumulativeOf(mixture, temperature, V)
  const u = tf.reshape(uniforms, [mixture.mean.shape[0], 1])
  /** How many of these values lie wholly below u. */
  const below = (x: tf.Tensor) => tf.sum(tf.cast(tf.lessEqual(sums(x), u), 'int32'), 1, true)
  const blocks = below(numbers(Math.ceil(V / stage), stage, stage - 1))
  const first = tf.mul(blocks, tf.scalar(stage, 'int32'))
  // F rises with x, so that what the block holds is less than a block; but two stages may round apart.
  const drawn = tf.minimum(tf.add(first, below(tf.add(first, numbers(stage)))), tf.scalar(V - 1, 'int32'))
  const values = tf.where(tf.expandDims(isGiven, 1), given, drawn)
  const [before, at] = tf.split(sums(tf.add(values, numbers(2, 1, -1))), 2, 1)
  const outside = tf.maximum(tf.maximum(tf.sub(before, u), tf.sub(u, at)), 0)
  const distance = tf.mul(outside, tf.cast(tf.notEqual(values, drawn), 'float32'))
  return { values, drawn, distance: tf.squeeze(distance, [1]), logProbability: mixtureLogProbability(mixture, values, V) }
}
