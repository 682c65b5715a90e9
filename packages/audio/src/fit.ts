/** `fit` for sounds. */
import { fixedLength, InvalidDataError, InvalidOptionError, wholeNumber } from '@chainrule/core'
import { fitBound, type FitOptions } from '@chainrule/modality'
import type * as training from '@chainrule/train'
import type { AudioModel, TrainedAudio } from './model.js'
import type { Sound } from './sound.js'
import { soundCondition } from './sound-condition.js'
import { soundWindows } from './windows.js'

/** Sounds that are not trained on, measured in windows like those of training. */
export interface AudioValidationOptions extends Omit<training.ValidationOptions, 'data'> {
  readonly sounds: readonly Sound[]
}

export interface FitAudioOptions extends FitOptions {
  /** Frames of one training window; sounds of any length need it, those of one length are taken whole. */
  window?: number
  validation?: AudioValidationOptions
}

/**
 * Trains on sounds; of a model with a condition, each needs its label or control sequence.
 * @throws {InvalidDataError} for a sound that the tokenizer refuses, or one that is shorter than a window and has no end
 * @throws {InvalidOptionError} where sounds of any length come without a window
 */
export async function fit(audioModel: AudioModel, sounds: readonly Sound[], options: FitAudioOptions): Promise<TrainedAudio> {
  const { window: asked, validation, ...rest } = options
  const window = windowOf(audioModel, asked)
  const trained = await fitBound(audioModel, rest, {
    data: dataOf(audioModel, sounds, window, 'fit'),
    ...(audioModel.model.domain.length === 'variable' && { length: window }),
    ...(validation && { validation: validationOf(audioModel, validation, window) }),
  })
  return { ...trained, window }
}

function windowOf({ model: { domain } }: AudioModel, asked: number | undefined): number {
  if (domain.length !== 'variable') {
    if (asked !== undefined) throw new InvalidOptionError(`fit: the sounds of this model have ${domain.length} frames and are taken whole. Leave window out.`)
    return fixedLength(domain, 'fit')
  }
  if (asked === undefined) throw new InvalidOptionError('fit: sounds of any length are trained on in windows; say how many frames one has (window).')
  return wholeNumber('fit', 'window', asked)
}

function dataOf({ tokenizer, model }: AudioModel, sounds: readonly Sound[], window: number, owner: string): training.Data {
  if (!Array.isArray(sounds)) throw new InvalidDataError(`${owner}: expected a list of sounds, got ${sounds === undefined ? 'nothing' : 'something else'}. Put one sound into brackets.`)
  if (sounds.length === 0) throw new InvalidDataError(`${owner}: there is no sound.`)
  const encoded = sounds.map((sound, which) => {
    const x = tokenizer.encode(sound)
    const condition = soundCondition(`${owner}: sound ${which}`, model.condition, sound, x.length / tokenizer.frameLength, sound.samples.length / tokenizer.frameLength)
    return { x, ...(condition && { condition }) }
  })
  return model.domain.length === 'variable' ? soundWindows(encoded, model.domain, window, model.condition?.isSequence) : { length: encoded.length, at: (index) => encoded[index] }
}

function validationOf(audioModel: AudioModel, { sounds, ...rest }: AudioValidationOptions, window: number): training.ValidationOptions {
  const all = dataOf(audioModel, sounds, window, 'validation')
  if (audioModel.model.domain.length !== 'variable') return { ...rest, data: all }
  // One window in so many, the first of all among them: that covers each sound about once.
  const at = (index: number) => all.at(index * window)
  return { ...rest, data: { length: Math.ceil(all.length / window), at } }
}
