/** `fit`: trains to the end, telling of its progress and writing checkpoints on the way. */
import { InterruptedError, type JsonObject } from '@chainrule/core'
import type { Model } from '@chainrule/core/tensors'
import { writeCheckpoint } from './checkpoint.js'
import type { Data } from './data.js'
import { resolveSettings } from './options.js'
import { initialState, train, type Trained, type TrainingProgress, type TrainingState, type TrainOptions } from './train.js'

export interface CheckpointOptions {
  /** The file. */
  readonly path: string
  /** What the run is, stored with it. */
  readonly run: JsonObject
  /** Between two checkpoints; 30 by default. */
  readonly everySeconds?: number
}

export interface FitOptions extends TrainOptions {
  /** Called after every update. */
  onProgress?: (progress: TrainingProgress) => void
  /** Where to keep checkpoints: before the first update, every so often, at the end, and when interrupted. */
  checkpoint?: CheckpointOptions
}

/** @throws as `train` does; an interrupted run has written its checkpoint when it throws */
export async function fit(model: Model, data: Data, options: FitOptions): Promise<Trained> {
  const { onProgress, checkpoint, ...trainOptions } = options
  const { engine: _engine, length: _length, state: _state, signal: _signal, ...settings } = trainOptions
  const first = trainOptions.state ?? initialState(model, resolveSettings(settings).seed)
  const save = async (state: TrainingState) => {
    if (checkpoint) await writeCheckpoint(checkpoint.path, { state, run: checkpoint.run })
  }
  await save(first)
  const updates = train(model, data, { ...trainOptions, state: first })
  let latest: TrainingProgress | undefined
  let savedAt = performance.now()
  const { signal } = trainOptions
  for (;;) {
    // Asked before the next update, while the state can still be read.
    if (signal?.aborted && latest) {
      await save(await latest.state())
      await updates.return(undefined as never)
      throw new InterruptedError(`Training was interrupted after ${latest.step} of ${latest.steps} updates.${checkpoint ? ` Its checkpoint is ${checkpoint.path}.` : ''}`)
    }
    const next = await updates.next()
    if (next.done) {
      await save(next.value.state)
      return next.value
    }
    latest = next.value
    onProgress?.(latest)
    if (checkpoint && performance.now() - savedAt > (checkpoint.everySeconds ?? 30) * 1000) {
      await save(await latest.state())
      savedAt = performance.now()
    }
  }
}
