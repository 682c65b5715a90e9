/**
 * The spectrogram of a sound: the power of each frequency around each time.
 *
 *   P(m, k) = (4 / (Σ w)²) |Σₙ w(n) s(m D + n − F/2) e^(−2πi k n / F)|²,    w(n) = ½ − ½ cos(2π n / F)          k = 0 … F/2
 *
 * A sine of amplitude 1 has power 1 (0 dB). Before and after the sound is silence. Axes: F samples of a window, D between windows, M windows, K = F/2 + 1.
 */
import { InvalidOptionError, refuseUnknownOptions, wholeNumber } from '@chainrule/core'
import { checkSound, type Sound } from '../sound.js'

export interface SpectrogramOptions {
  /** F, a power of two (256). */
  window?: number
  /** D (F/4). */
  step?: number
}

export interface Spectrogram {
  /** M. */
  readonly times: number
  /** K; number k is k · sampleRateHz / F. */
  readonly frequencies: number
  /** [M, K], the square of an amplitude. */
  readonly power: Float32Array
}

export function spectrogram(sound: Sound, options: SpectrogramOptions = {}): Spectrogram {
  refuseUnknownOptions('spectrogram', options, ['window', 'step'])
  const F = wholeNumber('spectrogram', 'window', options.window ?? 256, 2, 65_536)
  if ((F & (F - 1)) !== 0) throw new InvalidOptionError(`spectrogram: window must be a power of two, got ${F}.`)
  const D = wholeNumber('spectrogram', 'step', options.step ?? Math.max(1, F / 4))
  checkSound('spectrogram', sound)
  const { samples } = sound
  const [M, K] = [Math.floor(samples.length / D) + 1, F / 2 + 1]
  const taper = Float64Array.from({ length: F }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / F))
  // Σ w = F/2; both halves of the spectrum make one amplitude, but the lowest and the highest frequency have one half only.
  const scale = (4 / F) ** 2
  const power = new Float32Array(M * K)
  const [real, imaginary] = [new Float64Array(F), new Float64Array(F)]
  for (let m = 0; m < M; m++) {
    for (let n = 0; n < F; n++) real[n] = taper[n] * (samples[m * D + n - F / 2] ?? 0)
    imaginary.fill(0)
    fourierTransform(real, imaginary)
    for (let k = 0; k < K; k++) power[m * K + k] = (real[k] ** 2 + imaginary[k] ** 2) * scale * (k === 0 || k === F / 2 ? 0.25 : 1)
  }
  return { times: M, frequencies: K, power }
}

/** X(k) = Σₙ x(n) e^(−2πi k n / F), in place; F a power of two (Cooley, Tukey 1965). */
export function fourierTransform(real: Float64Array, imaginary: Float64Array): void {
  const F = real.length
  for (let i = 1, j = 0; i < F; i++) {
    let bit = F >> 1
    for (; j & bit; bit >>= 1) j ^= bit
    j ^= bit
    if (i < j) {
      ;[real[i], real[j]] = [real[j], real[i]]
      ;[imaginary[i], imaginary[j]] = [imaginary[j], imaginary[i]]
    }
  }
  for (let size = 2; size <= F; size *= 2) {
    const half = size / 2
    for (let k = 0; k < half; k++) {
      const [c, s] = [Math.cos((2 * Math.PI * k) / size), -Math.sin((2 * Math.PI * k) / size)]
      for (let at = k; at < F; at += size) {
        const [a, b] = [real[at + half] * c - imaginary[at + half] * s, real[at + half] * s + imaginary[at + half] * c]
        ;[real[at + half], imaginary[at + half]] = [real[at] - a, imaginary[at] - b]
        ;[real[at], imaginary[at]] = [real[at] + a, imaginary[at] + b]
      }
    }
  }
}
