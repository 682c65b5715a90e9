/** `chainrule train image`: trains on images and keeps a run; also goes on with one. */
import { join } from 'node:path'
import { countParameters, InterruptedError, type JsonObject } from '@chainrule/core'
import type { Engine } from '@chainrule/core/tensors'
import { checkpointFile, createRunDirectory, evaluate, fit, type Image, type ImageEvaluation, metricsFile, plan as planImages, recordResults, type TrainedImage, writePngGrid } from '@chainrule/image'
import type { Context } from '../context.js'
import { engineNamed, type EngineName } from '../engines.js'
import { evaluationProgress, startTrainingProgress } from '../progress.js'
import { argumentsOf, costLine, discard, metricsLines, selectionLine } from '../trainings.js'
import { commandLine, count, counted, duration } from '../wording.js'
import { freshImagePlan, type ImageTrainingPlan, type ImageTrainOptions, resumedImagePlan } from './training-plan.js'
import { imageLikelihood, resultsOf } from './wording.js'

export interface ImageTrainCommandOptions extends ImageTrainOptions {
  threads?: number
  engine?: EngineName
  /** Seconds between two checkpoints. */
  checkpointEvery?: number
  /** Updates between two pictures of samples. */
  preview?: number
}

export async function trainImages(options: ImageTrainCommandOptions, context: Context): Promise<JsonObject> {
  const { output } = context
  const plan = await (options.resume ? resumedImagePlan(options) : freshImagePlan(options))
  const engine = await engineNamed(options.engine, options.threads)
  const { model, description, state } = plan
  const { steps } = description.settings
  const costs = state.step === steps ? undefined : await planImages(model, { ...description.settings, engine, state })
  if (!plan.isResumed) await createRunDirectory(options.out)
  output.say(planLine(plan, options, engine))
  const noun = nounOf(plan)
  if (costs) output.say(costLine(costs, noun))
  const { trained, loss } = await trainPlan(plan, options, engine, noun, context)
  const { step, seconds } = trained.state
  const evaluation = await evaluateHeldOut(plan, trained, options, engine, context)
  if (evaluation) await recordResults(options.out, trained, description, resultsOf(evaluation))
  const stopped = step < steps ? ` of ${count(steps)}, stopped early: nothing better for ${counted(description.validation!.patience!, 'validation')}` : ''
  output.print(`trained    ${counted(step, 'step')}${stopped} in ${duration(seconds)}${loss === undefined ? '' : `, last ${loss.toFixed(3)} nats per ${noun}`}`)
  if (trained.selection.kind !== 'last' || trained.selection.validationNats !== undefined) output.print(`kept       ${selectionLine(trained.selection, noun)}`)
  output.print(`held out   ${evaluation ? imageLikelihood(evaluation) : 'nothing'}`)
  output.print(`run        ${options.out}`)
  output.print()
  output.print('What to do next:')
  output.print(`  ${commandLine('sample', options.out, ...(model.model.condition ? [] : ['--count', '16']), '--out', 'samples.png')}`)
  output.print(`  ${commandLine('complete', options.out, '--data', options.data, ...labelArguments(options), '--out', 'completed.png')}`)
  output.print(`  ${commandLine('export', options.out, '--out', `${options.out}-model`)}`)
  return {
    command: 'train',
    run: options.out,
    data: description.data,
    parameters: countParameters(trained.parameters),
    steps: step,
    seconds,
    engine: engine.name,
    resumed: plan.isResumed,
    plan: costs ? { ...costs, memory: { ...costs.memory } } : null,
    selection: { ...trained.selection },
    smoothedNatsPerVariable: loss ?? null,
    heldOut: evaluation ? { ...evaluation } : null,
  }
}

/** A file of labels, for a command that reads the same images. */
const labelArguments = ({ labels }: ImageTrainCommandOptions): string[] => (typeof labels === 'string' ? ['--labels', labels] : [])

/** What a variable is. */
const nounOf = ({ model: { tokenizer } }: ImageTrainingPlan) => (tokenizer.name === 'patches' ? 'patch' : 'pixel')

