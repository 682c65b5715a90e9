/** `exportModel` of every modality: a trained model as a directory of ONNX graphs, weights and a description, or as one file. */
import { describe, InvalidOptionError, type JsonObject, refuseUnknownOptions } from '@chainrule/core'
import { type ModelToExport, recordModel, singleFileOf } from '@chainrule/onnx'
import type { Modality, TrainedBound } from './modality.js'
import { writeModel, writeSingleFile } from './write-model.js'

export const layouts = ['chainrule', 'single-file'] as const
export type Layout = (typeof layouts)[number]

export interface ExportOptions<AnyLayout extends string = Layout> {
  /** Replace an existing directory. */
  overwrite?: boolean
  /** 'chainrule' (default): a directory. 'single-file': the same model as one .onnx file that any onnxruntime runs. */
  layout?: AnyLayout
  /** For the model card: what it was trained on. */
  data?: JsonObject
  /** For the model card: the licence of that data; 'unknown' by default. */
  dataLicence?: string
  /** For the model card: the command that trained it. */
  command?: string
  /** For the model card: what it reached, with units in the names. */
  results?: JsonObject
}

/** What a card says of a training. */
export type TrainingOutcome = Pick<TrainedBound, 'model' | 'settings' | 'window' | 'state' | 'selection'>

/** A layout that a modality has beside those of all. */
export interface FurtherLayout<Trained> {
  /** The file by which a directory of this layout is known, so that it may be replaced. */
  readonly mark: string
  record(given: ModelToExport, trained: Trained): Record<string, Uint8Array>
}

const recorded = new WeakMap<TrainedBound, Promise<Record<string, Uint8Array>>>()

/** The files of the exported model, in memory. Recorded once for each trained model. */
export function recordTrained(modality: Modality, trained: TrainedBound): Promise<Record<string, Uint8Array>> {
  const known = recorded.get(trained)
  if (known) return known
  const files = (async () => recordModel(describedModel(modality, trained, {})))()
  recorded.set(trained, files)
  return files
}

/**
 * How a model was trained, for its card: settings, updates and seconds, and which parameters it has: the last ones or their average,
 * of the last update or of the one that validation chose.
 */
export function describeTraining({ variable }: Pick<Modality, 'variable'>, { model, settings, window, state, selection: { kind, step, validationNats } }: TrainingOutcome): JsonObject {
  const seconds = Math.round(state.seconds)
  if (model.count) return { counted: true, ...(window !== undefined && { window }), seconds }
  return {
    ...settings,
    ...(window !== undefined && { window }),
    updates: state.step,
    seconds,
    parametersKept: kind,
    parametersOfUpdate: step,
    ...(validationNats !== undefined && { [`validationNatsPer${variable[0].toUpperCase()}${variable.slice(1)}`]: validationNats }),
  }
}

function describedModel(modality: Modality, trained: TrainedBound, { data = {}, dataLicence = 'unknown', command, results = {} }: ExportOptions<string>): ModelToExport {
  return {
    model: trained.model,
    parameters: trained.parameters,
    modality: modality.modality,
    tokenizer: describe(trained.tokenizer),
    card: { data: { ...data, licence: dataLicence }, results, training: { ...(command !== undefined && { command }), ...describeTraining(modality, trained) }, exportedAt: new Date().toISOString() },
  }
}

/**
 * Writes the exported model, whole or not at all.
 * @throws {InvalidDataError} where the directory exists and `overwrite` is not set
 * @throws {InvalidOptionError} for options, and for a model that is an exported one already
 * @throws {UnsupportedError} where the layout has no form for the model
 */
export async function exportBound<Trained extends TrainedBound>(modality: Modality, trained: Trained, directory: string, options: ExportOptions<string>, further: Readonly<Record<string, FurtherLayout<Trained>>> = {}): Promise<void> {
  refuseUnknownOptions('exportModel', options, ['overwrite', 'layout', 'data', 'dataLicence', 'command', 'results'])
  if (typeof trained !== 'object' || trained === null || !('model' in trained || 'opened' in trained)) throw new InvalidOptionError(`exportModel: expected a trained model first, as fit returns it; got ${trained === null ? 'null' : typeof trained}.`)
  if (typeof directory !== 'string' || directory === '') throw new InvalidOptionError(`exportModel: expected where the model goes second, the path of a folder or of an .onnx file; got ${JSON.stringify(directory) ?? 'nothing'}.`)
  if ('opened' in trained) throw new InvalidOptionError('exportModel: the model is an exported one already. Copy its files, or export the trained model in another layout.')
  const { layout = 'chainrule', overwrite, dataLicence } = options
  const known = [...layouts, ...Object.keys(further)]
  if (!known.includes(layout)) throw new InvalidOptionError(`exportModel: layout must be one of ${known.join(', ')}, got ${JSON.stringify(layout)}.`)
  if (dataLicence !== undefined && typeof dataLicence !== 'string') throw new InvalidOptionError(`exportModel: dataLicence must be a text, such as 'CC BY 4.0', got ${typeof dataLicence}.`)
  const given = describedModel(modality, trained, options)
  if (Object.hasOwn(further, layout)) {
    const { record, mark } = further[layout]
    return writeModel(directory, record(given, trained), { overwrite, mark })
  }
  const files = recordModel(given)
  await (layout === 'single-file' ? writeSingleFile(directory, singleFileOf(files), { overwrite }) : writeModel(directory, files, { overwrite }))
}
