/** Sounds as training examples: windows of a fixed number of frames. Axes: N frames of a sound, L samples of a frame, T frames of a window. */
import { type ConditionValues, type Domain, emptyValues, InvalidDataError, type Values } from '@chainrule/core'
import type { Data } from '@chainrule/train'
import type { AudioModel } from './model.js'
import { type AnySound, isInMemory } from './sound.js'
import { entries, soundCondition } from './sound-condition.js'

/** The values of a sound, L for each frame, and what a model is told of it. */
export interface SoundValues {
  /** N, the end counted where the domain has one. */
  readonly frames: number
  /** Of frames begin … end − 1. */
  values(begin: number, end: number): Values
  readonly condition?: ConditionValues
}

export const encodedValues = (row: Values, L: number, condition?: ConditionValues): SoundValues => ({ frames: row.length / L, values: (begin, end) => row.slice(begin * L, end * L), condition })

/** A sound in memory is encoded at once, one that is read whenever its values are. @throws {InvalidDataError} for a sound that the tokenizer refuses, or one without what the model is told */
export function valuesOf(owner: string, { tokenizer: { domain: { components: L, end }, encode }, model }: AudioModel, sound: AnySound): SoundValues {
  if (isInMemory(sound)) {
    const row = encode(sound)
    return encodedValues(row, L, soundCondition(owner, model.condition, sound, row.length / L, sound.samples.length / L))
  }
  const { sampleRateHz, length } = sound
  if (length % L > 0) throw new InvalidDataError(`${owner}: a sound that is read has ${length} samples, which are no whole frames of ${L}. Read it with readStretches and frameLength: ${L}.`)
  encode({ sampleRateHz, samples: sound.samples(0, L) }) // or another rate would fail after hours
  const own = length / L
  const frames = end === undefined ? own : own + 1
  return {
    frames,
    values(begin, last) {
      const values = encode({ sampleRateHz, samples: sound.samples(begin * L, Math.min(length, last * L)) })
      return values.subarray(0, (last - begin) * L) // encode adds an end everywhere
    },
    condition: soundCondition(owner, model.condition, { label: sound.label }, frames, own),
  }
}

/**
 * Every window of T frames of every sound, each with the frame before it. The first of a sound counts T times, as if the sound began that
 * much earlier, so that each frame is in a window about as often as any other, and beginnings are learned.
 * Sounds that end before their first window does are filled with their end, where the domain has one.
 * @param isControlled whether the sounds' conditions are control sequences, of which each window has its part; else it has all of them
 * @throws {InvalidDataError} naming a sound that is shorter than a window and has no end
 */
export function soundWindows(sounds: readonly SoundValues[], { components: L, end, ...domain }: Domain, T: number, isControlled = false): Data {
  /** How many windows there are up to and with each sound. */
  const upTo: number[] = []
  sounds.forEach(({ frames }, which) => {
    if (frames < T && end === undefined) throw new InvalidDataError(`fit: sound ${which} has ${frames} frames, a training window needs ${T}. Leave it out, or use a smaller window.`)
    upTo.push((upTo[which - 1] ?? 0) + Math.max(frames, T))
  })
  return {
    length: upTo[upTo.length - 1] ?? 0,
    at(index) {
      const which = firstAbove(upTo, index)
      const { frames, values, condition } = sounds[which]
      const begin = Math.max(0, index - (which === 0 ? 0 : upTo[which - 1]) - (T - 1))
      const told = condition && { condition: isControlled ? entries(condition, frames, begin, T) : condition }
      const last = Math.min(frames, begin + T)
      const x = emptyValues(domain, T * L).fill(end ?? 0)
      if (begin === 0) {
        x.set(values(0, last))
        return { x, ...told }
      }
      const read = values(begin - 1, last)
      x.set(read.subarray(L))
      return { x, ...told, previous: read.slice(0, L) }
    },
    sequences: {
      *[Symbol.iterator]() {
        for (const { frames, values } of sounds) yield values(0, frames)
      },
    },
  }
}

/** The first place of a rising list that holds more than this. */
function firstAbove(rising: readonly number[], value: number): number {
  let [low, high] = [0, rising.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (rising[middle] > value) high = middle
    else low = middle + 1
  }
  return low
}
