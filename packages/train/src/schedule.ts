/** The learning rate of each step: a linear warm-up, then a decay to the minimum. */
export type Decay = 'cosine' | 'linear' | 'none'

export interface Schedule {
  readonly learningRate: number
  readonly minimumLearningRate: number
  readonly warmupSteps: number
  readonly steps: number
  readonly decay: Decay
}

/** The learning rate of update `step`, counted from 0. */
export function learningRateAt(step: number, { learningRate, minimumLearningRate, warmupSteps, steps, decay }: Schedule): number {
  if (step < warmupSteps) return (learningRate * (step + 1)) / (warmupSteps + 1)
  if (decay === 'none') return learningRate
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, steps - warmupSteps))
  const remaining = decay === 'cosine' ? 0.5 * (1 + Math.cos(Math.PI * progress)) : 1 - progress
  return minimumLearningRate + remaining * (learningRate - minimumLearningRate)
}
