/** `evaluate`: −log p of images, by a trained or an opened model. */
import { InvalidOptionError, refuseUnknownOptions } from '@chainrule/core'
import type { Engine } from '@chainrule/core/tensors'
import { conditionOf } from '@chainrule/modality'
import { onnx } from '@chainrule/onnx'
import * as training from '@chainrule/train'
import { encodeImages, joinedImages } from './encode-images.js'
import type { ImageSet } from './image.js'
import { type ImageEvaluation, imageUnits } from './image-units.js'
import type { LoadedImage } from './loaded.js'
import type { TrainedImage } from './model.js'

export interface EvaluateImageOptions {
  /** What computes, for a trained model; the recorded program on onnxruntime by default. */
  engine?: Engine
  /** Threads of the default engine. */
  threads?: number
  signal?: AbortSignal
  onProgress?: (progress: { examples: number; of: number }) => void
}

/** Images that are scored in one run. */
const imagesAtOnce = 32

/**
 * −log p of images as the tokenizer makes them, exactly.
 * @throws {InvalidDataError} for no image, and for one of another size
 * @throws {InvalidOptionError} for an engine where the model is opened already
 */
export async function evaluate(model: TrainedImage | LoadedImage, images: ImageSet, options: EvaluateImageOptions = {}): Promise<ImageEvaluation> {
  refuseUnknownOptions('evaluate', options, ['engine', 'threads', 'signal', 'onProgress'])
  const { engine, threads, signal, onProgress } = options
  const data = encodeImages(model.tokenizer, images, 'evaluate', conditionOf(model))
  const nats = new Float64Array(data.length)
  const onExample = (index: number, ofVariables: Float32Array) => {
    for (const each of ofVariables) nats[index] += each
  }
  if ('opened' in model) {
    if (engine !== undefined || threads !== undefined) throw new InvalidOptionError('evaluate: engine and threads are for trained models; an opened one computes as it was opened (loadModel with provider and threads).')
    for (let from = 0; from < data.length; from += imagesAtOnce) {
      const count = Math.min(imagesAtOnce, data.length - from)
      const scored = await model.opened.score({ ...joinedImages(data, from, count), signal })
      const d = scored.length / count
      for (let which = 0; which < count; which++) onExample(from + which, scored.subarray(which * d, (which + 1) * d))
      onProgress?.({ examples: from + count, of: data.length })
    }
  } else await training.evaluate(model.model, model.parameters, data, { engine: engine ?? onnx({ threads }), signal, onProgress, onExample })
  return imageUnits(nats, model.tokenizer)
}
