/**
 * A small classifier of spoken digits, for measuring generated ones: softmax regression on 16 bands × 20 parts of the time of a spectrogram.
 *
 *   features   dB of the mean power in 16 bands, equally wide in mel from 100 to 3,800 Hz, and 20 equally long parts of the sound; less the mean of a sound's own, so
 *              that loudness does not count; each feature scaled to mean 0 and deviation 1 over the training sounds
 *   training   400 steps of gradient descent on the mean cross-entropy + 0.01 · ‖W‖² / 2, from zero: it has one minimum, and no seed
 */
import { spectrogram } from '@chainrule/audio'

const [bands, parts] = [16, 20]
const mel = (hz) => 2595 * Math.log10(1 + hz / 700)
const decibels = (power) => 10 * Math.log10(power + 1e-9)

/** Of one sound: `pattern` [parts × bands], `spectrum` [bands] and `envelope` [parts], in dB. */
export function featuresOf(sound) {
  const { times, frequencies, power } = spectrogram(sound, { window: 256, step: 40 })
  const bandOf = Array.from({ length: frequencies }, (_, k) => Math.floor((bands * (mel((k * sound.sampleRateHz) / 256) - mel(100))) / (mel(3_800) - mel(100))))
  const sums = new Float64Array(parts * bands)
  const counts = new Float64Array(parts * bands)
  for (let m = 0; m < times; m++) {
    const part = Math.min(parts - 1, Math.floor((m * parts) / times))
    bandOf.forEach((band, k) => {
      if (band < 0 || band >= bands) return
      sums[part * bands + band] += power[m * frequencies + k]
      counts[part * bands + band]++
    })
  }
  const means = sums.map((sum, at) => sum / Math.max(1, counts[at]))
  const over = (size, pick) => Array.from({ length: size }, (_, at) => decibels(means.reduce((sum, value, index) => sum + (pick(index) === at ? value : 0), 0)))
  const pattern = Array.from(means, decibels)
  const level = pattern.reduce((sum, value) => sum + value, 0) / pattern.length
  return { pattern: pattern.map((value) => value - level), spectrum: over(bands, (index) => index % bands), envelope: over(parts, (index) => Math.floor(index / bands)) }
}

/** @param training { digit, sound } @returns a function from a sound to the digit that it is heard as */
export function trainClassifier(training) {
  const rows = training.map(({ sound }) => featuresOf(sound).pattern)
  const size = rows[0].length
  const mean = rows[0].map((_, f) => rows.reduce((sum, row) => sum + row[f], 0) / rows.length)
  const deviation = mean.map((m, f) => Math.sqrt(rows.reduce((sum, row) => sum + (row[f] - m) ** 2, 0) / rows.length) + 1e-6)
  const scaled = (row) => row.map((value, f) => (value - mean[f]) / deviation[f])
  const X = rows.map(scaled)
  const W = Array.from({ length: 10 }, () => new Float64Array(size + 1))
  const probabilities = (x) => {
    const logits = W.map((w) => x.reduce((sum, value, f) => sum + value * w[f], w[size]))
    const highest = Math.max(...logits)
    const exponentials = logits.map((logit) => Math.exp(logit - highest))
    const total = exponentials.reduce((sum, value) => sum + value, 0)
    return exponentials.map((value) => value / total)
  }
  for (let step = 0; step < 400; step++) {
    const gradient = W.map(() => new Float64Array(size + 1))
    X.forEach((x, i) => {
      probabilities(x).forEach((p, c) => {
        const error = (p - (training[i].digit === c ? 1 : 0)) / X.length
        for (let f = 0; f < size; f++) gradient[c][f] += error * x[f]
        gradient[c][size] += error
      })
    })
    W.forEach((w, c) => w.forEach((_, f) => (w[f] -= 0.05 * (gradient[c][f] + (f < size ? 0.01 * w[f] : 0)))))
  }
  return (sound) => {
    const p = probabilities(scaled(featuresOf(sound).pattern))
    return p.indexOf(Math.max(...p))
  }
}
