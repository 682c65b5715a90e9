/** `chainrule train text`: trains on one file and keeps a run; also goes on with one. */
import { join } from 'node:path'
import { countParameters, InterruptedError, type JsonObject } from '@chainrule/core'
import type { Engine } from '@chainrule/core/tensors'
import { checkpointFile, createRunDirectory, evaluate, fit, metricsFile, plan as planText, recordResults, type TextEvaluation, type TrainedText, trainingEnd } from '@chainrule/text'
import type { Context } from './context.js'
import { engineNamed, type EngineName } from './engines.js'
import { evaluationProgress, startTrainingProgress } from './progress.js'
import { freshPlan, resumedPlan, type TrainingPlan, type TrainOptions } from './training-plan.js'
import { labelOf } from './tokenizers.js'
import { argumentsOf, costLine, discard, metricsLines, selectionLine } from './trainings.js'
import { commandLine, count, counted, duration, likelihood } from './wording.js'

export interface TrainCommandOptions extends TrainOptions {
  threads?: number
  engine?: EngineName
  /** Seconds between two checkpoints. */
  checkpointEvery?: number
  /** Updates between two samples. */
  preview?: number
}

/** Where a run lies, what it learns from and what computes. */
export interface Place {
  readonly out: string
  readonly data: string
  readonly engine: Engine
  /** The options that choose the engine again. */
  readonly engineArguments: readonly string[]
  readonly signal: AbortSignal
  readonly checkpointEvery?: number
  readonly preview?: number
}

export async function train(options: TrainCommandOptions, { output, signal }: Context): Promise<JsonObject> {
  const plan = await (options.resume ? resumedPlan(options) : freshPlan(options))
  const engine = await engineNamed(options.engine, options.threads)
  const { model, description, state } = plan
  const isComplete = state.step === description.settings.steps
  const costs = isComplete ? undefined : await planText(model, { ...description.settings, window: description.window, engine, state })
  await makeFolder(plan, options.out)
  output.say(planLine(plan, options, engine))
  if (costs) output.say(costLine(costs, 'token'))
  const engineArguments = argumentsOf(options)
  const place: Place = { out: options.out, data: options.data, engine, engineArguments, signal, checkpointEvery: options.checkpointEvery, preview: options.preview }
  const { trained, loss } = await trainPlan(plan, place)
  const { step, seconds } = trained.state
  const evaluation = await evaluateHeldOut(plan, trained, place)
  if (evaluation) await recordResults(options.out, trained, plan.description, resultsOf(evaluation))
  const { steps } = description.settings
  const stopped = step < steps ? ` of ${count(steps)}, stopped early: nothing better for ${counted(description.validation!.patience!, 'validation')}` : ''
  output.print(`trained    ${counted(step, 'step')}${stopped} in ${duration(seconds)}${loss === undefined ? '' : `, last ${loss.toFixed(3)} nats per token`}`)
  if (trained.selection.kind !== 'last' || trained.selection.validationNats !== undefined) output.print(`kept       ${selectionLine(trained.selection, 'token')}`)
  output.print(`held out   ${evaluation ? likelihood(evaluation) : 'nothing'}`)
  output.print(`run        ${options.out}`)
  output.print()
  output.print('What to do next:')
  output.print(`  ${commandLine('sample', options.out, '--length', '400')}`)
  output.print(`  ${commandLine('evaluate', options.out, '--data', options.data, ...engineArguments)}`)
  output.print(`  ${commandLine('export', options.out, '--out', `${options.out}-model`)}`)
  return {
    command: 'train',
    run: options.out,
    data: plan.description.data,
    parameters: countParameters(trained.parameters),
    steps: step,
    seconds,
    engine: engine.name,
    resumed: plan.isResumed,
    plan: costs ? { ...costs, memory: { ...costs.memory } } : null,
    selection: { ...trained.selection },
    smoothedNatsPerToken: loss ?? null,
    heldOut: evaluation ? { ...evaluation } : null,
  }
}

/** The folder of a fresh run. @throws {InvalidDataError} where a run is there already, or the folder cannot be made */
export async function makeFolder({ isResumed }: TrainingPlan, out: string): Promise<void> {
  if (!isResumed) await createRunDirectory(out)
}

