/** What training carries from one update to the next: as arrays, and under which names the training program knows it. */
import { InvalidCheckpointError, InvalidOptionError, type ParameterArrays } from '@chainrule/core'
import { type Model, scoped } from '@chainrule/core/tensors'
import type { ResolvedSettings } from './options.js'

/** Everything that the next update depends on. */
export interface TrainingState {
  /** Updates made. */
  readonly step: number
  /** Seconds spent in training, over all runs. */
  readonly seconds: number
  readonly parameters: ParameterArrays
  /** As adam-w.ts keeps them; fixed parameters have none, nor an average. */
  readonly firstMoments: ParameterArrays
  readonly secondMoments: ParameterArrays
  /** The average of the parameters (average.ts); only where `averageDecay` is above 0. */
  readonly average?: ParameterArrays
  /** The best validation so far; its parameters are kept apart (validation.ts). */
  readonly best?: { readonly step: number; readonly nats: number }
}

/** The parts that are parameters, or look like them, with their prefix in the program and in the checkpoint. */
export const parts = { parameters: 'parameter/', firstMoments: 'first/', secondMoments: 'second/', average: 'average/' } as const
export type Part = keyof typeof parts
type Joined<T> = Partial<Record<Part, Record<string, T>>>

const zerosLike = (arrays: ParameterArrays): ParameterArrays => Object.fromEntries(Object.entries(arrays).map(([name, { shape, data }]) => [name, { shape, data: new Float32Array(data.length) }]))

/** Several records of tensors or arrays as one. */
export function join<T>(records: Joined<T>): Record<string, T> {
  const entries = Object.entries(parts).flatMap(([part, prefix]) => Object.entries(records[part as Part] ?? {}).map(([name, value]) => [prefix + name, value] as const))
  return Object.fromEntries(entries)
}

/** The records again; `average` is absent where none was joined. */
export function split<T>(joined: Record<string, T>): Record<'parameters' | 'firstMoments' | 'secondMoments', Record<string, T>> & { average?: Record<string, T> } {
  const [parameters, firstMoments, secondMoments, average] = Object.values(parts).map((prefix) => scoped(joined, prefix))
  return { parameters, firstMoments, secondMoments, ...(Object.keys(average).length > 0 && { average }) }
}

/** The parameters that gradients change. */
export function trainedOnly<T>({ isFixed }: Pick<Model, 'isFixed'>, parameters: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => !isFixed(name)))
}

/** The state before the first update of these parameters. */
export function stateOf(model: Pick<Model, 'isFixed'>, parameters: ParameterArrays): TrainingState {
  const trained = trainedOnly(model, parameters)
  return { step: 0, seconds: 0, parameters, firstMoments: zerosLike(trained), secondMoments: zerosLike(trained) }
}

/** The state before the first update of fresh parameters. */
export function initialState(model: Model, seed: number): TrainingState {
  return stateOf(model, model.initialize(seed))
}

/**
 * Where training begins: at the state given, at the parameters given, or at fresh parameters. The average begins as the parameters.
 * @throws {InvalidOptionError} where both are given, the parameters are not those of the model, or they are needed and not given
 * @throws {InvalidCheckpointError} where the state does not belong to the model and the settings
 */
export function startingState(model: Model, settings: ResolvedSettings, state?: TrainingState, from?: ParameterArrays): TrainingState {
  if (state && from) throw new InvalidOptionError('training: both state and from are given. A state goes on with a training, from begins one at known parameters: choose one.')
  const fresh = model.initialize(settings.seed)
  if (from) {
    const misfit = shapeDifference(model, fresh, from)
    if (misfit) throw new InvalidOptionError(`training: from holds parameters of another model: ${misfit}. Build the model of the same pieces and options.`)
  }
  const fixed = Object.keys(fresh).find((name) => model.isFixed(name))
  if (fixed && !state && !from) throw new InvalidOptionError(`training: "${fixed}" of ${model.network.name} is not changed by updates, so it must be known before: give the parameters to begin with (from).`)
  const start = state ?? stateOf(model, from ?? fresh)
  if (Object.keys(start.firstMoments).length === 0) throw new InvalidOptionError(`training: ${model.network.name} has no parameters that updates change.`)
  if (state) checkState(model, state, fresh, settings)
  return settings.averageDecay > 0 && start.step === 0 ? { ...start, average: trainedOnly(model, start.parameters) } : start
}

function checkState(model: Model, state: TrainingState, expected: ParameterArrays, { steps, averageDecay }: ResolvedSettings): void {
  const fail = (why: string): never => {
    throw new InvalidCheckpointError(`The state to go on from does not fit: ${why}.`)
  }
  for (const part of Object.keys(parts) as Part[]) {
    const arrays = state[part]
    if (!arrays) continue
    const misfit = shapeDifference(model, part === 'parameters' ? expected : trainedOnly(model, expected), arrays)
    if (misfit) fail(`${part} ${misfit}`)
  }
  if (state.step > steps) fail(`it has made ${state.step} updates, more than the ${steps} asked for`)
  if (averageDecay > 0 && state.step > 0 && !state.average) fail(`averageDecay is ${averageDecay}, but it holds no average of its ${state.step} updates`)
  if (averageDecay === 0 && state.average) fail('it holds an average of the parameters, but averageDecay is 0')
}

/** The first name that differs in its shape; undefined where none does. Fixed parameters may have any. */
export function shapeDifference({ isFixed }: Model, expected: ParameterArrays, got: ParameterArrays): string | undefined {
  for (const name of new Set([...Object.keys(expected), ...Object.keys(got)])) {
    const [want, have] = [expected[name]?.shape, got[name]?.shape]
    if (want && have && isFixed(name)) continue
    if (String(want) !== String(have)) return `"${name}" is ${have ? `[${have}]` : 'absent'}, expected ${want ? `[${want}]` : 'none'}`
  }
  return undefined
}
