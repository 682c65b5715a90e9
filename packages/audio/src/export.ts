/** `exportModel`: a trained sound model as a directory of ONNX graphs, weights and a description; and opened without writing it. */
import { describe, InvalidOptionError, type JsonObject, refuseUnknownOptions } from '@chainrule/core'
import { recordModel, singleFileOf, writeModel, writeSingleFile } from '@chainrule/onnx'
import { type LoadedAudio, loadModel, type OpenOptions } from './loaded.js'
import type { TrainedAudio } from './model.js'

const layouts = ['chainrule', 'single-file'] as const

export interface ExportOptions {
  /** Replace an existing directory. */
  overwrite?: boolean
  /** 'chainrule' (default): a directory. 'single-file': the same model as one .onnx file that any onnxruntime runs. */
  layout?: (typeof layouts)[number]
  /** For the model card: what it was trained on. */
  data?: JsonObject
  /** For the model card: the licence of that data; 'unknown' by default. */
  dataLicence?: string
  /** For the model card: the command that trained it. */
  command?: string
  /** For the model card: what it reached, with units in the names. */
  results?: JsonObject
}

const filesOf = ({ model, parameters, tokenizer, settings, window, state, selection: { kind, step } }: TrainedAudio, { data = {}, dataLicence = 'unknown', command, results = {} }: ExportOptions): Record<string, Uint8Array> =>
  recordModel({
    model,
    parameters,
    modality: 'audio',
    tokenizer: describe(tokenizer),
    card: {
      data: { ...data, licence: dataLicence },
      results,
      training: { ...(command !== undefined && { command }), ...settings, window, updates: state.step, seconds: Math.round(state.seconds), parametersKept: kind, parametersOfUpdate: step },
      exportedAt: new Date().toISOString(),
    },
  })

/**
 * Writes the exported model, whole or not at all.
 * @throws {InvalidDataError} where the directory exists and `overwrite` is not set
 */
export async function exportModel(trained: TrainedAudio, directory: string, options: ExportOptions = {}): Promise<void> {
  refuseUnknownOptions('exportModel', options, ['overwrite', 'layout', 'data', 'dataLicence', 'command', 'results'])
  const { layout = 'chainrule', overwrite } = options
  if (!layouts.includes(layout)) throw new InvalidOptionError(`exportModel: layout must be one of ${layouts.join(', ')}, got ${JSON.stringify(layout)}.`)
  const files = filesOf(trained, options)
  if (layout === 'single-file') return writeSingleFile(directory, singleFileOf(files), { overwrite })
  await writeModel(directory, files, { overwrite })
}

/** Opens a trained model without writing it to disk: recorded in memory, then as any exported one. */
export function openTrained(trained: TrainedAudio, options: OpenOptions = {}): Promise<LoadedAudio> {
  return loadModel(filesOf(trained, {}), options)
}
