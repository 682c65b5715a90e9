/** What `chainrule train` does for every modality: it trains as planned, in the folder of a run, with live progress, and measures what was held out. */
import { rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { countParameters, InterruptedError, type JsonObject } from '@chainrule/core'
import type { Engine } from '@chainrule/core/tensors'
import { type Bound, type FitOptions, type PlanOptions, recordResults, type RunDescription, type TrainedBound } from '@chainrule/modality'
import { type BestParameters, checkpointFile, createRunDirectory, metricsFile, type Plan, type Selection, type TrainingState } from '@chainrule/train'
import type { Context } from './context.js'
import { engineNamed, type EngineName } from './engines.js'
import type { ModalityName } from './modality.js'
import { evaluationProgress, startTrainingProgress } from './progress.js'
import { argumentsOf } from './training-options.js'
import { bytes, commandLine, count, counted, duration, operations } from './wording.js'

/** What a training is going to do, decided and checked before anything is written. */
export interface TrainingPlan<B extends Bound = Bound, Description extends RunDescription = RunDescription> {
  readonly model: B
  readonly description: Description
  readonly state: TrainingState
  readonly best?: BestParameters
  readonly isResumed: boolean
}

/** What a modality brings to its training. */
export interface Trainee<Trained extends TrainedBound, Evaluation extends object> {
  readonly modality: ModalityName
  readonly plan: TrainingPlan
  /** The options that name the data again. */
  readonly dataArguments: readonly string[]
  /** What a variable is, and an example of an evaluation. */
  readonly nouns: { readonly variable: string; readonly examples: string }
  /** The name of the smoothed loss in the document. */
  readonly lossName: string
  /** The model and its data in one line, without the steps and the engine. */
  readonly summary: string
  costs(options: PlanOptions): Promise<Plan>
  /** @param aside shows lines while it trains */
  fit(options: FitOptions, aside: (text: string) => void): Promise<Trained>
  /** Of what was held out; undefined where nothing was. */
  evaluate?(trained: Trained, options: { engine: Engine; signal: AbortSignal; onProgress(progress: { examples: number; of: number }): void }): Promise<Evaluation>
  likelihood(evaluation: Evaluation): string
  /** What goes into the run and the card of the exported model. */
  resultsOf(evaluation: Evaluation): JsonObject
  /** Commands to go on with. */
  next(run: string): string[]
}

export interface TrainingOptions {
  out: string
  threads?: number
  engine?: EngineName
  /** Seconds between two checkpoints. */
  checkpointEvery?: number
}

/** Where a run lies, and what computes. */
export interface Place extends Pick<TrainingOptions, 'out' | 'checkpointEvery'> {
  readonly engine: Engine
  /** The options that choose the engine again. */
  readonly engineArguments: readonly string[]
  readonly signal: AbortSignal
}

/** About as many lines of metrics has a run. */
const metricsLines = 2000

/** `chainrule train`, once it is decided what to train. */
export async function runTraining<Trained extends TrainedBound, Evaluation extends object>(trainee: Trainee<Trained, Evaluation>, options: TrainingOptions, { output, signal }: Context): Promise<JsonObject> {
  const { plan, nouns, lossName, likelihood } = trainee
  const { description, state, isResumed } = plan
  const { steps } = description.settings
  const { out, checkpointEvery } = options
  const engine = await engineNamed(options.engine, options.threads)
  const costs = state.step === steps ? undefined : await trainee.costs({ ...description.settings, engine, state })
  if (!isResumed) await createRunDirectory(out)
  output.say(`${trainee.summary}; ${isResumed ? `${count(state.step)} of ${counted(steps, 'step')} are made` : counted(steps, 'step')}; engine ${engine.name}`)
  if (costs) output.say(costLine(costs, nouns.variable))
  const place: Place = { out, engine, engineArguments: argumentsOf(options), signal, checkpointEvery }
  const { trained, loss } = await trainPlan(trainee, place)
  const evaluation = await evaluateHeldOut(trainee, trained, place)
  if (evaluation) await recordResults(out, trained, description, trainee.resultsOf(evaluation))
  const { step, seconds } = trained.state
  const { selection } = trained
  const stopped = step < steps ? ` of ${count(steps)}, stopped early: nothing better for ${counted(description.validation!.patience!, 'validation')}` : ''
  output.print(`trained    ${counted(step, 'step')}${stopped} in ${duration(seconds)}${loss === undefined ? '' : `, last ${loss.toFixed(3)} nats per ${nouns.variable}`}`)
  if (selection.kind !== 'last' || selection.validationNats !== undefined) output.print(`kept       ${selectionLine(selection, nouns.variable)}`)
  output.print(`held out   ${evaluation ? likelihood(evaluation) : 'nothing'}`)
  output.print(`run        ${out}`)
  output.print()
  output.print('What to do next:')
  for (const line of [...trainee.next(out), commandLine('export', out, '--out', `${out}-model`)]) output.print(`  ${line}`)
  return {
    command: 'train',
    run: out,
    data: description.data,
    parameters: countParameters(trained.parameters),
    steps: step,
    seconds,
    engine: engine.name,
    resumed: isResumed,
    plan: costs ? { ...costs, memory: { ...costs.memory } } : null,
    selection: { ...selection },
    [lossName]: loss ?? null,
    heldOut: evaluation ? ({ ...evaluation } as JsonObject) : null,
  }
}

/** Trains as planned, in the run's folder, with live progress. A fresh run that fails before its first update leaves nothing behind. */
export async function trainPlan<Trained extends TrainedBound, Evaluation extends object>(trainee: Trainee<Trained, Evaluation>, { out, engine, engineArguments, signal, checkpointEvery }: Place): Promise<{ trained: Trained; loss?: number }> {
  const { description, state, best, isResumed } = trainee.plan
  const { steps } = description.settings
  const path = join(out, checkpointFile)
  const progress = startTrainingProgress(steps, state.step, signal, trainee.nouns.variable)
  let made = state.step
  try {
    const trained = await trainee.fit(
      {
        ...description.settings,
        engine,
        signal,
        state,
        best,
        metrics: { path: join(out, metricsFile), everySteps: Math.ceil(steps / metricsLines) },
        checkpoint: { path, run: description, everySeconds: checkpointEvery },
        onProgress(update) {
          made = update.step
          progress.update(update)
        },
      },
      progress.aside,
    )
    return { trained, loss: progress.loss() }
  } catch (error) {
    if (error instanceof InterruptedError) {
      throw new InterruptedError(`Training was interrupted after ${made} of ${counted(steps, 'step')}; the checkpoint is in ${out}. Go on with: ${commandLine('train', trainee.modality, ...trainee.dataArguments, '--out', out, '--resume', ...engineArguments)}`)
    }
    if (!isResumed && made === 0) await discard(out, path)
    throw error
  } finally {
    progress.stop()
  }
}

/** Nothing where nothing was held out. */
export async function evaluateHeldOut<Trained extends TrainedBound, Evaluation extends object>({ evaluate, nouns, dataArguments }: Trainee<Trained, Evaluation>, trained: Trained, { out, engine, engineArguments, signal }: Place): Promise<Evaluation | undefined> {
  if (!evaluate) return undefined
  const progress = evaluationProgress(signal, nouns.examples)
  try {
    return await evaluate(trained, { engine, signal, onProgress: progress.onProgress })
  } catch (error) {
    if (error instanceof InterruptedError) throw new InterruptedError(`Training is complete and kept in ${out}; only the evaluation was interrupted. Evaluate with: ${commandLine('evaluate', out, ...dataArguments, ...engineArguments)}`)
    throw error
  } finally {
    progress.stop()
  }
}

/** Removes the checkpoint, and the folder where nothing else is in it. */
async function discard(directory: string, path: string): Promise<void> {
  await rm(path, { force: true })
  await rmdir(directory).catch(() => undefined)
}

/** @param noun what a variable is: token, pixel, … */
function costLine({ engine, forwardOperations, backwardOperations, variablesPerUpdate, memory, secondsPerUpdate, secondsLeft, rate }: Plan, noun: string): string {
  const total = Object.values(memory).reduce((sum, part) => sum + part, 0)
  const perSecond = (forwardOperations + backwardOperations) / secondsPerUpdate
  return `a step: ${counted(variablesPerUpdate, noun)}, ${operations(forwardOperations)} forward and ${operations(backwardOperations)} backward; memory: about ${bytes(total)}, ${bytes(memory.activations)} of it for activations; time: about ${duration(secondsLeft)} (${rate}: ${operations(perSecond)} a second), by ${engine}`
}

function selectionLine({ kind, step, validationNats }: Selection, noun: string): string {
  const what = kind === 'average' ? 'the average of the parameters' : 'the parameters'
  return `${what} after ${counted(step, 'step')}${validationNats === undefined ? '' : `, the best validation: ${validationNats.toFixed(4)} nats per ${noun}`}`
}
