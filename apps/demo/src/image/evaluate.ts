/** `chainrule evaluate` of an image model: exact likelihood. Of the images that it was trained on, only those held out count. */
import type { JsonObject } from '@chainrule/core'
import * as image from '@chainrule/image'
import { conditionOf, type LoadedImage, type Run } from '@chainrule/image'
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
    output.print(`${counted(evaluation.examples, 'image')} of ${counted(evaluation.dimensions, 'dimension')}${evaluation.largestError ? `; intensities as the model sees them, at most ${evaluation.largestError} off` : ''}`)
    return { part, ...evaluation }
  })
}
