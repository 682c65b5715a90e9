/**
 * What a step remembers of a map of features where all variables of a wave are drawn at once: the map at the last K waves. A row stands at
 * its wave and slot, so that what a variable reads is told by indices, whatever the order; on a grid this is the recurrence over
 * column + k · row whose state are the last rows of each layer.
 *
 * Axes: B batch, K waves remembered, M slots of a wave, D features, T taps of a kernel, N variables.
 */
import { ChainruleError, type Waves } from '@chainrule/core'
import type { Neighborhood } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'

export interface WaveRows {
  /** K · M. */
  readonly count: number
  /** For each wave, where the taps of its slots read in [zeros, K · M rows, the newest M rows]: M · T indices. */
  readonly places: { readonly width: number; readonly indices: Int32Array }
}

/**
 * The latest wave that the last of these layers depends on at a position (−1: none): the first one reads x, the others the layer before
 * them, which must not be of later rank. For `wavesOf`, which asks for each position in the order of generation.
 */
export function latestThrough(layers: readonly Neighborhood[], length: number): (position: number, waveOf: Int32Array) => number {
  const latest = layers.map(() => new Int32Array(length))
  return (position, waveOf) => {
    layers.forEach(({ reads, taps }, l) => {
      const source = l === 0 ? waveOf : latest[l - 1]
      let found = l === 0 ? -1 : source[position]
      for (let tap = 0; tap < taps; tap++) {
        const other = reads[position * taps + tap]
        if (other >= 0) found = Math.max(found, source[other])
      }
      latest[l][position] = found
    })
    return latest[layers.length - 1][position]
  }
}

/**
 * @param lag how many waves the newest rows lie before the variables that read: 1 for the values of x, 0 for features
 * @throws {ChainruleError} where a variable reads what is not there yet
 */
export function waveRows({ reads, taps }: Neighborhood, { count: waves, widest: M, waveOf, slotOf }: Waves, lag: number): WaveRows {
  const back = Int32Array.from(reads, (other, at) => (other < 0 ? 0 : waveOf[Math.floor(at / taps)] - lag - waveOf[other]))
  const early = back.findIndex((distance) => distance < 0)
  if (early >= 0) throw new ChainruleError(`Waves: position ${Math.floor(early / taps)} of wave ${waveOf[Math.floor(early / taps)]} reads position ${reads[early]}, which is made in wave ${waveOf[reads[early]]} only.`)
  const K = back.reduce((most, distance) => Math.max(most, distance), 1)
  const width = M * taps
  const indices = new Int32Array(waves * width)
  waveOf.forEach((wave, position) => {
    for (let tap = 0; tap < taps; tap++) {
      const at = position * taps + tap
      if (reads[at] >= 0) indices[wave * width + slotOf[position] * taps + tap] = 1 + (K - back[at]) * M + slotOf[reads[at]]
    }
  })
  return { count: K * M, places: { width, indices } }
}

/** The rows [B, K·M, D] with a row of zeros before and those of a new wave [B, M, D] after them: what places point into; and what is remembered next. */
export function rememberWave(rows: tf.Tensor, wave: tf.Tensor): { all: tf.Tensor; next: tf.Tensor } {
  const [B, M, D] = wave.shape as [number, number, number]
  const all = tf.concat([tf.zeros([B, 1, D]), rows, wave], 1)
  return { all, next: tf.slice(all, [0, 1 + M, 0], rows.shape as number[]) }
}
