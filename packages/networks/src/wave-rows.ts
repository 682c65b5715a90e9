/**
 * What a step remembers of a map of features where all variables of a wave are drawn at once: the map at the last K waves. A row stands at
 * its wave and slot, so that what a variable reads is told by indices, whatever the order; on a grid this is the recurrence over
 * column + k · row whose state are the last rows of each layer. The rows of a map may be made in other waves than the variables at the same
 * positions are drawn in: earlier, where others read them earlier.
 *
 * Axes: B batch, K waves remembered, M slots of a wave, D features, T taps of a kernel, N variables.
 */
import { ChainruleError, type ResolvedOrder, type StateTensor, type Waves } from '@chainrule/core'
import type { Neighborhood, Tensors, WaveSteps } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'

interface WaveRows {
  /** K · M. */
  readonly count: number
  /** For each wave, where the taps of its slots read in [zeros, K · M rows, the newest M rows]: M · T indices. */
  readonly places: { readonly width: number; readonly indices: Int32Array }
}

/** The latest of the waves of what is read at a position; −1: nothing is. */
export function latestRead({ reads, taps }: Neighborhood, position: number, waveOf: Int32Array): number {
  let latest = -1
  for (let at = position * taps; at < (position + 1) * taps; at++) if (reads[at] >= 0) latest = Math.max(latest, waveOf[reads[at]])
  return latest
}

/**
 * The latest wave that the last of these layers depends on at a position (−1: none): the first one reads x, the others the layer before
 * them, which must not be of later rank. For `wavesOf`, which asks for each position in the order of generation.
 */
export function latestThrough(layers: readonly Neighborhood[], length: number): (position: number, waveOf: Int32Array) => number {
  const latest = layers.map(() => new Int32Array(length))
  return (position, waveOf) => {
    layers.forEach((layer, l) => {
      latest[l][position] = l === 0 ? latestRead(layer, position, waveOf) : Math.max(latest[l - 1][position], latestRead(layer, position, latest[l - 1]))
    })
    return latest[layers.length - 1][position]
  }
}

/**
 * When the rows of a map must be made at the latest, so that each is there for what reads it: by its first reader, and not after the wave of
 * its own position.
 * @param readers the positions of the next map, and the waves that those are made in
 */
export function latestWaves({ reads, taps }: Neighborhood, readers: Waves, own: Waves): Waves {
  const waveOf = own.waveOf.slice()
  reads.forEach((other, at) => {
    if (other >= 0) waveOf[other] = Math.min(waveOf[other], readers.waveOf[Math.floor(at / taps)])
  })
  const sizes = new Int32Array(own.count)
  const slotOf = waveOf.map((wave) => sizes[wave]++)
  return { count: own.count, widest: Math.max(...sizes), waveOf, slotOf }
}

/** Of waves by rank, those of the positions. */
export function byPosition({ waveOf, slotOf, ...counts }: Waves, { inverse }: ResolvedOrder): Waves {
  return { ...counts, waveOf: inverse.map((rank) => waveOf[rank]), slotOf: inverse.map((rank) => slotOf[rank]) }
}

/**
 * @param lag how many waves the newest rows lie before the variables that read: 1 for the values of x, 0 for features
 * @param sources the waves that the rows of the map are made in, where they are not those of the variables that read
 * @throws {ChainruleError} where a variable reads what is not there yet
 */
function waveRows({ reads, taps }: Neighborhood, readers: Waves, lag: number, sources: Waves = readers): WaveRows {
  const back = Int32Array.from(reads, (other, at) => (other < 0 ? 0 : readers.waveOf[Math.floor(at / taps)] - lag - sources.waveOf[other]))
  const early = back.findIndex((distance) => distance < 0)
  if (early >= 0) {
    const position = Math.floor(early / taps)
    throw new ChainruleError(`Waves: position ${position} of wave ${readers.waveOf[position]} reads position ${reads[early]}, which is made in wave ${sources.waveOf[reads[early]]} only.`)
  }
  const K = back.reduce((most, distance) => Math.max(most, distance), 1)
  const [M, width] = [sources.widest, readers.widest * taps]
  const indices = new Int32Array(readers.count * width)
  readers.waveOf.forEach((wave, position) => {
    for (let tap = 0; tap < taps; tap++) {
      const at = position * taps + tap
      if (reads[at] >= 0) indices[wave * width + readers.slotOf[position] * taps + tap] = 1 + (K - back[at]) * M + sources.slotOf[reads[at]]
    }
  })
  return { count: K * M, places: { width, indices } }
}

