/**
 * Maximum-likelihood training with teacher forcing: forward, gradients, clipping and AdamW are one program of one engine.
 * `train` is an async generator: it yields after every update and returns the trained model.
 */
import { InvalidCheckpointError, InvalidDataError, NonFiniteError, type ParameterArrays, throwIfInterrupted, wholeNumber } from '@chainrule/core'
import { type Engine, type Model, negativeLogLikelihood, type Program, type ProgramSpecification, scoped, type Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { adamW, updateNumbers } from './adam-w.js'
import { type Data, drawBatch } from './data.js'
import { optimizerOf, resolveSettings, type ResolvedSettings, scheduleOf, type TrainingSettings } from './options.js'
import { learningRateAt } from './schedule.js'

/** Everything that the next update depends on. */
export interface TrainingState {
  /** Updates made. */
  readonly step: number
  /** Seconds spent in training, over all runs. */
  readonly seconds: number
  readonly parameters: ParameterArrays
  /** As adam-w.ts keeps them. */
  readonly firstMoments: ParameterArrays
  readonly secondMoments: ParameterArrays
}

export interface TrainOptions extends TrainingSettings {
  engine: Engine
  /** Variables of one example; the domain's length where that is fixed. */
  length?: number
  /** Where to go on from; absent: fresh parameters. */
  state?: TrainingState
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
  /** A copy of the state after this update. */
  state(): Promise<TrainingState>
}

/** A model with parameters, and how they were found. */
export interface Trained {
  readonly model: Model
  readonly parameters: ParameterArrays
  readonly settings: ResolvedSettings
  readonly state: TrainingState
}

/** The state before the first update. */
export function initialState(model: Model, seed: number): TrainingState {
  const parameters = model.initialize(seed)
  const zeros = (): ParameterArrays => Object.fromEntries(Object.entries(parameters).map(([name, { shape, data }]) => [name, { shape, data: new Float32Array(data.length) }]))
  return { step: 0, seconds: 0, parameters, firstMoments: zeros(), secondMoments: zeros() }
}

const withPrefix = <T>(record: Record<string, T>, prefix: string): Record<string, T> => Object.fromEntries(Object.entries(record).map(([name, value]) => [prefix + name, value]))

/** The carried tensors of the training program ↔ the state's three records. */
const join = <T>({ parameters, firstMoments, secondMoments }: Record<'parameters' | 'firstMoments' | 'secondMoments', Record<string, T>>): Record<string, T> => ({
  ...withPrefix(parameters, 'parameter/'),
  ...withPrefix(firstMoments, 'first/'),
  ...withPrefix(secondMoments, 'second/'),
})
const split = <T>(carried: Record<string, T>) => ({ parameters: scoped(carried, 'parameter/'), firstMoments: scoped(carried, 'first/'), secondMoments: scoped(carried, 'second/') })

/** The whole training step as one program, and what it takes. */
export function trainingProgram(model: Model, settings: ResolvedSettings, length: number, state: TrainingState): { program: Program; specification: ProgramSpecification } {
  const { batchSize } = settings
  const { components, length: domainLength } = model.domain
  const continues = domainLength === 'variable'
  const program: Program = (carried, inputs) => {
    const old = split(carried)
    const names = Object.keys(old.parameters)
    const before = continues ? { values: inputs.previous, isStart: inputs.isStart } : undefined
    const loss = (...values: tf.Tensor[]) => negativeLogLikelihood(model, Object.fromEntries(names.map((name, i) => [name, values[i]])), inputs.x, before) as tf.Scalar
    const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => old.parameters[name]))
    const gradients: Tensors = Object.fromEntries(names.map((name, i) => [name, grads[i]]))
    const { state, gradientNorm } = adamW(old, gradients, inputs.numbers, optimizerOf(settings))
    return { carried: join({ ...state }), outputs: { nats: value, gradientNorm } }
  }
  return {
    program,
    specification: {
      carried: join({ parameters: state.parameters, firstMoments: state.firstMoments, secondMoments: state.secondMoments }),
      inputs: {
        x: { shape: [batchSize, length, components], type: 'int32' },
        ...(continues && { previous: { shape: [batchSize, components], type: 'int32' as const }, isStart: { shape: [batchSize], type: 'bool' as const } }),
        numbers: { shape: [3], type: 'float32' },
      },
    },
  }
}

