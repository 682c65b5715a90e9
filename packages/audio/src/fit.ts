/** `fit` for sounds. */
import { fixedLength, InvalidDataError, InvalidOptionError, refuseUnknownOptions, UnsupportedError, wholeNumber } from '@chainrule/core'
import { fitBound, type FitOptions, planBound, type PlanOptions } from '@chainrule/modality'
import type * as training from '@chainrule/train'
import type { AudioModel, TrainedAudio } from './model.js'
import { previewOf, previewOptions, type PreviewAudioOptions } from './preview.js'
import { type AnySound, wholeSound } from './sound.js'
import { soundCondition } from './sound-condition.js'
import { soundWindows, valuesOf } from './windows.js'

/** Sounds that are not trained on, measured in windows like those of training. */
export interface AudioValidationOptions extends Omit<training.ValidationOptions, 'data'> {
  readonly sounds: readonly AnySound[]
}

export interface FitAudioOptions extends FitOptions {
  /** Frames of one training window; sounds of any length need it, those of one length are taken whole. */
  window?: number
  validation?: AudioValidationOptions
  /** A few samples every so often. */
  preview?: PreviewAudioOptions
}

export interface PlanAudioOptions extends PlanOptions {
  window?: number
}

/**
 * Trains on sounds; of a model with a condition, each needs its label or control sequence.
 * @throws {InvalidDataError} for a sound that the tokenizer refuses, or one that is shorter than a window and has no end
 * @throws {InvalidOptionError} where sounds of any length come without a window
 */
export async function fit(audioModel: AudioModel, sounds: readonly AnySound[], options: FitAudioOptions): Promise<TrainedAudio> {
  const { window: asked, validation, preview, ...rest } = options
  const window = windowOf(audioModel, asked)
  if (preview) {
    refuseUnknownOptions('preview', preview, previewOptions)
    if (audioModel.model.condition?.isSequence) throw new UnsupportedError('preview: the model is told a control sequence, and there is none for a sample. Leave preview out.')
  }
  const trained = await fitBound(audioModel, rest, {
    data: dataOf(audioModel, sounds, window, 'fit'),
    ...(audioModel.model.domain.length === 'variable' && { length: window }),
    ...(validation && { validation: validationOf(audioModel, validation, window) }),
    ...(preview && { preview: { everySteps: preview.everySteps, show: async (parameters, step) => preview.show(await previewOf(audioModel, parameters, preview, rest.threads), step) } }),
  })
  return { ...trained, window }
}

/** What a training is going to take: parameters, arithmetic, memory, time. Makes and forgets a few updates where `state` knows no rate. */
export function plan(audioModel: AudioModel, { window, ...rest }: PlanAudioOptions): Promise<training.Plan> {
  const length = windowOf(audioModel, window)
  return planBound(audioModel, rest, audioModel.model.domain.length === 'variable' ? length : undefined)
}

function windowOf({ model: { domain } }: AudioModel, asked: number | undefined): number {
  if (domain.length !== 'variable') {
    if (asked !== undefined) throw new InvalidOptionError(`fit: the sounds of this model have ${domain.length} frames and are taken whole. Leave window out.`)
    return fixedLength(domain, 'fit')
  }
  if (asked === undefined) throw new InvalidOptionError('fit: sounds of any length are trained on in windows; say how many frames one has (window).')
  return wholeNumber('fit', 'window', asked)
}

function dataOf(audioModel: AudioModel, sounds: readonly AnySound[], window: number, owner: string): training.Data {
  const { tokenizer, model } = audioModel
  if (!Array.isArray(sounds)) throw new InvalidDataError(`${owner}: expected a list of sounds, got ${sounds === undefined ? 'nothing' : 'something else'}. Put one sound into brackets.`)
  if (sounds.length === 0) throw new InvalidDataError(`${owner}: there is no sound.`)
  if (model.domain.length === 'variable') return soundWindows(sounds.map((sound, which) => valuesOf(`${owner}: sound ${which}`, audioModel, sound)), model.domain, window, model.condition?.isSequence)
  const encoded = sounds.map((each, which) => {
    const sound = wholeSound(each)
    const x = tokenizer.encode(sound)
    const frames = x.length / tokenizer.frameLength
    const condition = soundCondition(`${owner}: sound ${which}`, model.condition, sound, frames, frames)
    return { x, ...(condition && { condition }) }
  })
  return { length: encoded.length, at: (index) => encoded[index] }
}

function validationOf(audioModel: AudioModel, { sounds, ...rest }: AudioValidationOptions, window: number): training.ValidationOptions {
  const all = dataOf(audioModel, sounds, window, 'validation')
  if (audioModel.model.domain.length !== 'variable') return { ...rest, data: all }
  // One window in so many, the first of all among them: that covers each sound about once.
  const at = (index: number) => all.at(index * window)
  return { ...rest, data: { length: Math.ceil(all.length / window), at } }
}
