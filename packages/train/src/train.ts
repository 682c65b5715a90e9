/**
 * Maximum-likelihood training with teacher forcing. `train` is an async generator: it yields after every update and returns the
 * trained model. Everything random or counted is a function of seed and step: a training that goes on from a state equals one that
 * was never interrupted, bit for bit on one thread.
 */
import { InvalidCheckpointError, InvalidDataError, NonFiniteError, type ParameterArrays, throwIfInterrupted, wholeNumber } from '@chainrule/core'
import type { CompiledProgram, Engine, Model } from '@chainrule/core/tensors'
import { batchArrays, type Data, drawBatches, trainingLayout } from './data.js'
import { drawMasks } from './dropout-masks.js'
import { resolveSettings, type ResolvedSettings, scheduleOf, type TrainingSettings } from './options.js'
import { numbersOf, trainingProgram } from './program.js'
import { learningRateAt } from './schedule.js'
import { split, startingState, type TrainingState } from './state.js'
import { type BestParameters, createValidator, currentParameters, type ValidationOptions, type ValidationResult } from './validation.js'

export interface TrainOptions extends TrainingSettings {
  engine: Engine
  /** Variables of one example; the domain's length where that is fixed. */
  length?: number
  /** Where to go on from; absent: a new training. */
  state?: TrainingState
  /** The best parameters so far, where `state` has validated. */
  best?: BestParameters
  /** The parameters that a new training begins with (fine-tuning); absent: fresh ones. */
  from?: ParameterArrays
  validation?: ValidationOptions
  signal?: AbortSignal
}

export interface TrainingProgress {
  /** Updates made. */
  readonly step: number
  readonly steps: number
  /** The loss of this update's batch: nats per variable. */
  readonly nats: number
  readonly gradientNorm: number
  readonly learningRate: number
  readonly variablesPerSecond: number
  readonly secondsLeft: number
  /** Where this update was validated. */
  readonly validation?: ValidationResult
  /** The best parameters so far, where there is validation. */
  readonly best?: BestParameters
  /** A copy of the state after this update. */
  state(): Promise<TrainingState>
}

/** Which of the parameters of a training are its result: those of the best validation, the average, or the last ones. */
export interface Selection {
  readonly kind: 'last' | 'average'
  /** The update that they are of. */
  readonly step: number
  /** Nats per variable on the validation data, where that has chosen them. */
  readonly validationNats?: number
}

/** A model with parameters, and how they were found. */
export interface Trained {
  readonly model: Model
  readonly parameters: ParameterArrays
  readonly selection: Selection
  readonly settings: ResolvedSettings
  readonly state: TrainingState
}

/** The parameters that a training comes down to. */
export function select(state: TrainingState, best?: BestParameters): { parameters: ParameterArrays; selection: Selection } {
  const kind = state.average ? 'average' : 'last'
  if (best) return { parameters: best.parameters, selection: { kind, step: best.step, validationNats: best.nats } }
  return { parameters: currentParameters(state), selection: { kind, step: state.step } }
}

/** The variables of one example. */
export function exampleLength({ domain }: Model, asked: number | undefined): number {
  return domain.length === 'variable' ? wholeNumber('training', 'length', asked) : domain.length
}

/** Makes update number `step`, counted from 0: all its micro-batches. @throws {NonFiniteError} */
export async function makeUpdate(compiled: CompiledProgram, model: Model, data: Data, settings: ResolvedSettings, length: number, step: number): Promise<Pick<TrainingProgress, 'nats' | 'gradientNorm' | 'learningRate'>> {
  const { domain, boundNetwork: { dropout } } = model
  const learningRate = learningRateAt(step, scheduleOf(settings))
  let [nats, gradientNorm] = [0, 0]
  const layout = trainingLayout(model, length)
  for (const [micro, batch] of drawBatches(data, settings, step, layout).entries()) {
    const numbers = numbersOf(step, micro, learningRate, settings)
    const masks = drawMasks(dropout, settings.batchSize, length, settings.seed, step, micro)
    const result = await compiled.run({ ...batchArrays(batch, layout, domain.length === 'variable'), ...masks, numbers })
    nats += result.nats[0] / settings.accumulation
    gradientNorm = result.gradientNorm[0]
    if (!Number.isFinite(nats) || !Number.isFinite(gradientNorm)) {
      throw new NonFiniteError(`At update ${step + 1} the loss became ${nats} (gradient norm ${gradientNorm}). Nothing of this update is kept; lower learningRate (now ${learningRate.toPrecision(3)}) or clipNorm and go on from the last checkpoint.`)
    }
  }
  return { nats, gradientNorm, learningRate }
}

/**
 * Trains; yields after every update.
 * @throws {NonFiniteError} where the loss or a gradient stops being a number; the update is lost, no state holds it
 * @throws {InterruptedError} where the signal fires, between two updates
 */
export async function* train(model: Model, data: Data, options: TrainOptions): AsyncGenerator<TrainingProgress, Trained> {
  const { engine, length: askedLength, state: given, best, from, validation, signal, ...rest } = options
  const settings = resolveSettings(rest)
  const length = exampleLength(model, askedLength)
  if (data.length < 1) throw new InvalidDataError('There is nothing to train on: the data holds no example.')
  const start = startingState(model, settings, given, from)
  if (start.best && !validation) throw new InvalidCheckpointError(`The state to go on from has validated (best: update ${start.best.step}); go on with the same validation.`)
  const { program, specification } = trainingProgram(model, settings, length, start)
  const compiled = await engine.compile(program, specification)
  const validator = validation && (await createValidator(model, validation, settings.steps, start, best, engine).catch((error: unknown) => compiled.release().then(() => Promise.reject(error))))
  try {
    const begun = performance.now()
    let step = start.step
    const seconds = () => start.seconds + (performance.now() - begun) / 1000
    const state = async (): Promise<TrainingState> => {
      const mark = validator?.mark()
      return { step, seconds: seconds(), ...split(await compiled.carried()), ...(mark && { best: mark }) }
    }
    while (step < settings.steps && !validator?.isStale(step)) {
      throwIfInterrupted(signal, 'Training')
      const update = await makeUpdate(compiled, model, data, settings, length, step)
      step++
      const validated = await validator?.after(step, state)
      const perUpdate = (performance.now() - begun) / 1000 / (step - start.step)
      yield {
        step,
        steps: settings.steps,
        ...update,
        variablesPerSecond: (settings.batchSize * settings.accumulation * length) / perUpdate,
        secondsLeft: perUpdate * (settings.steps - step),
        ...(validated && { validation: validated }),
        ...(validator && { best: validator.best() }),
        state,
      }
    }
    const final = await state()
    return { model, ...select(final, validator?.best()), settings, state: final }
  } finally {
    await compiled.release()
    await validator?.release()
  }
}
