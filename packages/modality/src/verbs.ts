/** Verbs of trained models, too: a trained model is recorded and opened for the one call. */
import { InvalidOptionError } from '@chainrule/core'
import type { OpenOptions } from './loaded.js'

/** How to open it belongs to the trained model; one that is opened already refuses it. */
export async function withOpened<Trained extends object, Opened extends { release(): Promise<void> }, Options extends object, Result>(
  open: (trained: Trained, options: OpenOptions) => Promise<Opened>,
  model: Trained | Opened,
  options: Options & OpenOptions,
  verb: (loaded: Opened, options: Options) => Promise<Result>,
): Promise<Result> {
  if (!isModel(model)) throw new InvalidOptionError(`Expected a model first: one that fit has trained, or that loadModel has opened; got ${model === null ? 'null' : typeof model}.`)
  if ('opened' in model) return verb(model as Opened, options)
  const { provider, threads, worker, ...others } = options
  const loaded = await open(model as Trained, { provider, threads, worker })
  try {
    return await verb(loaded, others as Options)
  } finally {
    await loaded.release()
  }
}

const isModel = (model: unknown): model is object => typeof model === 'object' && model !== null && ('opened' in model || 'parameters' in model)
