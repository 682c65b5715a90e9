/** `evaluate`: −log p of images, by a trained or an opened model. */
import { InvalidOptionError, refuseUnknownOptions } from '@chainrule/core'
import type { Engine } from '@chainrule/core/tensors'
import { conditionOf } from '@chainrule/modality'
import { onnx } from '@chainrule/onnx'
import * as training from '@chainrule/train'
import { checkDequantization, type Dequantization, dequantized } from './dequantization.js'
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
  /** Of tokenizers with `dequantized`: which numbers to measure by (one draw, of seed 0). */
  dequantization?: Partial<Dequantization>
  onProgress?: (progress: { examples: number; of: number }) => void
}

/** Images that are scored in one run. */
const imagesAtOnce = 32

/**
 * −log p of images as the tokenizer makes them, exactly; of real values a bound on it.
 * @throws {InvalidDataError} for no image, and for one of another size
 * @throws {InvalidOptionError} for an engine where the model is opened already
 */
export async function evaluate(model: TrainedImage | LoadedImage, images: ImageSet, options: EvaluateImageOptions = {}): Promise<ImageEvaluation> {
  refuseUnknownOptions('evaluate', options, ['engine', 'threads', 'signal', 'dequantization', 'onProgress'])
  const { engine, threads, signal, onProgress } = options
  if (options.dequantization && model.tokenizer.levelWidth === undefined) throw new InvalidOptionError('evaluate: dequantization is for tokenizers of real values (dequantized: true). Leave it out; the likelihood is exact.')
  const dequantization = checkDequantization('evaluate', options.dequantization)
  const data = dequantized(model.tokenizer, encodeImages(model.tokenizer, images, 'evaluate', conditionOf(model)), dequantization)
  const nats = new Float64Array(images.length)
  const onExample = (index: number, ofVariables: Float32Array) => {
    for (const each of ofVariables) nats[index % nats.length] += (each * nats.length) / data.length
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
  return imageUnits(nats, model.tokenizer, dequantization)
}
