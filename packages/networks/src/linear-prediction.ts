/**
 * Linear prediction for a network that reads samples of a wave: what a fixed filter cannot foresee goes in, and out come features and one number
 * more, a prediction of the next sample whose coefficients the features decide.
 *
 *   s(t) = (2 v(t)/(L − 1) − 1) / unit                            0 before the beginning; before a piece of something longer, its first
 *   e(t) = s(t) − Σᵣ cᵣ s(t − r),            r = 1 … P             the residual of the filter c, which is given and not learned
 *   into the network: fₖ(e(t − 1)), |fₖ(e(t − 1))|,               fₖ(e) = sign(e) log(1 + k |e|) / log(1 + k),  k = 1, 16, 256
 *   ŝ(t) = Σᵣ cᵣ s(t − r) + Σⱼ aⱼ(h) e(t − j),  a(h) = A h + a,   j = 1 … J
 *
 * A wave of 16 bits is foreseen to a thousandth and better, which no stack of activations gives; a sum of products does. That the second sum is of residuals,
 * nearly white, makes a quickly learned; that its coefficients change with h follows the sound, as a codec's change from block to block (Robinson 1994,
 * SHORTEN; Coalson, FLAC). Logarithms of several steepness show both the quietest residual and the loudest.
 *
 * Axes: B batch, S a chunk of samples, L levels (an end is none), P filter, J lags, W width of the network, F of the features.
 */
