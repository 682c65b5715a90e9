/** Sound ↔ variables; no tensors, no native code: also for browsers. */
import { type Piece, UnknownPieceError } from '@chainrule/core'
import { frames, type SoundTokenizer } from './frames.js'

export { checkSound, clipped, type Sound, wholeFrames } from '../sound.js'
export { linear, type LinearOptions, muLaw, type MuLawOptions, real, type SoundEncoding } from './encodings.js'
export { frames, type FramesOptions, type SoundTokenizer } from './frames.js'

const byName: Record<string, (options: never) => SoundTokenizer> = { frames }

/** The tokenizer that a file names. @throws {UnknownPieceError} */
export function tokenizerFromName({ name, options }: Piece): SoundTokenizer {
  const make = Object.hasOwn(byName, name) ? byName[name] : undefined
  if (!make) throw new UnknownPieceError(`No sound tokenizer is called "${name}". Known: ${Object.keys(byName).join(', ')}.`)
  return make(options as never)
}
