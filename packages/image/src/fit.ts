/** `fit` and `plan` for images. */
import { describe, InvalidOptionError, type JsonObject, type ParameterArrays, refuseUnknownOptions } from '@chainrule/core'
import type { Engine } from '@chainrule/core/tensors'
import { onnx } from '@chainrule/onnx'
import * as training from '@chainrule/train'
import { encodeImages } from './encode-images.js'
import type { ImageSet } from './image.js'
import type { ImageModel, TrainedImage } from './model.js'
import { previewOf, previewOptions, type PreviewImageOptions } from './preview.js'
import type { RunDescription } from './run.js'

/** Images that are not trained on. */
export interface ImageValidationOptions extends Omit<training.ValidationOptions, 'data'> {
  readonly images: ImageSet
}

export interface PlanImageOptions extends training.TrainingSettings {
  /** Default: the recorded program on onnxruntime. */
  engine?: Engine
  /** Threads of the default engine. */
  threads?: number
  /** Where to go on from; absent: a new training. */
  state?: training.TrainingState
}

export interface FitImageOptions extends PlanImageOptions {
  signal?: AbortSignal
  /** Called after every update. */
  onProgress?: (progress: training.TrainingProgress) => void
  /** The best parameters so far, where `state` has validated. */
  best?: training.BestParameters
  /** Fine-tuning: a model of the same pieces, or its parameters, to begin with. */
  from?: ParameterArrays | Pick<TrainedImage, 'tokenizer' | 'parameters'>
  validation?: ImageValidationOptions
  /** A few samples every so often. */
  preview?: PreviewImageOptions
  /** Where to keep checkpoints; `run` is stored with them. */
  checkpoint?: Omit<training.CheckpointOptions, 'run'> & { readonly run?: JsonObject | RunDescription }
  /** Where to write one line of numbers for each update. */
  metrics?: training.MetricsOptions
}

/**
 * Trains on images of the tokenizer's size.
 * @throws {InvalidDataError} for no image, and for one of another size
 * @throws {InvalidOptionError} where `from` is another model or has another tokenizer
 */
export async function fit(imageModel: ImageModel, images: ImageSet, options: FitImageOptions): Promise<TrainedImage> {
  const { engine, threads, checkpoint, validation, preview, from, ...rest } = options
  const { model, tokenizer } = imageModel
  if (preview) refuseUnknownOptions('preview', preview, previewOptions)
  const trained = await training.fit(model, encodeImages(tokenizer, images, 'fit'), {
    ...rest,
    engine: engine ?? onnx({ threads }),
    ...(from && { from: parametersFrom(imageModel, from) }),
    ...(validation && { validation: validationOf(imageModel, validation) }),
    ...(preview && { preview: { everySteps: preview.everySteps, show: async (parameters: ParameterArrays, step: number) => preview.show(await previewOf(imageModel, parameters, preview, threads), step) } }),
    ...(checkpoint && { checkpoint: { ...checkpoint, run: (checkpoint.run ?? {}) as JsonObject } }),
  })
  return { ...imageModel, ...trained }
}

/** What a training is going to take: parameters, arithmetic, memory, time. Makes and forgets a few updates where `state` knows no rate. */
export async function plan({ model }: ImageModel, { engine, threads, ...rest }: PlanImageOptions): Promise<training.Plan> {
  return training.plan(model, { ...rest, engine: engine ?? onnx({ threads }) })
}

function validationOf({ tokenizer }: ImageModel, { images, ...rest }: ImageValidationOptions): training.ValidationOptions {
  return { ...rest, data: encodeImages(tokenizer, images, 'validation') }
}

function parametersFrom({ tokenizer }: ImageModel, from: NonNullable<FitImageOptions['from']>): ParameterArrays {
  if (!isModel(from)) return from
  const [own, given] = [tokenizer, from.tokenizer].map((each) => JSON.stringify(describe(each)))
  if (own !== given) throw new InvalidOptionError(`fit: from has another tokenizer (${given}; this model: ${own}). The same numbers would mean other images: build this model with the tokenizer of from.`)
  return from.parameters
}

const isModel = (from: NonNullable<FitImageOptions['from']>): from is Pick<TrainedImage, 'tokenizer' | 'parameters'> => typeof (from as Partial<TrainedImage>).tokenizer?.encode === 'function'
