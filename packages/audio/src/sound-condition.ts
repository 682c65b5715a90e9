/** What a model is told of a sound: the sound's own label, or its control sequence with an entry for each frame. */
import { checkConditionValues, type Condition, type ConditionValues, InvalidDataError, labelNumber } from '@chainrule/core'
import type { Sound } from './sound.js'

/**
 * @param variables of the sound: its frames, and its end, where it has one, which is told what the last frame is
 * @returns undefined of a model that is told nothing
 * @throws {InvalidDataError} for a sound without its label or control, or with one that does not fit
 */
export function soundCondition(owner: string, condition: Condition | undefined, { label, control }: Pick<Sound, 'label' | 'control'>, variables: number, frames: number): ConditionValues | undefined {
  if (!condition) return undefined
  if (condition.name === 'label') {
    if (label === undefined) throw new InvalidDataError(`${owner}: the sound has no label, but the model was made for p(sound | label). Give it one: { ...sound, label }.`)
    return Int32Array.of(labelNumber(owner, condition, label))
  }
  if (control === undefined) throw new InvalidDataError(`${owner}: the sound has no control sequence, but the model was made for p(sound | control). Give it one with an entry for each of ${frames} frames: { ...sound, control }.`)
  return entries(checkConditionValues(owner, condition, control, 1, frames), frames, 0, variables)
}

/** Entries begin … begin + count − 1 of a control sequence of so many; beyond its end the last one again. */
export function entries<A extends ConditionValues>(control: A, length: number, begin: number, count: number): A {
  const width = control.length / length
  const result = new (control.constructor as new (size: number) => A)(count * width)
  for (let at = 0; at < count; at++) {
    const from = Math.min(begin + at, length - 1) * width
    result.set(control.subarray(from, from + width), at * width)
  }
  return result
}
