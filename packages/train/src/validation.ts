/**
 * Validation: the likelihood of data that is not trained on, every so many updates. The parameters that did best are kept, and training
 * may stop when nothing better came for a while. What chooses parameters must not judge them: keep other data for the final number.
 *
 * Everything here is a function of the step, so a resumed run validates, keeps and stops where an uninterrupted one does.
 */
import { InvalidCheckpointError, NonFiniteError, type ParameterArrays, refuseUnknownOptions, wholeNumber } from '@chainrule/core'
import type { Engine, Model } from '@chainrule/core/tensors'
import type { Data } from './data.js'
import { createEvaluator } from './evaluate.js'
import type { TrainingState } from './state.js'

export interface ValidationOptions {
  readonly data: Data
  /** Updates between two validations; there is one after the last update, too. */
  readonly everySteps: number
  /** Training stops after this many validations in a row that bring nothing better; absent: never. */
  readonly patience?: number
}

/** The parameters of the best validation: the average where one is kept, else the parameters themselves. */
export interface BestParameters {
  /** Updates made. */
  readonly step: number
  /** Nats per variable on the validation data. */
  readonly nats: number
  readonly parameters: ParameterArrays
}

/** What the progress of an update tells where it was validated. */
export interface ValidationResult {
  /** Nats per variable. */
  readonly nats: number
  readonly isBest: boolean
}

export interface Validator {
  /** Validates the state after an update, where that is due. @throws {NonFiniteError} */
  after(step: number, state: () => Promise<TrainingState>): Promise<ValidationResult | undefined>
  /** Whether training has been without a better validation for too long. */
  isStale(step: number): boolean
  /** The best so far, and the same for the state. */
  best(): BestParameters | undefined
  mark(): TrainingState['best']
  release(): Promise<void>
}

/** The parameters of a state that are meant to be used. */
export const currentParameters = ({ parameters, average }: Pick<TrainingState, 'parameters' | 'average'>): ParameterArrays => ({ ...parameters, ...average })

/**
 * @param start where training begins or goes on
 * @param best the best parameters of the training so far, where it goes on
 * @throws {InvalidOptionError | InvalidCheckpointError}
 */
export async function createValidator(model: Model, options: ValidationOptions, steps: number, start: TrainingState, best: BestParameters | undefined, engine: Engine): Promise<Validator> {
  refuseUnknownOptions('validation', options, ['data', 'everySteps', 'patience'])
  const everySteps = wholeNumber('validation', 'everySteps', options.everySteps)
  const patience = options.patience === undefined ? Infinity : wholeNumber('validation', 'patience', options.patience)
  // One that is newer than the state: it was kept just before the program was killed, and will be found again.
  if (start.best && (!best || best.step < start.best.step)) {
    throw new InvalidCheckpointError(`The state to go on from has its best validation at update ${start.best.step}, but its best parameters are ${best ? `those of update ${best.step}` : 'not there'}. Both belong to a training.`)
  }
  const evaluator = await createEvaluator(model, start.parameters, options.data, { engine })
  let mark = start.best
  let kept = start.best && best
  return {
    async after(step, state) {
      if (step % everySteps !== 0 && step !== steps) return undefined
      const parameters = currentParameters(await state())
      const nats = await evaluator.evaluate(parameters)
      if (!Number.isFinite(nats)) throw new NonFiniteError(`After update ${step} the validation data has ${nats} nats. Lower learningRate or clipNorm and go on from the last checkpoint.`)
      const isBest = nats < (mark?.nats ?? Infinity)
      if (isBest) {
        mark = { step, nats }
        kept = { step, nats, parameters }
      }
      return { nats, isBest }
    },
    isStale: (step) => mark !== undefined && Math.floor(step / everySteps) - Math.floor(mark.step / everySteps) >= patience,
    best: () => kept,
    mark: () => mark,
    release: () => evaluator.release(),
  }
}
