/** `sample`, `score` and `complete` of trained models, too: recorded and opened for the one call. */
import { withOpened } from '@chainrule/modality'
import * as opened from './complete.js'
import type { Image, ImageSet } from './image.js'
import type { LoadedImage, OpenOptions } from './loaded.js'
import type { TrainedImage } from './model.js'
import { openTrained } from './open-trained.js'
import { sample as sampleOpened, type SampleImageOptions } from './sample.js'
import { type ImageScore, score as scoreOpened, type ScoreImageOptions } from './score.js'

/** Images from the model. The same seed gives the same images. */
export function sample(model: TrainedImage | LoadedImage, options: SampleImageOptions & OpenOptions = {}): Promise<Image[]> {
  return withOpened(openTrained, model, options, sampleOpened)
}

/** −log p of each image, and of each of its pixels given what comes before it in the order. */
export function score(model: TrainedImage | LoadedImage, images: ImageSet, options: ScoreImageOptions & OpenOptions = {}): Promise<ImageScore[]> {
  return withOpened(openTrained, model, options, (loaded, others: ScoreImageOptions) => scoreOpened(loaded, images, others))
}

/** Draws what is missing of images; complete.ts says when that is exact. */
export function complete(model: TrainedImage | LoadedImage, images: readonly Image[], options: opened.CompleteImageOptions & OpenOptions): Promise<opened.Completion> {
  return withOpened(openTrained, model, options, (loaded, others: opened.CompleteImageOptions) => opened.complete(loaded, images, others))
}
