/** The options of `chainrule train` that all modalities have: settings, validation, and which of them contradict a run that goes on. */
import { basename, resolve } from 'node:path'
import { InvalidOptionError } from '@chainrule/core'
import type { RunDescription } from '@chainrule/modality'
import { type ResolvedSettings, resolveSettings, type TrainingSettings } from '@chainrule/train'
import type { EngineName } from './engines.js'

/** Settings that the command line may change. */
export type SettingChanges = Pick<TrainingSettings, 'steps' | 'seed' | 'learningRate' | 'accumulation' | 'averageDecay'>

export interface TrainOptions extends SettingChanges {
  out: string
  data: string
  preset?: string
  /** Fractions of the data. */
  heldOut?: number
  validation?: number
  /** Updates between two validations; a twentieth of all by default. */
  validateEvery?: number
  patience?: number
  /** A run or an exported model to begin with. */
  from?: string
  resume?: boolean
}

export const defaultPreset = 'small'
export const defaultHeldOut = 0.1

/** Known settings with what is asked for; the warm-up shrinks with the number of steps, the least learning rate goes with the full one. */
export function settingsOf(known: Partial<TrainingSettings>, { steps = known.steps ?? 2000, seed = 0, learningRate, accumulation, averageDecay }: SettingChanges): ResolvedSettings {
  return resolveSettings({
    ...known,
    steps,
    seed,
    warmupSteps: Math.min(known.warmupSteps ?? Infinity, Math.floor(steps / 20)),
    ...(learningRate !== undefined && { learningRate, minimumLearningRate: learningRate / 10 }),
    ...(accumulation !== undefined && { accumulation }),
    ...(averageDecay !== undefined && { averageDecay }),
  })
}

/** The options that chose the engine, for a command that does so again. */
export function argumentsOf({ engine, threads }: { engine?: EngineName; threads?: number }): string[] {
  return [...(engine ? ['--engine', engine] : []), ...(threads ? ['--threads', String(threads)] : [])]
}

/** What the run says of its validation. @param data what validates, and `isThere` whether any of it does */
export function validationOf({ validateEvery, patience }: Pick<TrainOptions, 'validateEvery' | 'patience'>, { steps }: ResolvedSettings, data: string, isThere: boolean): Pick<RunDescription, 'validation'> {
  if (isThere) return { validation: { everySteps: validateEvery ?? Math.max(1, Math.floor(steps / 20)), ...(patience !== undefined && { patience }) } }
  const [option] = Object.entries({ '--validate-every': validateEvery, '--patience': patience }).find(([, value]) => value !== undefined) ?? []
  if (option) throw new InvalidOptionError(`${option} needs ${data} to validate with: say how much (--validation 0.05, for example).`)
  return {}
}

/** An option of the command line, what was given for it, and what the run was begun with. */
export type Stored = readonly [option: string, given: unknown, stored: unknown]

export function refuseContradiction(out: string, ...[option, given, stored]: Stored): never {
  throw new InvalidOptionError(`--${option} ${String(given)} contradicts ${out}, which was begun with ${String(stored)}. A run goes on with its own settings: leave --${option} out, or train anew in another folder.`)
}

/** @param more options of the modality. @throws {InvalidOptionError} naming an option that contradicts the run */
export function refuseContradictions(options: TrainOptions, { settings, validation, from }: Pick<RunDescription, 'settings' | 'validation' | 'from'>, more: readonly Stored[]): void {
  const all: readonly Stored[] = [
    ['steps', options.steps, settings.steps],
    ['seed', options.seed, settings.seed],
    ['learning-rate', options.learningRate, settings.learningRate],
    ['accumulation', options.accumulation, settings.accumulation],
    ['average-decay', options.averageDecay, settings.averageDecay],
    ['validate-every', options.validateEvery, validation?.everySteps ?? 'no validation'],
    ['patience', options.patience, validation?.patience ?? 'none'],
    ['from', options.from && basename(resolve(options.from)), from?.name ?? 'fresh parameters'],
    ...more,
  ]
  for (const [option, given, stored] of all) if (given !== undefined && given !== stored) refuseContradiction(options.out, option, given, stored)
}

/** Whether a run has the settings of a preset, but for what the command line may have changed, which is compared by itself. */
export function hasSettingsOf(preset: { readonly settings: TrainingSettings }, settings: ResolvedSettings): boolean {
  const learningRate = settings.learningRate === preset.settings.learningRate ? undefined : settings.learningRate
  return JSON.stringify(settingsOf(preset.settings, { ...settings, learningRate })) === JSON.stringify(settings)
}
