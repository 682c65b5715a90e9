/** `exportModel`: a trained image model as a directory of ONNX graphs, weights and a description. */
import type { JsonObject } from '@chainrule/core'
import * as shared from '@chainrule/modality'
import { modality } from './modality.js'
import type { TrainedImage } from './model.js'

/** The files of the exported model, in memory. Recorded once for each trained model. */
export function recordTrained(trained: TrainedImage): Promise<Record<string, Uint8Array>> {
  return shared.recordTrained(modality, trained)
}

/** How a model was trained, for its card. */
export function describeTraining(trained: shared.TrainingOutcome): JsonObject {
  return shared.describeTraining(modality, trained)
}

/**
 * Writes the exported model, whole or not at all.
 * @throws {InvalidDataError} where the directory exists and `overwrite` is not set
 */
export function exportModel(trained: TrainedImage, directory: string, options: shared.ExportOptions = {}): Promise<void> {
  return shared.exportBound(modality, trained, directory, options)
}
