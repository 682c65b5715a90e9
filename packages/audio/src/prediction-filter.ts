/**
 * The linear prediction that suits a set of sounds: s(t) ≈ Σᵣ cᵣ s(t − r), r = 1 … P, for `causalConvolution({ prediction: { filter } })`.
 *
 *   ρ(k) = mean over sounds of Σₜ s(t) s(t − k) / Σₜ s(t)²,      Σᵣ cᵣ ρ(|i − r|) = ρ(i)
 *
 * The autocorrelation method: c solves the normal equations by the Levinson-Durbin recursion (Makhoul 1975, Linear prediction: a tutorial review); the
 * filter that draws from it is stable. Each sound counts the same, loud or quiet. A billionth of the energy as white noise keeps silence and pure tones solvable.
 */
import { InvalidDataError, refuseUnknownOptions, wholeNumber } from '@chainrule/core'
import { checkSound, type Sound } from './sound.js'

export interface PredictionFilterOptions {
  /** P (16). */
  order?: number
}

/** @returns c, the nearest sample first. @throws {InvalidDataError} where no sound is longer than the filter and not silent */
export function predictionFilter(sounds: readonly Sound[], options: PredictionFilterOptions = {}): number[] {
  refuseUnknownOptions('predictionFilter', options, ['order'])
  const order = wholeNumber('predictionFilter', 'order', options.order ?? 16, 1, 1_000)
  const correlation = new Float64Array(order + 1)
  for (const sound of sounds) {
    checkSound('predictionFilter', sound)
    const own = autocorrelation(sound.samples, order)
    if (sound.samples.length <= order || own[0] === 0) continue
    own.forEach((value, lag) => (correlation[lag] += value / own[0]))
  }
  if (correlation[0] === 0) throw new InvalidDataError(`predictionFilter: no sound is longer than ${order} samples and more than silence. Bring others, or a smaller order.`)
  return levinsonDurbin(correlation)
}

/** Σₜ s(t) s(t − k), k = 0 … order. */
export function autocorrelation(samples: ArrayLike<number>, order: number): Float64Array {
  return Float64Array.from({ length: order + 1 }, (_, lag) => {
    let sum = 0
    for (let t = lag; t < samples.length; t++) sum += samples[t] * samples[t - lag]
    return sum
  })
}

/** The coefficients of the predictor whose input has this autocorrelation, the nearest first. */
export function levinsonDurbin(correlation: Float64Array): number[] {
  let error = correlation[0] * (1 + 1e-9)
  let c: number[] = []
  for (let i = 1; i < correlation.length; i++) {
    const reflection = (correlation[i] - c.reduce((sum, value, r) => sum + value * correlation[i - 1 - r], 0)) / error
    c = [...c.map((value, r) => value - reflection * c[i - 2 - r]), reflection]
    error *= 1 - reflection ** 2
  }
  return c
}
