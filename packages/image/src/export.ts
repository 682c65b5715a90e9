/** `exportModel`: a trained image model as a directory of ONNX graphs, weights and a description. */
import { describe, InvalidOptionError, type JsonObject, refuseUnknownOptions } from '@chainrule/core'
import { recordModel, singleFileOf, writeModel, writeSingleFile } from '@chainrule/onnx'
import type { TrainedImage } from './model.js'

export const layouts = ['chainrule', 'single-file'] as const
export type Layout = (typeof layouts)[number]

export interface ExportOptions {
  /** Replace an existing directory. */
  overwrite?: boolean
  /** 'chainrule' (default): a directory. 'single-file': the same model as one .onnx file that any onnxruntime runs. */
  layout?: Layout
  /** For the model card: what it was trained on. */
  data?: JsonObject
  /** For the model card: the licence of that data; 'unknown' by default. */
  dataLicence?: string
  /** For the model card: the command that trained it. */
  command?: string
  /** For the model card: what it reached, with units in the names. */
  results?: JsonObject
}

const recorded = new WeakMap<TrainedImage, Promise<Record<string, Uint8Array>>>()

/** The files of the exported model, in memory. Recorded once for each trained model. */
export function recordTrained(trained: TrainedImage): Promise<Record<string, Uint8Array>> {
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
export function describeTraining({ model, settings, state, selection: { kind, step, validationNats } }: Pick<TrainedImage, 'model' | 'settings' | 'state' | 'selection'>): JsonObject {
  if (model.count) return { counted: true, seconds: Math.round(state.seconds) }
  return {
    ...settings,
    updates: state.step,
    seconds: Math.round(state.seconds),
    parametersKept: kind,
    parametersOfUpdate: step,
    ...(validationNats !== undefined && { validationNatsPerVariable: validationNats }),
  }
}

async function filesOf(trained: TrainedImage, { data = {}, dataLicence = 'unknown', command, results = {} }: ExportOptions): Promise<Record<string, Uint8Array>> {
  const { model, parameters, tokenizer } = trained
  return recordModel({
    model,
    parameters,
    modality: 'image',
    tokenizer: describe(tokenizer),
    card: { data: { ...data, licence: dataLicence }, results, training: { ...(command !== undefined && { command }), ...describeTraining(trained) }, exportedAt: new Date().toISOString() },
  })
}

/**
 * Writes the exported model, whole or not at all.
 * @throws {InvalidDataError} where the directory exists and `overwrite` is not set
 */
export async function exportModel(trained: TrainedImage, directory: string, options: ExportOptions = {}): Promise<void> {
  refuseUnknownOptions('exportModel', options, ['overwrite', 'layout', 'data', 'dataLicence', 'command', 'results'])
  if ('opened' in trained) throw new InvalidOptionError('exportModel: the model is an exported one already. Copy its files.')
  const { layout = 'chainrule', overwrite } = options
  if (!layouts.includes(layout)) throw new InvalidOptionError(`exportModel: layout must be one of ${layouts.join(', ')}, got ${JSON.stringify(layout)}.`)
  if (options.dataLicence !== undefined && typeof options.dataLicence !== 'string') throw new InvalidOptionError(`exportModel: dataLicence must be a text, such as 'CC BY 4.0', got ${typeof options.dataLicence}.`)
  const files = await filesOf(trained, options)
  if (layout === 'single-file') return writeSingleFile(directory, singleFileOf(files), { overwrite })
  await writeModel(directory, files, { overwrite })
}
