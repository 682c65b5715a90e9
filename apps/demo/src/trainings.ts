/** What the trainings of all modalities share: what they cost, what they keep, what they leave behind. */
import { rm, rmdir } from 'node:fs/promises'
import { type Plan, type ResolvedSettings, resolveSettings, type Selection, type TrainingSettings } from '@chainrule/train'
import type { EngineName } from './engines.js'
import { bytes, counted, duration, operations } from './wording.js'

/** About as many lines of metrics has a run. */
export const metricsLines = 2000

/** Settings that the command line may change. */
export type SettingChanges = Pick<TrainingSettings, 'steps' | 'seed' | 'learningRate' | 'accumulation' | 'averageDecay'>

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

/** Removes the checkpoint, and the folder where nothing else is in it. */
export async function discard(directory: string, path: string): Promise<void> {
  await rm(path, { force: true })
  await rmdir(directory).catch(() => undefined)
}

/** @param noun what a variable is: token, pixel, … */
export function costLine({ engine, forwardOperations, backwardOperations, variablesPerUpdate, memory, secondsPerUpdate, secondsLeft, rate }: Plan, noun: string): string {
  const total = Object.values(memory).reduce((sum, part) => sum + part, 0)
  const perSecond = (forwardOperations + backwardOperations) / secondsPerUpdate
  return `a step: ${counted(variablesPerUpdate, noun)}, ${operations(forwardOperations)} forward and ${operations(backwardOperations)} backward; memory: about ${bytes(total)}, ${bytes(memory.activations)} of it for activations; time: about ${duration(secondsLeft)} (${rate}: ${operations(perSecond)} a second), by ${engine}`
}

export function selectionLine({ kind, step, validationNats }: Selection, noun: string): string {
  const what = kind === 'average' ? 'the average of the parameters' : 'the parameters'
  return `${what} after ${counted(step, 'step')}${validationNats === undefined ? '' : `, the best validation: ${validationNats.toFixed(4)} nats per ${noun}`}`
}
