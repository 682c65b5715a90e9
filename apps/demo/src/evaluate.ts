/** What `chainrule evaluate` does for every modality: a run is computed by an engine, an exported model as it opens. */
import { InvalidOptionError, type JsonObject } from '@chainrule/core'
import type { Engine } from '@chainrule/core/tensors'
import { type Loaded, type OpenOptions, type Run, trainedOf } from '@chainrule/modality'
import type { Context } from './context.js'
import { engineNamed, type EngineName } from './engines.js'
import type { Package } from './modality.js'
import { subjectAt } from './subject.js'

export interface EvaluateOptions {
  data: string
  threads?: number
  /** Runs only. */
  engine?: EngineName
  /** Exported models only. */
  provider?: OpenOptions['provider']
}

/** What is evaluated. */
export interface Evaluated<Model> {
  readonly model: Model
  readonly trainedOn: JsonObject
  /** Of a run. */
  readonly engine?: Engine
}

/** @param measure prints what it finds, and returns it */
export async function evaluateBy<R extends Run, L extends Loaded>(
  { readRun, loadModel }: Pick<Package<L>, 'loadModel'> & { readRun(directory: string): Promise<R> },
  path: string,
  { data, engine: engineName, provider, threads }: EvaluateOptions,
  { output }: Context,
  measure: (evaluated: Evaluated<ReturnType<typeof trainedOf<R['model'], R['description']>> | L>) => Promise<JsonObject>,
): Promise<JsonObject> {
  const subject = await subjectAt(path, readRun)
  if (subject.kind === 'run' && provider) throw new InvalidOptionError(`--provider belongs to exported models; ${path} is a run. Use --engine, or export it first.`)
  if (subject.kind === 'model' && engineName) throw new InvalidOptionError(`--engine belongs to runs; ${path} is an exported model. Use --provider.`)
  const about = { command: 'evaluate', model: path, kind: subject.kind, data }
  if (subject.kind === 'run') {
    const engine = await engineNamed(engineName, threads)
    const { model, description, ...rest } = subject.run
    return { ...about, ...(await measure({ model: trainedOf<R['model'], R['description']>({ model, description, ...rest }), trainedOn: description.data, engine })), runBy: engine.name }
  }
  const loaded = await loadModel(subject.path, { provider, threads })
  try {
    output.say(`provider ${loaded.reason}`)
    return { ...about, ...(await measure({ model: loaded, trainedOn: loaded.manifest.card.data })), runBy: loaded.reason }
  } finally {
    await loaded.release()
  }
}
