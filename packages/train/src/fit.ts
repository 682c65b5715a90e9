/** `fit`: trains to the end, telling of its progress and writing checkpoints, metrics and previews on the way. */
import { dirname, join } from 'node:path'
import { InterruptedError, type JsonObject, type ParameterArrays, wholeNumber } from '@chainrule/core'
import type { Model } from '@chainrule/core/tensors'
import { writeBest, writeCheckpoint } from './checkpoint.js'
import { fitByCounting } from './counting.js'
import type { Data } from './data.js'
import { type MetricsOptions, openMetrics } from './metrics.js'
import { resolveSettings } from './options.js'
import { startingState, type TrainingState } from './state.js'
import { train, type Trained, type TrainingProgress, type TrainOptions } from './train.js'
import { currentParameters } from './validation.js'

export interface CheckpointOptions {
  /** The file. */
  readonly path: string
  /** The file of the best parameters, where there is validation; `best.safetensors` beside the checkpoint by default. */
  readonly bestPath?: string
  /** What the run is, stored with it. */
  readonly run: JsonObject
  /** Between two checkpoints; 30 by default. */
  readonly everySeconds?: number
}

export interface PreviewOptions {
  /** Updates between two previews. */
  readonly everySteps: number
  /** Given the parameters after an update: the average where one is kept. Training waits for it. */
  readonly show: (parameters: ParameterArrays, step: number) => void | Promise<void>
}

export interface FitOptions extends TrainOptions {
  /** Called after every update. */
  onProgress?: (progress: TrainingProgress) => void
  /** Where to keep checkpoints: before the first update, every so often, with every new best validation, at the end, and when interrupted. */
  checkpoint?: CheckpointOptions
  metrics?: MetricsOptions
  preview?: PreviewOptions
}

/** @throws as `train` does, or `fitByCounting`; an interrupted run has written its checkpoint when it throws */
export async function fit(model: Model, data: Data, options: FitOptions): Promise<Trained> {
  if (model.count) return fitByCounting(model, data, options)
  const { onProgress, checkpoint, metrics: metricsOptions, preview, ...trainOptions } = options
  const { engine: _engine, length: _length, state, best: _best, from, validation: _validation, signal, ...settings } = trainOptions
  const previewSteps = preview ? wholeNumber('preview', 'everySteps', preview.everySteps) : Infinity
  const first = startingState(model, resolveSettings(settings), state, from)
  const updates = train(model, data, { ...trainOptions, state: first, from: undefined })
  const metrics = metricsOptions && (await openMetrics(metricsOptions, first.step))
  const save = async (state: TrainingState) => {
    if (!checkpoint) return
    await metrics?.sync()
    await writeCheckpoint(checkpoint.path, { state, run: checkpoint.run })
  }
  let latest: TrainingProgress | undefined
  try {
    await save(first)
    let savedAt = performance.now()
    for (;;) {
      // Asked before the next update, while the state can still be read.
      if (signal?.aborted && latest) {
        await save(await latest.state())
        throw new InterruptedError(`Training was interrupted after ${latest.step} of ${latest.steps} updates.${checkpoint ? ` Its checkpoint is ${checkpoint.path}.` : ''}`)
      }
      const next = await updates.next()
      if (next.done) {
        await save(next.value.state)
        return next.value
      }
      latest = next.value
      onProgress?.(latest)
      await metrics?.log(latest)
      // First the best parameters, then the state that speaks of them: a checkpoint never names parameters that are not there.
      const isBest = latest.validation?.isBest === true
      if (checkpoint && isBest) await writeBest(checkpoint.bestPath ?? join(dirname(checkpoint.path), 'best.safetensors'), { best: latest.best!, run: checkpoint.run })
      if (checkpoint && (isBest || performance.now() - savedAt > (checkpoint.everySeconds ?? 30) * 1000)) {
        await save(await latest.state())
        savedAt = performance.now()
      }
      if (preview && latest.step % previewSteps === 0) await preview.show(currentParameters(await latest.state()), latest.step)
    }
  } finally {
    await updates.return(undefined as never)
    await metrics?.close()
  }
}
