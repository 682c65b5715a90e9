/** `fit` and `plan` for images. */
import { refuseUnknownOptions } from '@chainrule/core'
import { fitBound, type FitOptions, planBound, type PlanOptions } from '@chainrule/modality'
import type * as training from '@chainrule/train'
import { checkDequantization, dequantized, trainingDraws } from './dequantization.js'
import { encodeImages } from './encode-images.js'
import type { ImageSet } from './image.js'
import type { ImageModel, TrainedImage } from './model.js'
import { previewOf, previewOptions, type PreviewImageOptions } from './preview.js'

/** Images that are not trained on. */
export interface ImageValidationOptions extends Omit<training.ValidationOptions, 'data'> {
  readonly images: ImageSet
}

export interface FitImageOptions extends FitOptions {
  validation?: ImageValidationOptions
  /** A few samples every so often. */
  preview?: PreviewImageOptions
}

/**
 * Trains on images of the tokenizer's size; of a model with a condition, each needs its label.
 * @throws {InvalidDataError} for no image, and for one of another size or without its label
 * @throws {InvalidOptionError} where `from` is another model or has another tokenizer
 */
export async function fit(imageModel: ImageModel, images: ImageSet, options: FitImageOptions): Promise<TrainedImage> {
  const { validation, preview, ...rest } = options
  if (preview) refuseUnknownOptions('preview', preview, previewOptions)
  return fitBound(imageModel, rest, {
    data: dequantized(imageModel.tokenizer, encodeImages(imageModel.tokenizer, images, 'fit', imageModel.model.condition), { seed: rest.seed ?? 0, draws: trainingDraws }),
    ...(validation && { validation: validationOf(imageModel, validation) }),
    ...(preview && { preview: { everySteps: preview.everySteps, show: async (parameters, step) => preview.show(await previewOf(imageModel, parameters, preview, rest.threads), step) } }),
  })
}

/** What a training is going to take: parameters, arithmetic, memory, time. Makes and forgets a few updates where `state` knows no rate. */
export function plan(imageModel: ImageModel, options: PlanOptions): Promise<training.Plan> {
  return planBound(imageModel, options)
}

function validationOf({ tokenizer, model }: ImageModel, { images, ...rest }: ImageValidationOptions): training.ValidationOptions {
  return { ...rest, data: dequantized(tokenizer, encodeImages(tokenizer, images, 'validation', model.condition), checkDequantization('validation')) }
}
