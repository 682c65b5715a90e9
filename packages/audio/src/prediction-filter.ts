/**
 * The linear prediction that suits a set of sounds: s(t) ≈ Σᵣ cᵣ s(t − r), r = 1 … P, for `causalConvolution({ prediction: { filter } })`.
 *
 *   c = argmin Σ_b log E_b(c),    E_b = Σₜ (s(t) − Σᵣ cᵣ s(t − r))² + n/12 · 2⁻³⁰       over stretches b of n = 1024 samples, Hann window
 *
 * the likeliest filter where each stretch has a loudness of its own: the loud ones, whose errors are large, do not decide alone. Its minimum has weights
 * 1/E_b on the autocorrelations of the stretches, so they are found in turn: c by the Levinson-Durbin recursion (autocorrelation method: Makhoul 1975, Linear
 * prediction: a tutorial review; the filter that draws from c is stable), then the E_b. The last term is the noise of rounding to 16 bits.
 */
import { InvalidDataError, refuseUnknownOptions, wholeNumber } from '@chainrule/core'
import { checkSound, type Sound } from './sound.js'

export interface PredictionFilterOptions {
  /** P (16). */
  order?: number
}

const stretch = 1024
/** Of the stretches of all sounds, so many are enough; they are taken evenly. */
const mostStretches = 4_000
const rounds = 8
const roundingNoise = 2 ** -30 / 12

/** @returns c, the nearest sample first. @throws {InvalidDataError} where no sound is longer than the filter and not silent */
export function predictionFilter(sounds: readonly Sound[], options: PredictionFilterOptions = {}): number[] {
  refuseUnknownOptions('predictionFilter', options, ['order'])
  const order = wholeNumber('predictionFilter', 'order', options.order ?? 16, 1, 512)
  sounds.forEach((sound) => checkSound('predictionFilter', sound))
  const parts = sounds.flatMap(({ samples }) => Array.from({ length: Math.ceil(samples.length / stretch) }, (_, b) => samples.subarray(b * stretch, (b + 1) * stretch)))
  const every = Math.max(1, parts.length / mostStretches)
  const chosen = Array.from({ length: Math.ceil(parts.length / every) }, (_, at) => parts[Math.floor(at * every)])
  const correlations = chosen.filter((part) => part.length > order && part.some((sample) => sample !== 0)).map((part) => autocorrelation(tapered(part), order))
  if (correlations.length === 0) throw new InvalidDataError(`predictionFilter: no sound is longer than ${order} samples and more than silence. Bring others, or a smaller order.`)
  let c: number[] = new Array<number>(order).fill(0)
  for (let round = 0; round < rounds; round++) {
    const sum = new Float64Array(order + 1)
    for (const own of correlations) {
      const weight = 1 / (errorOf(c, own) + roundingNoise * stretch)
      own.forEach((value, lag) => (sum[lag] += value * weight))
      sum[0] += roundingNoise * stretch * weight
    }
    c = levinsonDurbin(sum)
  }
  return c
}

const tapered = (samples: Float32Array) => Float64Array.from(samples, (sample, n) => sample * (0.5 - 0.5 * Math.cos((2 * Math.PI * (n + 0.5)) / samples.length)))

/** Σₜ (s(t) − Σᵣ cᵣ s(t − r))², from the autocorrelation of s. */
function errorOf(c: readonly number[], correlation: Float64Array): number {
  return c.reduce((sum, a, i) => sum + a * (c.reduce((inner, b, j) => inner + b * correlation[Math.abs(i - j)], 0) - 2 * correlation[i + 1]), correlation[0])
}

/** Σₜ s(t) s(t − k), k = 0 … order. */
function autocorrelation(samples: ArrayLike<number>, order: number): Float64Array {
  return Float64Array.from({ length: order + 1 }, (_, lag) => {
    let sum = 0
    for (let t = lag; t < samples.length; t++) sum += samples[t] * samples[t - lag]
    return sum
  })
}

/** The coefficients of the predictor whose input has this autocorrelation, the nearest first. */
function levinsonDurbin(correlation: Float64Array): number[] {
  let error = correlation[0]
  let c: number[] = []
  for (let i = 1; i < correlation.length; i++) {
    const reflection = (correlation[i] - c.reduce((sum, value, r) => sum + value * correlation[i - 1 - r], 0)) / error
    c = [...c.map((value, r) => value - reflection * c[i - 2 - r]), reflection]
    error *= 1 - reflection ** 2
  }
  return c
}
