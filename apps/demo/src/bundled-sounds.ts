/** The bundled recordings, cut and labelled: one file of sound, and a list of what is in it, one recording after the other. */
import { readFile } from 'node:fs/promises'
import { readSound, type Sound } from '@chainrule/audio'
import { bundledSounds } from './bundled.js'

export interface Recording {
  /** As in the set that it is from: digit, speaker, number. */
  readonly name: string
  readonly label: string
  readonly sound: Sound
}

interface Listing {
  readonly sounds: readonly { readonly name: string; readonly label: string; readonly samples: number }[]
}

/** All recordings of a bundled sample, in the order of its list. */
export async function readBundledSounds(name: keyof typeof bundledSounds): Promise<Recording[]> {
  const { sound, listing } = bundledSounds[name]
  const { sounds } = JSON.parse(await readFile(listing, 'utf8')) as Listing
  const { sampleRateHz, samples } = await readSound(sound)
  let end = 0
  return sounds.map(({ name, label, samples: length }) => ({ name, label, sound: { sampleRateHz, samples: samples.slice(end, (end += length)) } }))
}
