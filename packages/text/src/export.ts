/** `exportModel`: a trained language model as a directory of ONNX graphs, weights and a description. */
import { describe, type JsonObject } from '@chainrule/core'
import { recordModel, writeModel } from '@chainrule/onnx'
import type { TrainedText } from './model.js'

export interface ExportOptions {
  /** Replace an existing directory. */
  overwrite?: boolean
  /** For the model card: what it was trained on. */
  data?: JsonObject
  /** For the model card: what it reached, with units in the names. */
  results?: JsonObject
}

const recorded = new WeakMap<TrainedText, Promise<Record<string, Uint8Array>>>()

/** The files of the exported model, in memory. Recorded once for each trained model. */
export function recordTrained(trained: TrainedText): Promise<Record<string, Uint8Array>> {
  const known = recorded.get(trained)
  if (known) return known
  const files = filesOf(trained, {})
  recorded.set(trained, files)
  return files
}

/**
 * How a model was trained, for its card: settings, updates and seconds, and which parameters it has: the last ones or their average,
 * of the last update or of the one that validation chose.
 */
export function describeTraining({ settings, window, state, selection: { kind, step, validationNats } }: Pick<TrainedText, 'settings' | 'window' | 'state' | 'selection'>): JsonObject {
  return {
    ...settings,
    window,
    updates: state.step,
    seconds: Math.round(state.seconds),
    parametersKept: kind,
    parametersOfUpdate: step,
    ...(validationNats !== undefined && { validationNatsPerToken: validationNats }),
  }
}

async function filesOf(trained: TrainedText, { data = {}, results = {} }: ExportOptions): Promise<Record<string, Uint8Array>> {
  const { model, parameters, tokenizer } = trained
  return recordModel({
    model,
    parameters,
    modality: 'text',
    tokenizer: describe(tokenizer),
    card: { data, results, training: describeTraining(trained), exportedAt: new Date().toISOString() },
  })
}

/**
 * Writes the exported model, whole or not at all.
 * @throws {InvalidDataError} where the directory exists and `overwrite` is not set
 */
export async function exportModel(trained: TrainedText, directory: string, options: ExportOptions = {}): Promise<void> {
  await writeModel(directory, await filesOf(trained, options), { overwrite: options.overwrite })
}
