/**
 * What a training is going to take, before its first update: parameters, arithmetic, memory and time.
 *
 * The program of one micro-batch is compiled, counted while the engine traces it (cost.ts), and run a few times on examples of zeros
 * where no rate is known yet.
 */
import { countParameters, refuseUnknownOptions } from '@chainrule/core'
import type { Arrays, CompiledProgram, Engine, Model, Program } from '@chainrule/core/tensors'
import { type Cost, counting } from './cost.js'
import { resolveSettings, settingNames, type TrainingSettings } from './options.js'
import { numbersOf, trainingProgram } from './program.js'
import { startingState, type TrainingState } from './state.js'
import { exampleLength } from './train.js'

export interface PlanOptions extends TrainingSettings {
  engine: Engine
  /** Variables of one example; the domain's length where that is fixed. */
  length?: number
  /** Where the training goes on from: its rate so far is the one expected. Absent, or at step 0: a few runs are made and timed. */
  state?: TrainingState
}

export interface Plan {
  /** How the engine runs the program, in a line for people. */
  readonly engine: string
  readonly parameters: number
  /** Variables (tokens, pixels) of one update, all its micro-batches together. */
  readonly variablesPerUpdate: number
  /** Floating-point operations of the matrix products of one update. */
  readonly forwardOperations: number
  readonly backwardOperations: number
  /** In bytes. */
  readonly memory: {
    readonly parameters: number
    readonly moments: number
    /** 0 where there is none, as for the sum of gradients. */
    readonly average: number
    readonly gradientSum: number
    /** What the forward pass of one micro-batch puts out and the backward pass reads: an upper bound of what is held at a time. */
    readonly activations: number
  }
  readonly secondsPerUpdate: number
  /** For all updates that are left; validation comes on top. */
  readonly secondsLeft: number
  /** 'so far': of the updates made; 'timed': of a few runs made for the purpose. */
  readonly rate: 'so far' | 'timed'
}

/** Plans a training; nothing of it is kept. @throws {InvalidOptionError | InvalidCheckpointError} as `train` does */
export async function plan(model: Model, options: PlanOptions): Promise<Plan> {
  const { engine, length: askedLength, state, ...rest } = options
  refuseUnknownOptions('plan', rest, settingNames)
  const settings = resolveSettings(rest)
  const length = exampleLength(model, askedLength)
  const start = startingState(model, settings, state)
  const { forward, backward, watched } = watch(model)
  const { program, specification } = trainingProgram(watched.model, settings, length, start)
  const compiled = await engine.compile(watched.program(program), specification)
  try {
    const zeros = (name: string): Arrays[string] => {
      const { shape, type } = specification.inputs[name]
      return new { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[type](shape.reduce((product, dimension) => product * dimension, 1))
    }
    const inputs: Arrays = { ...Object.fromEntries(Object.keys(specification.inputs).map((name) => [name, zeros(name)])), numbers: numbersOf(0, 0, 0, settings) }
    const isKnown = start.step > 0 && start.seconds > 0
    const timed = await secondsOfRun(compiled, inputs, isKnown)
    const secondsPerUpdate = isKnown ? start.seconds / start.step : timed * settings.accumulation
    const parameters = countParameters(start.parameters)
    return {
      engine: compiled.description ?? engine.name,
      parameters,
      variablesPerUpdate: settings.batchSize * settings.accumulation * length,
      forwardOperations: forward.operations * settings.accumulation,
      backwardOperations: backward.operations * settings.accumulation,
      memory: {
        parameters: 4 * parameters,
        moments: 8 * parameters,
        average: start.average ? 4 * parameters : 0,
        gradientSum: settings.accumulation > 1 ? 4 * parameters : 0,
        activations: forward.bytes,
      },
      secondsPerUpdate,
      secondsLeft: secondsPerUpdate * (settings.steps - start.step),
      rate: isKnown ? 'so far' : 'timed',
    }
  } finally {
    await compiled.release()
  }
}

/** A model and a program that are counted the first time the program is called: forward is what the model's likelihood takes. */
function watch(model: Model) {
  const [forward, backward]: Cost[] = [{ operations: 0, bytes: 0 }, { operations: 0, bytes: 0 }]
  let account = backward
  const watchedModel: Model = {
    ...model,
    logProbability(...given) {
      account = forward
      try {
        return model.logProbability(...given)
      } finally {
        account = backward
      }
    },
  }
  let isCounted = false
  const watchedProgram =
    (program: Program): Program =>
    (carried, inputs) => {
      if (isCounted) return program(carried, inputs)
      isCounted = true
      return counting(() => account, () => program(carried, inputs))
    }
  return { forward, backward, watched: { model: watchedModel, program: watchedProgram } }
}

const enoughSeconds = 1
const mostRuns = 6

/** The median of a few runs after the first, or the first where that is long; one run only where it is not the time that is asked for. */
async function secondsOfRun(compiled: CompiledProgram, inputs: Arrays, isKnown: boolean): Promise<number> {
  const times: number[] = []
  let total = 0
  while (times.length < (isKnown ? 1 : mostRuns) && total < enoughSeconds) {
    const begun = performance.now()
    await compiled.run(inputs)
    times.push((performance.now() - begun) / 1000)
    total += times.at(-1)!
  }
  const later = times.length > 1 ? times.slice(1).sort((a, b) => a - b) : times
  return later[Math.floor(later.length / 2)]
}