/** A map of D = `size` features as `readers` read it through a kernel, its rows made in the waves of `sources`; `lag` as for `waveRows`. */
export interface WaveRead {
  readonly neighbors: Neighborhood
  readonly readers: Waves
  readonly sources: Waves
  readonly lag: number
  readonly size: number
  /** It is read before the rows of the wave are made (a recurrence): the newest rows that there are, those of the wave before, stand in the state. */
  readonly isCarried?: boolean
}

/** What the step of one wave reads and remembers. */
export type WaveMemory = ReturnType<ReturnType<typeof waveMaps>['open']>

/**
 * Steps of waves that remember nothing but what is read.
 * @param featuresOf the features [B, M, W] of a wave, of the values of the wave before
 */
export function waveSteps(waves: Waves, reads: Readonly<Record<string, WaveRead>>, featuresOf: (memory: WaveMemory, parameters: Tensors, values: tf.Tensor, condition?: tf.Tensor) => tf.Tensor): WaveSteps {
  const maps = waveMaps(reads)
  return {
    waves,
    ...maps.declared,
    step(parameters, state, values, places, condition) {
      const memory = maps.open(state, places)
      return { features: featuresOf(memory, parameters, values, condition), state: memory.next }
    },
  }
}

/** All that the step of a wave remembers, a map for each of these reads. Reads that differ in their size only share their places. */
function waveMaps(reads: Readonly<Record<string, WaveRead>>) {
  const names = Object.keys(reads)
  const isSame = (a: WaveRead, b: WaveRead) => a.neighbors === b.neighbors && a.readers === b.readers && a.sources === b.sources && a.lag === b.lag
  const placesOf = Object.fromEntries(names.map((name) => [name, names.find((other) => isSame(reads[other], reads[name]))!]))
  const distinct = [...new Set(Object.values(placesOf))]
  const rows = Object.fromEntries(distinct.map((name) => [name, waveRows(reads[name].neighbors, reads[name].readers, reads[name].lag, reads[name].sources)]))
  const declared: Pick<WaveSteps, 'state' | 'places' | 'wavesOfMaps'> = {
    state: names.map((name): StateTensor => ({ name, type: 'float32', shape: ['batch', rows[placesOf[name]].count + (reads[name].isCarried ? reads[name].sources.widest : 0), reads[name].size] })),
    places: Object.fromEntries(distinct.map((name) => [name, rows[name].places])),
    wavesOfMaps: Object.fromEntries(names.map((name) => [name, reads[name].sources])),
  }
  return {
    declared,
    /** For one wave. */
    open(state: Tensors, places: Tensors) {
      const next: Tensors = {}
      const zeros = (name: string) => tf.zeros([state[name].shape[0], 1, reads[name].size])
      const taps = (name: string, all: tf.Tensor) => tf.reshape(tf.gather(all, places[placesOf[name]] as tf.Tensor1D, 1), [all.shape[0], reads[name].readers.widest, reads[name].neighbors.taps * reads[name].size])
      return {
        next,
        /** The rows of the wave [B, M, D] are remembered → what its readers read, taps side by side [B, M', T·D]. */
        read(name: string, wave: tf.Tensor): tf.Tensor {
          const all = tf.concat([zeros(name), state[name], wave], 1)
          next[name] = tf.slice(all, [0, 1 + wave.shape[1]!, 0], state[name].shape as number[])
          return taps(name, all)
        },
        /** The same in two, of what is carried: what is read, and later the rows that are remembered. */
        recall: (name: string): tf.Tensor => taps(name, tf.concat([zeros(name), state[name]], 1)),
        remember(name: string, wave: tf.Tensor): void {
          next[name] = tf.concat([tf.slice(state[name], [0, wave.shape[1]!, 0]), wave], 1)
        },
      }
    },
  }
}
