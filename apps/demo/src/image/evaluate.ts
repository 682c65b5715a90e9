/** `chainrule evaluate` of an image model: exact likelihood. Of the images that it was trained on, only those held out count. */
import type { JsonObject } from '@chainrule/core'
import * as image from '@chainrule/image'
import { conditionOf, type ImageSet, type ImageTokenizer, type LoadedImage, type Run } from '@chainrule/image'
import type { Context } from '../context.js'
import { evaluateBy, type EvaluateOptions } from '../evaluate.js'
import { evaluationProgress } from '../progress.js'
import { counted } from '../wording.js'
import { partToMeasure, readForModel } from './image-data.js'
import { imageLikelihood } from './wording.js'

export interface ImageEvaluateOptions extends EvaluateOptions {
  /** The file of labels of an IDX file. */
  labels?: string | true
}

export async function evaluateImages(path: string, options: ImageEvaluateOptions, context: Context): Promise<JsonObject> {
  const { output, signal } = context
  return evaluateBy<Run, LoadedImage>(image, path, options, context, async ({ model, trainedOn, engine }) => {
    const { part, why, images } = partToMeasure(await readForModel(options, model.tokenizer, conditionOf(model), trainedOn), trainedOn)
    output.say(`${options.data}, ${part}: ${why}`)
    const progress = evaluationProgress(signal, 'images')
    const evaluation = await image.evaluate(model, images, { engine, signal, onProgress: progress.onProgress }).finally(progress.stop)
    output.print(imageLikelihood(evaluation))
    const { examples, dimensions, largestError } = evaluation
    const lost = largestError === undefined ? `; in the nearest colours of a palette, ${meanError(model.tokenizer, images).toFixed(1)} of 255 off (root mean square)` : largestError > 0 ? `; intensities as the model sees them, at most ${largestError} off` : ''
    output.print(`${counted(examples, 'image')} of ${counted(dimensions, 'dimension')}${lost}`)
    return { part, ...evaluation }
  })
}

/** √ of the mean squared difference between images and what their tokenizer makes of them. */
function meanError({ encode, decode }: ImageTokenizer, images: ImageSet): number {
  const squares = Array.from({ length: images.length }, (_, which) => image.rootMeanSquareError(images.at(which)!, decode(encode(images.at(which)!))) ** 2)
  return Math.sqrt(squares.reduce((sum, each) => sum + each, 0) / squares.length)
}
