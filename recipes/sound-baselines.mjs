/**
 * What a model of samples is measured against, on the same whole numbers of 16 bits. `sounds`: Int32Arrays of −32,768 … 32,767.
 *
 *   order 0    how often each value occurs in the training set, p(v) = (n(v) + ½) / (N + 2¹⁵)
 *   linear     s(t) ~ logistic, discretised; its mean predicted from the last P samples, its scale by the last errors. Nothing is transmitted: every 32 samples
 *              the coefficients are computed anew from the 1,024 before (Hann window over their older half, autocorrelation, Levinson-Durbin), and
 *              scale = f · (0.4 + the mean of |e|, each counting 31/32 of the next). f is the best of a grid on training sounds.
 *   FLAC       the encoder itself, one file a sound: `size` with its header, `frames` without (everything before the first frame: 86 bytes and more)
 */
import { execFileSync } from 'node:child_process'

const full = 65_536

export function orderZero(training) {
  const counts = new Float64Array(full).fill(0.5)
  let total = full / 2
  for (const sound of training) {
    for (const value of sound) counts[value + full / 2]++
    total += sound.length
  }
  return (sound) => sound.reduce((bits, value) => bits - Math.log2(counts[value + full / 2] / total), 0)
}

const softplus = (x) => (x > 30 ? x : Math.log1p(Math.exp(x)))
/** −log₂ p(x) of the logistic of this mean and scale, rounded to whole numbers. */
function logisticBits(x, mean, scale) {
  const [low, high] = [(x - 0.5 - mean) / scale, (x + 0.5 - mean) / scale]
  return (softplus(-high) + softplus(low) - Math.log(-Math.expm1(-1 / scale))) / Math.LN2
}

/** Bits of a sound for each factor of the scale. */
function linearBits(sound, order, factors) {
  const bits = new Float64Array(factors.length)
  const window = 1024
  const taper = Float64Array.from({ length: window }, (_, n) => (n < window / 2 ? 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / window) : 1))
  const seen = new Float64Array(window)
  const correlation = new Float64Array(order + 1)
  let coefficients = []
  let error = 64
  for (let t = 0; t < sound.length; t++) {
    if (t % 32 === 0 && t > 0) {
      for (let n = 0; n < window; n++) seen[n] = t - window + n < 0 ? 0 : sound[t - window + n] * taper[n]
      for (let lag = 0; lag <= order; lag++) {
        let sum = 0
        for (let n = lag; n < window; n++) sum += seen[n] * seen[n - lag]
        correlation[lag] = sum
      }
      coefficients = levinsonDurbin(correlation)
    }
    let mean = 0
    for (let r = 0; r < coefficients.length && r < t; r++) mean += coefficients[r] * sound[t - 1 - r]
    mean = Math.max(-full / 2, Math.min(full / 2 - 1, mean))
    factors.forEach((factor, which) => (bits[which] += logisticBits(sound[t], mean, factor * (0.4 + error))))
    error += (Math.abs(sound[t] - mean) - error) / 32
  }
  return bits
}

function levinsonDurbin(correlation) {
  let error = correlation[0] * (1 + 1e-9) + 1e-9
  let c = []
  for (let i = 1; i < correlation.length; i++) {
    const reflection = (correlation[i] - c.reduce((sum, value, r) => sum + value * correlation[i - 1 - r], 0)) / error
    c = [...c.map((value, r) => value - reflection * c[i - 2 - r]), reflection]
    error *= 1 - reflection ** 2
  }
  return c
}

export function linear(training, order) {
  const grid = [0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8]
  const sums = new Float64Array(grid.length)
  for (let at = 0; at < training.length; at += Math.ceil(training.length / 40)) linearBits(training[at], order, grid).forEach((bits, which) => (sums[which] += bits))
  const factor = grid[sums.indexOf(Math.min(...sums))]
  return (sound) => linearBits(sound, order, [factor])[0]
}

/** Bytes of a WAV file in FLAC at its best setting: with its header, and of the frames alone. */
export function flac(program, path) {
  const bytes = execFileSync(program, ['--best', '--exhaustive-model-search', '--qlp-coeff-precision-search', '--max-lpc-order=32', '--lax', '--no-padding', '--no-seektable', '--silent', '--stdout', path], { maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] })
  let at = 4
  for (let isLast = false; !isLast; ) {
    isLast = bytes[at] >= 128
    at += 4 + bytes.readUIntBE(at + 1, 3)
  }
  return { size: bytes.length, frames: bytes.length - at }
}

export const versionOfFlac = (program) => execFileSync(program, ['--version'], { encoding: 'utf8' }).trim()
