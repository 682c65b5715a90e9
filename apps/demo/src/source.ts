/** What a training may begin with instead of fresh parameters: a run or an exported model. */
import { basename, resolve } from 'node:path'
import { InvalidDataError, type JsonObject, type ParameterArrays } from '@chainrule/core'
import { contextOf, loadModel, modelOf, settingNames, type TextModel, trainedOf, type TrainingSettings } from '@chainrule/text'
import { subjectAt } from './subject.js'

export interface Source {
  readonly model: TextModel
  readonly parameters: ParameterArrays
  /** How it was trained itself. */
  readonly settings: Partial<TrainingSettings>
  readonly window: number
  /** For the card of what comes of it. */
  readonly from: { readonly name: string; readonly updates: number }
}

/** @throws {InvalidDataError} where the path is neither a run nor a model, or the model does not say how it was trained */
export async function sourceAt(path: string): Promise<Source> {
  const subject = await subjectAt(path)
  const name = basename(resolve(path))
  if (subject.kind === 'run') {
    const trained = trainedOf(subject.run)
    const { tokenizer, documents, model, modality, parameters, settings, window, selection } = trained
    return { model: { tokenizer, documents, model, modality }, parameters, settings, window, from: { name, updates: selection.step } }
  }
  const loaded = await loadModel(subject.path)
  try {
    const { parameters, ...model } = await modelOf(loaded)
    const { training } = loaded.manifest.card
    const window = training.window ?? contextOf(model.model)
    if (typeof window !== 'number') throw new InvalidDataError(`${path}: its model.json names no training window. Give a run, or a model that was exported from one.`)
    return { model, parameters, settings: settingsIn(training), window, from: { name, updates: Number(training.parametersOfUpdate ?? training.updates ?? 0) } }
  } finally {
    await loaded.release()
  }
}

const settingsIn = (training: JsonObject): Partial<TrainingSettings> => Object.fromEntries(Object.entries(training).filter(([name]) => settingNames.includes(name)))
