/** The options of training, each with its default, checked in one place. */
import { checkSeed, finiteNumber, InvalidOptionError, refuseUnknownOptions, wholeNumber } from '@chainrule/core'
import type { AdamWOptions } from './adam-w.js'
import type { Decay, Schedule } from './schedule.js'

export interface TrainingSettings {
  /** How many updates in all; a network that is counted takes no settings. */
  steps?: number
  /** Examples of one micro-batch: of one update, unless gradients are accumulated. */
  batchSize?: number
  /** Micro-batches of one update, whose gradients are averaged; 1 by default. */
  accumulation?: number
  /** Of the initial parameters and of the batches. */
  seed?: number
  learningRate?: number
  /** Where the decay ends; a tenth of `learningRate` by default. */
  minimumLearningRate?: number
  /** Updates until the full learning rate; a twentieth of `steps`, at most 100, by default. */
  warmupSteps?: number
  decay?: Decay
  weightDecay?: number
  beta1?: number
  beta2?: number
  /** The global norm that gradients are clipped to. */
  clipNorm?: number
  /** Of the exponential average of the parameters (average.ts), below 1; 0, the default, keeps none. Where there is one, it is the result. */
  averageDecay?: number
}

export type ResolvedSettings = Required<TrainingSettings>

const known = ['steps', 'batchSize', 'accumulation', 'seed', 'learningRate', 'minimumLearningRate', 'warmupSteps', 'decay', 'weightDecay', 'beta1', 'beta2', 'clipNorm', 'averageDecay'] as const

/** The names of all settings. */
export const settingNames: readonly string[] = known

/** Fills in the defaults and checks everything. @throws {InvalidOptionError} */
export function resolveSettings(settings: TrainingSettings): ResolvedSettings {
  refuseUnknownOptions('training', settings, known)
  const steps = wholeNumber('training', 'steps', settings.steps, 0)
  const learningRate = finiteNumber('training', 'learningRate', settings.learningRate ?? 1e-3, 0)
  const { decay = 'cosine' } = settings
  if (decay !== 'cosine' && decay !== 'linear' && decay !== 'none') throw new InvalidOptionError(`training: decay must be 'cosine', 'linear' or 'none', got ${JSON.stringify(decay)}.`)
  return {
    steps,
    batchSize: wholeNumber('training', 'batchSize', settings.batchSize ?? 12),
    accumulation: wholeNumber('training', 'accumulation', settings.accumulation ?? 1),
    seed: checkSeed('training', settings.seed ?? 0),
    learningRate,
    minimumLearningRate: finiteNumber('training', 'minimumLearningRate', settings.minimumLearningRate ?? learningRate / 10, 0),
    warmupSteps: wholeNumber('training', 'warmupSteps', settings.warmupSteps ?? Math.min(100, Math.floor(steps / 20)), 0),
    decay,
    weightDecay: finiteNumber('training', 'weightDecay', settings.weightDecay ?? 0.1, 0),
    beta1: finiteNumber('training', 'beta1', settings.beta1 ?? 0.9, 0, 0.999999),
    beta2: finiteNumber('training', 'beta2', settings.beta2 ?? 0.99, 0, 0.999999),
    clipNorm: finiteNumber('training', 'clipNorm', settings.clipNorm ?? 1, 0),
    averageDecay: finiteNumber('training', 'averageDecay', settings.averageDecay ?? 0, 0, 0.999999),
  }
}

export const scheduleOf = ({ steps, learningRate, minimumLearningRate, warmupSteps, decay }: ResolvedSettings): Schedule => ({ steps, learningRate, minimumLearningRate, warmupSteps, decay })
export const optimizerOf = ({ beta1, beta2, weightDecay, clipNorm }: ResolvedSettings): AdamWOptions => ({ beta1, beta2, weightDecay, clipNorm, epsilon: 1e-8 })