/**
 * Trains; yields after every update.
 * @throws {NonFiniteError} where the loss or a gradient stops being a number; the update is lost, no state holds it
 * @throws {InterruptedError} where the signal fires, between two updates
 */
export async function* train(model: Model, data: Data, options: TrainOptions): AsyncGenerator<TrainingProgress, Trained> {
  const { engine, length: askedLength, state: from, signal, ...rest } = options
  const settings = resolveSettings(rest)
  const { domain } = model
  const length = domain.length === 'variable' ? wholeNumber('training', 'length', askedLength) : domain.length
  if (data.length < 1) throw new InvalidDataError('There is nothing to train on: the data holds no example.')
  const start = from ?? initialState(model, settings.seed)
  checkState(model, start, settings)
  const { program, specification } = trainingProgram(model, settings, length, start)
  const compiled = await engine.compile(program, specification)
  try {
    const begun = performance.now()
    const schedule = scheduleOf(settings)
    const optimizer = optimizerOf(settings)
    let step = start.step
    const seconds = () => start.seconds + (performance.now() - begun) / 1000
    const state = async (): Promise<TrainingState> => ({ step, seconds: seconds(), ...split(await compiled.carried()) })
    while (step < settings.steps) {
      throwIfInterrupted(signal, 'Training')
      const learningRate = learningRateAt(step, schedule)
      const { x, previous, isStart } = drawBatch(data, settings.seed, step, settings.batchSize, length, domain.components)
      const numbers = updateNumbers(step, learningRate, optimizer)
      const result = await compiled.run(domain.length === 'variable' ? { x, previous, isStart, numbers } : { x, numbers })
      const [nats, gradientNorm] = [result.nats[0], result.gradientNorm[0]]
      if (!Number.isFinite(nats) || !Number.isFinite(gradientNorm)) {
        throw new NonFiniteError(`At update ${step + 1} the loss became ${nats} (gradient norm ${gradientNorm}). Nothing of this update is kept; lower learningRate (now ${learningRate.toPrecision(3)}) or clipNorm and go on from the last checkpoint.`)
      }
      step++
      const perUpdate = (performance.now() - begun) / 1000 / (step - start.step)
      yield {
        step,
        steps: settings.steps,
        nats,
        gradientNorm,
        learningRate,
        variablesPerSecond: (settings.batchSize * length) / perUpdate,
        secondsLeft: perUpdate * (settings.steps - step),
        state,
      }
    }
    const final = await state()
    return { model, parameters: final.parameters, settings, state: final }
  } finally {
    await compiled.release()
  }
}

/** Checks that a state belongs to this model. @throws {InvalidCheckpointError} */
function checkState(model: Model, state: TrainingState, { steps, seed }: ResolvedSettings): void {
  const expected = model.initialize(seed)
  for (const part of ['parameters', 'firstMoments', 'secondMoments'] as const) {
    const names = new Set([...Object.keys(expected), ...Object.keys(state[part])])
    for (const name of names) {
      const [want, got] = [expected[name]?.shape, state[part][name]?.shape]
      if (String(want) !== String(got)) throw new InvalidCheckpointError(`The state to go on from does not fit the model: ${part} "${name}" is ${got ? `[${got}]` : 'absent'}, expected ${want ? `[${want}]` : 'none'}.`)
    }
  }
  if (state.step > steps) throw new InvalidCheckpointError(`The state to go on from has made ${state.step} updates, more than the ${steps} asked for.`)
}
