/** Parts of sounds, drawn by a seed: to train on, to validate with, held out to measure with. */
import { splitPlaces, type SplitOptions } from '@chainrule/modality'

export type { SplitOptions } from '@chainrule/modality'

/** The same sounds fall into the same parts for the same seed; within a part they keep their order. @throws {InvalidOptionError} where nothing is left for a part that was asked for */
export function splitSounds<Sound>(sounds: readonly Sound[], options: SplitOptions): { readonly training: Sound[]; readonly validation: Sound[]; readonly heldOut: Sound[] } {
  const { training, validation, heldOut } = splitPlaces('splitSounds', 'sound', sounds.length, options)
  const part = (places: Int32Array) => Array.from(places, (place) => sounds[place])
  return { training: part(training), validation: part(validation), heldOut: part(heldOut) }
}
