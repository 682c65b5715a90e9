/** What a training may begin with instead of fresh parameters: a run or an exported model. */
import { basename, resolve } from 'node:path'
import type { JsonObject, ParameterArrays } from '@chainrule/core'
import { type Bound, type Loaded, type Run, trainedOf } from '@chainrule/modality'
import { settingNames, type TrainingSettings } from '@chainrule/train'
import type { Package } from './modality.js'
import { subjectAt } from './subject.js'

export interface Source<B extends Bound> {
  readonly model: B
  readonly parameters: ParameterArrays
  /** How it was trained itself. */
  readonly settings: Partial<TrainingSettings>
  /** The variables of its training windows, where it says so. */
  readonly window?: number
  /** For the card of what comes of it. */
  readonly from: { readonly name: string; readonly updates: number }
}

type Reader<B extends Bound, L extends Loaded> = Pick<Package<L>, 'loadModel'> & { readRun(directory: string): Promise<Run<B>>; modelOf(loaded: L): Promise<B & { readonly parameters: ParameterArrays }> }

/** @throws {InvalidDataError} where the path is neither a run nor a model */
export async function sourceAt<B extends Bound, L extends Loaded>({ readRun, loadModel, modelOf }: Reader<B, L>, path: string): Promise<Source<B>> {
  const subject = await subjectAt(path, readRun)
  const name = basename(resolve(path))
  if (subject.kind === 'run') {
    const { parameters, settings, window, selection } = trainedOf(subject.run)
    return { model: subject.run.model, parameters, settings, window, from: { name, updates: selection.step } }
  }
  const loaded = await loadModel(subject.path)
  try {
    const { parameters, ...model } = await modelOf(loaded)
    const { training } = loaded.manifest.card
    return { model: model as unknown as B, parameters, settings: settingsIn(training), window: training.window as number | undefined, from: { name, updates: Number(training.parametersOfUpdate ?? training.updates ?? 0) } }
  } finally {
    await loaded.release()
  }
}

const settingsIn = (training: JsonObject): Partial<TrainingSettings> => Object.fromEntries(Object.entries(training).filter(([name]) => settingNames.includes(name)))
