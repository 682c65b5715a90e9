/** `chainrule train image`: trains on images. */
import { join } from 'node:path'
import { countParameters, type JsonObject } from '@chainrule/core'
import { evaluate, fit, type Image, type ImageEvaluation, type ImageTokenizer, plan as costs, type TrainedImage, writePngGrid } from '@chainrule/image'
import type { Context } from '../context.js'
import { runTraining, type Trainee, type TrainingOptions } from '../training.js'
import { commandLine, count, counted } from '../wording.js'
import { freshImagePlan, type ImageTrainingPlan, type ImageTrainOptions, resumedImagePlan } from './training-plan.js'
import { imageLikelihood, resultsOf } from './wording.js'

export interface ImageTrainCommandOptions extends ImageTrainOptions, TrainingOptions {
  /** Updates between two pictures of samples. */
  preview?: number
}

export async function trainImages(options: ImageTrainCommandOptions, context: Context): Promise<JsonObject> {
  return runTraining(traineeOf(await (options.resume ? resumedImagePlan(options) : freshImagePlan(options)), options), options, context)
}

function traineeOf(plan: ImageTrainingPlan, options: ImageTrainCommandOptions): Trainee<TrainedImage, ImageEvaluation> {
  const { images, model, description: { settings: { steps }, validation } } = plan
  const { out, preview } = options
  const show = async (samples: readonly Image[], step: number, aside: (text: string) => void) => {
    const file = join(out, `preview-${String(step).padStart(String(steps).length, '0')}.png`)
    await writePngGrid(file, samples, { scale: scaleFor(samples[0]) })
    aside(`after ${counted(step, 'step')}: ${file}`)
  }
  return {
    modality: 'image',
    plan,
    dataArguments: dataArguments(options),
    nouns: { variable: model.tokenizer.name === 'patches' ? 'patch' : 'pixel', examples: 'images' },
    lossName: 'smoothedNatsPerVariable',
    summary: summaryOf(plan, options),
    costs: (settings) => costs(model, settings),
    fit: (common, aside) =>
      fit(model, images.training, {
        ...common,
        ...(validation && { validation: { ...validation, images: images.validation } }),
        ...(preview !== undefined && { preview: { everySteps: preview, show: (samples: readonly Image[], step: number) => show(samples, step, aside) } }),
      }),
    ...(images.heldOut.length > 0 && { evaluate: (trained: TrainedImage, how: object) => evaluate(trained, images.heldOut, how) }),
    likelihood: imageLikelihood,
    resultsOf,
    next: (run) => [commandLine('sample', run, ...(model.model.condition ? [] : ['--count', '16']), '--out', 'samples.png'), commandLine('complete', run, ...dataArguments(options), '--out', 'completed.png')],
  }
}

/** What names the same images again. */
const dataArguments = ({ data, labels }: ImageTrainCommandOptions): string[] => ['--data', data, ...(typeof labels === 'string' ? ['--labels', labels] : [])]

function valuesOf({ name, domain, options: { levels, colors } }: ImageTokenizer): string {
  if (Array.isArray(colors)) return `a palette of ${counted(colors.length, 'colour')}`
  return `${name} of ${count(levels as number)} levels${domain.values === 'real' ? ' as intervals of real numbers' : ''}`
}

/** Small images are shown larger. */
export const scaleFor = ({ height, width }: Pick<Image, 'height' | 'width'>): number => Math.max(1, Math.floor(96 / Math.max(height, width)))

function summaryOf({ model: { model, tokenizer }, images, description: { data }, state, isResumed }: ImageTrainingPlan, { preset = 'small', from, out }: ImageTrainCommandOptions): string {
  const what = isResumed ? `going on with ${out}` : from === undefined ? preset : `from ${from}`
  const kept = [Math.round(data.images * data.heldOut), Math.round(data.images * data.validation)]
  const validation = kept[1] === 0 ? '' : `, ${count(kept[1])} to validate with`
  const colour = data.channels === 3 ? 'in colour' : 'gray'
  const bits = data.binarizationSeed === undefined ? '' : ', binarised anew for every update'
  return `${what}: ${model.network.name}, ${count(countParameters(state.parameters))} parameters, ${valuesOf(tokenizer)}, order ${model.order.name}; ${count(data.images - kept[0] - kept[1])} images of ${data.file} (${data.height} × ${data.width}, ${colour}${bits}${model.condition ? `, with ${counted(model.condition.size, 'label')}` : ''}) to train on${validation}, ${count(images.heldOut.length)} held out`
}
