/** Sounds as training examples: windows of a fixed number of frames. Axes: N frames of a sound, L samples of a frame, T frames of a window. */
import { type Domain, InvalidDataError } from '@chainrule/core'
import type { Data, Example } from '@chainrule/train'
import { entries } from './sound-condition.js'

/**
 * Every window of T frames of every sound, each with the frame before it. The first of a sound counts T times, as if the sound began that
 * much earlier, so that each frame is in a window about as often as any other, and beginnings are learned.
 * Sounds that end before their first window does are filled with their end, where the domain has one.
 * @param isControlled whether the sounds' conditions are control sequences, of which each window has its part; else it has all of them
 * @throws {InvalidDataError} naming a sound that is shorter than a window and has no end
 */
export function soundWindows(sounds: readonly Pick<Example, 'x' | 'condition'>[], { components: L, end }: Domain, T: number, isControlled = false): Data {
  const rows = sounds.map(({ x: values }, which) => {
    if (values.length / L >= T) return values
    if (end === undefined) throw new InvalidDataError(`fit: sound ${which} has ${values.length / L} frames, a training window needs ${T}. Leave it out, or use a smaller window.`)
    return Int32Array.from({ length: T }, (_, at) => (at < values.length ? values[at] : end))
  })
  /** How many windows there are up to and with each sound. */
  const upTo: number[] = []
  for (const row of rows) upTo.push((upTo[upTo.length - 1] ?? 0) + row.length / L)
  return {
    length: upTo[upTo.length - 1] ?? 0,
    at(index) {
      const which = firstAbove(upTo, index)
      const row = rows[which]
      const begin = Math.max(0, index - (which === 0 ? 0 : upTo[which - 1]) - (T - 1))
      const x = row.slice(begin * L, (begin + T) * L)
      const { x: own, condition } = sounds[which]
      const told = condition && { condition: isControlled ? entries(condition, own.length / L, begin, T) : condition }
      return { x, ...told, ...(begin > 0 && { previous: row.slice((begin - 1) * L, begin * L) }) }
    },
    sequences: sounds.map(({ x }) => x),
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