/** Trains as planned, in the run's folder, with live progress. A fresh run that fails before its first update leaves nothing behind. */
export async function trainPlan(plan: TrainingPlan, { out, data, engine, engineArguments, signal, checkpointEvery, preview }: Place): Promise<{ trained: TrainedText; loss?: number }> {
  const { text, model, description, state, best, isResumed } = plan
  const { validationBegin, heldOutBegin } = description.data
  const path = join(out, checkpointFile)
  const { steps } = description.settings
  const progress = startTrainingProgress(steps, state.step, signal)
  let made = state.step
  try {
    const trained = await fit(model, text.slice(0, trainingEnd(description.data)), {
      ...description.settings,
      window: description.window,
      engine,
      signal,
      state,
      best,
      ...(description.validation && { validation: { ...description.validation, text, begin: validationBegin, end: heldOutBegin } }),
      ...(preview !== undefined && { preview: { everySteps: preview, show: (sample: string, step: number) => progress.aside(`after ${counted(step, 'step')}: ${sample.trimEnd().replaceAll('\n', '\n  ')}`) } }),
      metrics: { path: join(out, metricsFile), everySteps: Math.ceil(steps / metricsLines) },
      checkpoint: { path, run: description, everySeconds: checkpointEvery },
      onProgress(update) {
        made = update.step
        progress.update(update)
      },
    })
    return { trained, loss: progress.loss() }
  } catch (error) {
    if (error instanceof InterruptedError) {
      throw new InterruptedError(`Training was interrupted after ${made} of ${counted(steps, 'step')}; the checkpoint is in ${out}. Go on with: ${commandLine('train', 'text', '--data', data, '--out', out, '--resume', ...engineArguments)}`)
    }
    if (!isResumed && made === 0) await discard(out, path)
    throw error
  } finally {
    progress.stop()
  }
}

/** Nothing where nothing was held out. */
export async function evaluateHeldOut({ text, description }: TrainingPlan, trained: TrainedText, { out, data, engine, engineArguments, signal }: Place): Promise<TextEvaluation | undefined> {
  const { heldOutBegin: begin, heldOutEnd: end } = description.data
  if (begin === end) return undefined
  const progress = evaluationProgress(signal)
  try {
    return await evaluate(trained, text, { begin, end, engine, signal, onProgress: progress.onProgress })
  } catch (error) {
    if (error instanceof InterruptedError) throw new InterruptedError(`Training is complete and kept in ${out}; only the evaluation was interrupted. Evaluate with: ${commandLine('evaluate', out, '--data', data, ...engineArguments)}`)
    throw error
  } finally {
    progress.stop()
  }
}

/** What goes into the run and the card of the exported model. */
export function resultsOf({ natsPerCharacter, bitsPerCharacter, bitsPerByte, natsPerToken, natsPerDocument, characters, protocol }: TextEvaluation): JsonObject {
  return { part: 'held out', natsPerCharacter, bitsPerCharacter, bitsPerByte, natsPerToken, ...(natsPerDocument !== undefined && { natsPerDocument }), characters, protocol }
}

function planLine({ model: { model, tokenizer }, description, state, isResumed }: TrainingPlan, { preset = 'small', from, out }: TrainCommandOptions, engine: Engine): string {
  const { settings, data } = description
  const what = isResumed ? `going on with ${out}` : from === undefined ? preset : `from ${from}`
  const steps = isResumed ? `${count(state.step)} of ${counted(settings.steps, 'step')} are made` : counted(settings.steps, 'step')
  const unit = data.documents ? 'documents' : 'characters'
  const validation = data.validationBegin === undefined ? '' : `, ${count(data.heldOutBegin - data.validationBegin)} to validate with`
  return `${what}: ${model.network.name}, ${count(countParameters(state.parameters))} parameters, ${labelOf(tokenizer)} tokens (${count(tokenizer.domain.values)} values); ${count(trainingEnd(data))} ${unit} of ${data.file} to train on${validation}, ${count(data.length - data.heldOutBegin)} held out; ${steps}; engine ${engine.name}`
}