/** Trains as planned, in the run's folder, with live progress. A fresh run that fails before its first update leaves nothing behind. */
async function trainPlan(plan: ImageTrainingPlan, options: ImageTrainCommandOptions, engine: Engine, noun: string, { signal }: Context): Promise<{ trained: TrainedImage; loss?: number }> {
  const { images, model, description, state, best, isResumed } = plan
  const { out, preview } = options
  const path = join(out, checkpointFile)
  const { steps } = description.settings
  const progress = startTrainingProgress(steps, state.step, signal, noun)
  let made = state.step
  const show = async (samples: readonly Image[], step: number) => {
    const file = join(out, `preview-${String(step).padStart(String(steps).length, '0')}.png`)
    await writePngGrid(file, samples, { scale: scaleFor(samples[0]) })
    progress.aside(`after ${counted(step, 'step')}: ${file}`)
  }
  try {
    const trained = await fit(model, images.training, {
      ...description.settings,
      engine,
      signal,
      state,
      best,
      ...(description.validation && { validation: { ...description.validation, images: images.validation } }),
      ...(preview !== undefined && { preview: { everySteps: preview, show } }),
      metrics: { path: join(out, metricsFile), everySteps: Math.ceil(steps / metricsLines) },
      checkpoint: { path, run: description, everySeconds: options.checkpointEvery },
      onProgress(update) {
        made = update.step
        progress.update(update)
      },
    })
    return { trained, loss: progress.loss() }
  } catch (error) {
    if (error instanceof InterruptedError) {
      throw new InterruptedError(`Training was interrupted after ${made} of ${counted(steps, 'step')}; the checkpoint is in ${out}. Go on with: ${commandLine('train', 'image', '--data', options.data, ...labelArguments(options), '--out', out, '--resume', ...argumentsOf(options))}`)
    }
    if (!isResumed && made === 0) await discard(out, path)
    throw error
  } finally {
    progress.stop()
  }
}

/** Small images are shown larger. */
export const scaleFor = ({ height, width }: Pick<Image, 'height' | 'width'>): number => Math.max(1, Math.floor(96 / Math.max(height, width)))

/** Nothing where nothing was held out. */
async function evaluateHeldOut({ images: { heldOut } }: ImageTrainingPlan, trained: TrainedImage, options: ImageTrainCommandOptions, engine: Engine, { signal }: Context): Promise<ImageEvaluation | undefined> {
  if (heldOut.length === 0) return undefined
  const progress = evaluationProgress(signal, 'images')
  try {
    return await evaluate(trained, heldOut, { engine, signal, onProgress: progress.onProgress })
  } catch (error) {
    if (error instanceof InterruptedError) throw new InterruptedError(`Training is complete and kept in ${options.out}; only the evaluation was interrupted. Evaluate with: ${commandLine('evaluate', options.out, '--data', options.data, ...labelArguments(options), ...argumentsOf(options))}`)
    throw error
  } finally {
    progress.stop()
  }
}

function planLine({ model: { model, tokenizer }, images, description: { settings, data }, state, isResumed }: ImageTrainingPlan, { preset = 'small', out }: ImageTrainCommandOptions, engine: Engine): string {
  const what = isResumed ? `going on with ${out}` : preset
  const steps = isResumed ? `${count(state.step)} of ${counted(settings.steps, 'step')} are made` : counted(settings.steps, 'step')
  const kept = [Math.round(data.images * data.heldOut), Math.round(data.images * data.validation)]
  const validation = kept[1] === 0 ? '' : `, ${count(kept[1])} to validate with`
  const colour = data.channels === 3 ? 'in colour' : 'gray'
  const bits = data.binarizationSeed === undefined ? '' : ', binarised anew for every update'
  return `${what}: ${model.network.name}, ${count(countParameters(state.parameters))} parameters, ${tokenizer.name} of ${tokenizer.domain.values} levels, order ${model.order.name}; ${count(data.images - kept[0] - kept[1])} images of ${data.file} (${data.height} × ${data.width}, ${colour}${bits}${model.condition ? `, with ${counted(model.condition.size, 'label')}` : ''}) to train on${validation}, ${count(images.heldOut.length)} held out; ${steps}; engine ${engine.name}`
}
