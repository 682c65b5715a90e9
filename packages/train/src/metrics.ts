/**
 * The course of a training as a file, one JSON object on each line, for people and tools: the program itself never reads a number of it.
 *
 * Lines are appended; when a training goes on, those after its checkpoint are dropped first, and with them the torn one that a killed
 * program may leave. So each step stands there once, as if it had never been interrupted.
 */
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { wholeNumber } from '@chainrule/core'
import type { TrainingProgress } from './train.js'
import { writeWhole } from './whole-file.js'

export interface MetricsOptions {
  /** The file. */
  readonly path: string
  /** Updates between two lines, 1 by default; validated updates and the last one always have theirs. */
  readonly everySteps?: number
}

export interface MetricsFile {
  /** Writes the line of an update, where one is due. */
  log(progress: TrainingProgress): Promise<void>
  /** Returns when everything logged is on the disk. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** @param step the updates that the training has made before: later lines are dropped */
export async function openMetrics({ path, everySteps = 1 }: MetricsOptions, step: number): Promise<MetricsFile> {
  wholeNumber('metrics', 'everySteps', everySteps)
  await dropAfter(path, step)
  let file: FileHandle | undefined
  return {
    async log({ step, steps, nats, gradientNorm, learningRate, variablesPerSecond, validation }) {
      if (step % everySteps !== 0 && step !== steps && !validation) return
      const line = { step, nats, gradientNorm, learningRate, variablesPerSecond: Math.round(variablesPerSecond), ...(validation && { validationNats: validation.nats }) }
      file ??= await open(path, 'a')
      await file.appendFile(`${JSON.stringify(line)}\n`)
    },
    sync: async () => file?.sync(),
    close: async () => file?.close(),
  }
}

async function dropAfter(path: string, step: number): Promise<void> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return
  const kept = text.split('\n').filter((line) => stepOf(line) <= step)
  const content = kept.map((line) => `${line}\n`).join('')
  if (content !== text) await writeWhole(path, new TextEncoder().encode(content))
}

/** Infinity for what is not a line of ours. */
function stepOf(line: string): number {
  try {
    const { step } = JSON.parse(line)
    return typeof step === 'number' ? step : Infinity
  } catch {
    return Infinity
  }
}
