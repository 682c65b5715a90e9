/** `fit` for sounds. */
import { fixedLength, InvalidDataError, InvalidOptionError, type ParameterArrays, wholeNumber } from '@chainrule/core'
import type { Engine } from '@chainrule/core/tensors'
import { onnx } from '@chainrule/onnx'
import * as training from '@chainrule/train'
import type { AudioModel, TrainedAudio } from './model.js'
import type { Sound } from './sound.js'
import { soundWindows } from './windows.js'

export interface FitAudioOptions extends training.TrainingSettings {
  /** Frames of one training window; sounds of any length need it, those of one length are taken whole. */
  window?: number
  /** Default: the recorded program on onnxruntime. */
  engine?: Engine
  /** Threads of the default engine. */
  threads?: number
  signal?: AbortSignal
  /** Called after every update. */
  onProgress?: (progress: training.TrainingProgress) => void
  /** Where to go on from; absent: a new training. */
  state?: training.TrainingState
  /** The best parameters so far, where `state` has validated. */
  best?: training.BestParameters
  /** Fine-tuning: parameters of a model of the same pieces. */
  from?: ParameterArrays
  /** Sounds that are not trained on, measured in windows like those of training. */
  validation?: Omit<training.ValidationOptions, 'data'> & { readonly sounds: readonly Sound[] }
  /** Where to keep checkpoints. */
  checkpoint?: training.CheckpointOptions
  /** Where to write one line of numbers for each update. */
  metrics?: training.MetricsOptions
}

/**
 * Trains on sounds.
 * @throws {InvalidDataError} for a sound that the tokenizer refuses, or one that is shorter than a window and has no end
 * @throws {InvalidOptionError} where sounds of any length come without a window
 */
export async function fit(audioModel: AudioModel, sounds: readonly Sound[], options: FitAudioOptions): Promise<TrainedAudio> {
  const { window: asked, engine, threads, validation, ...rest } = options
  const { model } = audioModel
  const window = windowOf(audioModel, asked)
  const trained = await training.fit(model, dataOf(audioModel, sounds, window, 'fit'), {
    ...rest,
    engine: engine ?? onnx({ threads }),
    ...(model.domain.length === 'variable' && { length: window }),
    ...(validation && { validation: validationOf(audioModel, validation, window) }),
  })
  return { ...audioModel, ...trained, window }
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
  if (sounds.length === 0) throw new InvalidDataError(`${owner}: there is no sound.`)
  const encoded = sounds.map((sound) => tokenizer.encode(sound))
  return model.domain.length === 'variable' ? soundWindows(encoded, model.domain, window) : { length: encoded.length, at: (index) => ({ x: encoded[index] }) }
}

function validationOf(audioModel: AudioModel, { sounds, ...rest }: NonNullable<FitAudioOptions['validation']>, window: number): training.ValidationOptions {
  const all = dataOf(audioModel, sounds, window, 'validation')
  if (audioModel.model.domain.length !== 'variable') return { ...rest, data: all }
  // One window in so many, the first of all among them: that covers each sound about once.
  const at = (index: number) => all.at(index * window)
  return { ...rest, data: { length: Math.ceil(all.length / window), at } }
}
