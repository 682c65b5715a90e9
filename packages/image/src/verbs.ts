/** `sample`, `score` and `complete` of trained models, too: recorded and opened for the one call. */
import * as opened from './complete.js'
import type { Image, ImageSet } from './image.js'
import type { LoadedImage, OpenOptions } from './loaded.js'
import type { TrainedImage } from './model.js'
import { openTrained } from './open-trained.js'
import { sample as sampleOpened, type SampleImageOptions } from './sample.js'
import { type ImageScore, score as scoreOpened, type ScoreImageOptions } from './score.js'

type Verb<Options extends object, Result> = (loaded: LoadedImage, options: Options) => Promise<Result>

/** How to open it belongs to the trained model; one that is opened already refuses it. */
async function withOpened<Options extends object, Result>(model: TrainedImage | LoadedImage, options: Options & OpenOptions, verb: Verb<Options, Result>): Promise<Result> {
  if ('opened' in model) return verb(model, options)
  const { provider, threads, worker, ...others } = options
  const loaded = await openTrained(model, { provider, threads, worker })
  try {
    return await verb(loaded, others as Options)
  } finally {
    await loaded.release()
  }
}

/** Images from the model. The same seed gives the same images. */
export function sample(model: TrainedImage | LoadedImage, options: SampleImageOptions & OpenOptions = {}): Promise<Image[]> {
  return withOpened(model, options, sampleOpened)
}

/** −log p of each image, and of each of its pixels given what comes before it in the order. */
export function score(model: TrainedImage | LoadedImage, images: ImageSet, options: ScoreImageOptions & OpenOptions = {}): Promise<ImageScore[]> {
  return withOpened(model, options, (loaded, others) => scoreOpened(loaded, images, others))
}

/** Draws what is missing of images; complete.ts says when that is exact. */
export function complete(model: TrainedImage | LoadedImage, images: readonly Image[], options: opened.CompleteImageOptions & OpenOptions): Promise<opened.Completion> {
  return withOpened(model, options, (loaded, others) => opened.complete(loaded, images, others))
}
