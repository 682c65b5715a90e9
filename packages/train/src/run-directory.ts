/**
 * The directory of a run, whatever its modality: one checkpoint that says everything about it, the best parameters by validation beside
 * it where there are some, and metrics.jsonl, the course of the training for people and tools.
 */
import { access, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidCheckpointError, InvalidDataError, type JsonObject } from '@chainrule/core'
import { type Checkpoint, readBest, readCheckpoint, writeCheckpoint } from './checkpoint.js'
import type { TrainingState } from './state.js'
import type { BestParameters } from './validation.js'

export const checkpointFile = 'checkpoint.safetensors'
export const bestFile = 'best.safetensors'
export const metricsFile = 'metrics.jsonl'

/**
 * Makes the directory of a new run.
 * @returns the path of its checkpoint
 * @throws {InvalidDataError} where a run is there already
 */
export async function createRunDirectory(directory: string): Promise<string> {
  const path = join(directory, checkpointFile)
  if (await access(path).then(() => true, () => false)) throw new InvalidDataError(`${directory} already holds a run. Continue it with --resume, or choose another folder.`)
  try {
    await mkdir(directory, { recursive: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'EEXIST' || code === 'ENOTDIR' ? 'a file is in the way' : code === 'EACCES' || code === 'EROFS' ? 'writing there is not permitted' : (error as Error).message
    throw new InvalidDataError(`${directory}: the folder of the run cannot be made: ${why}. Choose another folder.`, { cause: error })
  }
  return path
}

/** Stores what a finished run reached with its checkpoint, for `inspect` and the card of the exported model. */
export async function writeResults(directory: string, state: TrainingState, run: JsonObject, results: JsonObject): Promise<void> {
  await writeCheckpoint(join(directory, checkpointFile), { state, run: { ...run, results } })
}

export interface RunContent extends Checkpoint {
  /** The best parameters by validation, where there was one. */
  readonly best?: BestParameters
}

/** @throws {InvalidCheckpointError | InvalidDataError} where there is no run, or its files are damaged or not of one run */
export async function readRunDirectory(directory: string): Promise<RunContent> {
  const { state, run } = await readCheckpoint(join(directory, checkpointFile)).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new InvalidDataError(`${directory} is not a run: it holds no ${checkpointFile}. A run is what \`chainrule train\` writes to --out.`)
    throw error
  })
  return { state, run, ...(state.best && { best: await bestOf(directory, run, state.best.step) }) }
}

/** The best parameters of a run. They may be newer than its checkpoint, if the program was killed just then. */
async function bestOf(directory: string, run: JsonObject, step: number): Promise<BestParameters> {
  const path = join(directory, bestFile)
  const { best, run: itsRun } = await readBest(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new InvalidCheckpointError(`${path} is missing: the run validated best after update ${step}, and its parameters were kept there. Restore it, or train anew.`)
    throw error
  })
  const identity = ({ results: _results, ...rest }: JsonObject) => JSON.stringify(rest)
  if (best.step < step || identity(itsRun) !== identity(run)) throw new InvalidCheckpointError(`${path} (update ${best.step}) does not belong to the checkpoint beside it, whose best is update ${step}. Restore both from one run.`)
  return best
}
