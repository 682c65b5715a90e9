/** `exportModel`: a trained language model as a directory of ONNX graphs, weights and a description. */
import type { JsonObject } from '@chainrule/core'
import * as shared from '@chainrule/modality'
import { modality } from './modality.js'
import type { TrainedText } from './model.js'
import { recordForTransformers, transformersGraphFile } from './transformers-layout.js'

export const layouts = [...shared.layouts, 'transformers.js'] as const
export type Layout = (typeof layouts)[number]

/** `layout`: beside the layouts of all models 'transformers.js', what that loads. */
export type ExportOptions = shared.ExportOptions<Layout>

/** The files of the exported model, in memory. Recorded once for each trained model. */
export function recordTrained(trained: TrainedText): Promise<Record<string, Uint8Array>> {
  return shared.recordTrained(modality, trained)
}

/** How a model was trained, for its card. */
export function describeTraining(trained: shared.TrainingOutcome): JsonObject {
  return shared.describeTraining(modality, trained)
}

/**
 * Writes the exported model, whole or not at all.
 * @throws {InvalidDataError} where the directory exists and `overwrite` is not set
 * @throws {UnsupportedError} where the layout has no form for the model
 */
export function exportModel(trained: TrainedText, directory: string, options: ExportOptions = {}): Promise<void> {
  return shared.exportBound(modality, trained, directory, options, { 'transformers.js': { mark: transformersGraphFile, record: (given, { tokenizer }) => recordForTransformers(given, tokenizer) } })
}
