/** `chainrule evaluate` of an image model: exact likelihood. Of the images that it was trained on, only those held out count. */
import { InvalidOptionError, type JsonObject } from '@chainrule/core'
import type { Engine } from '@chainrule/core/tensors'
import { conditionOf, evaluate, type LoadedImage, loadModel, type OpenOptions, type TrainedImage, trainedOf } from '@chainrule/image'
import type { Context } from '../context.js'
import { engineNamed, type EngineName } from '../engines.js'
import { evaluationProgress } from '../progress.js'
import { counted } from '../wording.js'
import { partToMeasure, readForModel } from './image-data.js'
import { imageSubjectAt } from './subject.js'
import { imageLikelihood } from './wording.js'

export interface ImageEvaluateCommandOptions extends Pick<OpenOptions, 'provider' | 'threads'> {
  data: string
  /** The file of labels of an IDX file. */
  labels?: string | true
  /** Runs only. */
  engine?: EngineName
}

export async function evaluateImages(path: string, options: ImageEvaluateCommandOptions, { output, signal }: Context): Promise<JsonObject> {
  const subject = await imageSubjectAt(path)
  if (subject.kind === 'run' && options.provider) throw new InvalidOptionError(`--provider belongs to exported models; ${path} is a run. Use --engine, or export it first.`)
  if (subject.kind === 'model' && options.engine) throw new InvalidOptionError(`--engine belongs to runs; ${path} is an exported model. Use --provider.`)
  const evaluatePart = async (trainedOn: JsonObject, model: TrainedImage | LoadedImage, runBy: string, engine?: Engine): Promise<JsonObject> => {
    const { part, why, images } = partToMeasure(await readForModel(options, model.tokenizer, conditionOf(model), trainedOn), trainedOn)
    output.say(`${options.data}, ${part}: ${why}`)
    const progress = evaluationProgress(signal, 'images')
    const evaluation = await evaluate(model, images, { engine, signal, onProgress: progress.onProgress }).finally(progress.stop)
    output.print(imageLikelihood(evaluation))
    output.print(`${counted(evaluation.examples, 'image')} of ${counted(evaluation.dimensions, 'dimension')}${evaluation.largestError ? `; intensities as the model sees them, at most ${evaluation.largestError} off` : ''}`)
    return { command: 'evaluate', model: path, kind: subject.kind, data: options.data, part, ...evaluation, runBy }
  }
  if (subject.kind === 'run') {
    const engine = await engineNamed(options.engine, options.threads)
    return evaluatePart(subject.run.description.data, trainedOf(subject.run), engine.name, engine)
  }
  const loaded = await loadModel(subject.path, { provider: options.provider, threads: options.threads })
  try {
    output.say(`provider ${loaded.reason}`)
    return await evaluatePart(loaded.manifest.card.data, loaded, loaded.reason)
  } finally {
    await loaded.release()
  }
}