import { finiteNumber, InvalidOptionError, type ParameterArrays, refuseUnknownOptions, wholeNumber } from '@chainrule/core'
import { constantInitial, linear, normalInitial, type Previous, type Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'

export interface LinearPredictionOptions {
  /** c, the nearest sample first; absent: none, and e = s. `predictionFilter` of @chainrule/audio finds one. */
  filter?: readonly number[]
  /** J, of residuals whose coefficients are learned (16). */
  lags?: number
  /** The amplitude that is 1 to the network, as a share of full scale (1/64). That of the head's `range` suits. */
  unit?: number
}

/** A way into a network and out of it again, for a chunk (S) or one step. */
export interface Passage {
  /** h₀ [B, S, W], or [B, W]. */
  readonly first: tf.Tensor
  /** Of the network: features [B, S, F] or [B, F] → those with ŝ beside them. */
  leave(features: tf.Tensor): tf.Tensor
  /** What the next chunk or step has behind it. */
  readonly state: Tensors
}

const owner = 'linear prediction'
const steepness = [1, 16, 256]

export function checkLinearPrediction(options: LinearPredictionOptions): Required<LinearPredictionOptions> {
  if (typeof options !== 'object' || options === null) throw new InvalidOptionError(`${owner}: expected { filter, lags, unit }, got ${String(options)}.`)
  refuseUnknownOptions(owner, options, ['filter', 'lags', 'unit'])
  const { filter = [] } = options
  if (!Array.isArray(filter)) throw new InvalidOptionError(`${owner}: filter must be a list of numbers, got ${String(filter)}.`)
  filter.forEach((each, at) => finiteNumber(owner, `filter[${at}]`, each))
  return { filter: [...filter], lags: wholeNumber(owner, 'lags', options.lags ?? 16), unit: finiteNumber(owner, 'unit', options.unit ?? 1 / 64, 2 ** -15, 1) }
}

export function linearPrediction({ filter, lags: J, unit }: Required<LinearPredictionOptions>, levels: number, width: number) {
  const P = filter.length
  const oldestFirst = [...filter].reverse()
  /** s(t − 1 − P) … s(t − 1) → e(t − 1), and Σ c s for t. */
  const taps = () => tf.tensor2d([...oldestFirst, -1].map((c, at) => [-c, at === 0 ? 0 : oldestFirst[at - 1]]))
  const rows = 2 * steepness.length + 2
  return {
    energy: width * 2,
    state: [
      ...(P > 0 ? [{ name: 'samples', type: 'float32', shape: ['batch', P] } as const] : []),
      ...(J > 1 ? [{ name: 'residuals', type: 'float32', shape: ['batch', J - 1] } as const] : []),
    ],
    /** How many steps back ŝ and the features see, whose network sees so many of its inputs: of the filter only what is not 0. */
    reached(inputs: readonly number[]): number[] {
      const filtered = filter.flatMap((c, at) => (c === 0 ? [] : [at]))
      const residuals = new Set([...inputs, ...Array.from({ length: J }, (_, at) => at)])
      return [...new Set([...filtered, ...[...residuals].flatMap((back) => [back, ...filtered.map((at) => back + 1 + at)])])]
    },
    /** @param features their number */
    initialize: (seed: number, features: number): ParameterArrays => ({
      input: normalInitial(seed, 'network/input', [rows, width], 1),
      'prediction/weight': constantInitial([features, J], 0),
      'prediction/bias': constantInitial([J], 0),
    }),
    /** @param before values [B, S, 1], isStart [B, S]; or [B, 1], [B] for one step. @param state absent: a beginning */
    enter(parameters: Tensors, before: Previous, state?: Tensors): Passage {
      const isStep = before.isStart.rank === 1
      const isStart = isStep ? tf.expandDims(before.isStart, 1) : before.isStart
      const [B, S] = isStart.shape as [number, number]
      const starts = tf.cast(isStart, 'float32')
      const known = tf.sub(1, starts)
      const amplitudes = tf.sub(tf.mul(tf.cast(tf.reshape(before.values, [B, S]), 'float32'), 2 / (levels - 1)), 1)
      const scaled = tf.mul(tf.div(amplitudes, unit), known)
      const samples = P === 0 ? scaled : tf.concat([history(state, tf.slice(scaled, [0, 0], [B, 1]), P), scaled], 1)
      const [residual, filtered] = tf.split(linear(spans(samples, P + 1, S), taps()), 2, 2)
      const own = tf.squeeze(residual, [2])
      const residuals = J === 1 ? own : tf.concat([state?.residuals ?? tf.zeros([B, J - 1]), own], 1)
      const curves = steepness.map((k) => tf.mul(tf.sign(residual), tf.div(tf.log1p(tf.mul(tf.abs(residual), k)), Math.log1p(k))))
      const inputs = tf.concat([...curves, ...curves.map((curve) => tf.abs(curve)), tf.expandDims(known, 2), tf.expandDims(starts, 2)], 2)
      const shaped = (x: tf.Tensor) => (isStep ? tf.squeeze(x, [1]) : x)
      const recent = shaped(spans(residuals, J, S))
      const foreseen = shaped(filtered)
      return {
        first: linear(shaped(inputs), parameters.input),
        leave(features) {
          const coefficients = tf.add(linear(features, parameters['prediction/weight']), parameters['prediction/bias'])
          return tf.concat([features, tf.add(foreseen, tf.sum(tf.mul(coefficients, recent), -1, true))], -1)
        },
        state: { ...(P > 0 && { samples: tf.slice(samples, [0, S], [B, P]) }), ...(J > 1 && { residuals: tf.slice(residuals, [0, S], [B, J - 1]) }) },
      }
    },
  }
}

/**
 * The `count` samples before a chunk that begins with `first` [B, 1]. Where nothing is behind it, all of them are `first`, which is 0 at a beginning: a piece
 * that is cut from the middle of a sound does not begin with a jump.
 */
function history(state: Tensors | undefined, first: tf.Tensor, count: number): tf.Tensor {
  const level = tf.tile(first, [1, count])
  return state ? tf.add(state.samples, tf.mul(level, tf.cast(tf.equal(state.index, tf.scalar(0, 'int32')), 'float32'))) : level
}

/** x [B, count − 1 + S] → for each of the last S the `count` entries up to it, the oldest first: [B, S, count]. */
function spans(x: tf.Tensor, count: number, S: number): tf.Tensor {
  const B = x.shape[0]!
  if (S === 1) return tf.expandDims(x, 1)
  return tf.stack(Array.from({ length: count }, (_, at) => tf.slice(x, [0, at], [B, S])), 2)
}
