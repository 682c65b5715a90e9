/** `sample` and `score` of trained models, too: recorded and opened for the one call. */
import type { TextData } from './documents.js'
import type { LoadedText, OpenOptions } from './loaded.js'
import type { TrainedText } from './model.js'
import { openTrained } from './open-trained.js'
import * as opened from './sample.js'

type Verb<Options extends object, Result> = (loaded: LoadedText, options: Options) => Promise<Result>

/** How to open it belongs to the trained model; one that is opened already refuses it. */
async function withOpened<Options extends object, Result>(model: TrainedText | LoadedText, options: Options & OpenOptions, verb: Verb<Options, Result>): Promise<Result> {
  if ('opened' in model) return verb(model, options)
  const { provider, threads, worker, ...others } = options
  const loaded = await openTrained(model, { provider, threads, worker })
  try {
    return await verb(loaded, others as Options)
  } finally {
    await loaded.release()
  }
}

/** Texts from the model; each begins with the prompt, and documents end by themselves. The same seed gives the same texts. */
export function sample(model: TrainedText | LoadedText, options: opened.SampleTextOptions & OpenOptions = {}): Promise<string[]> {
  return withOpened(model, options, opened.sample)
}

/**
 * −log p(text), token by token, each given everything before it as far as the model looks; the end of a document is the last.
 * A list of documents is scored one by one.
 */
export function score(model: TrainedText | LoadedText, text: string, options?: opened.ScoreTextOptions & OpenOptions): Promise<opened.TextScore>
export function score(model: TrainedText | LoadedText, texts: readonly string[], options?: opened.ScoreTextOptions & OpenOptions): Promise<opened.TextScore[]>
export function score(model: TrainedText | LoadedText, data: TextData, options: opened.ScoreTextOptions & OpenOptions = {}): Promise<opened.TextScore | opened.TextScore[]> {
  return withOpened(model, options, (loaded, others) => opened.score(loaded, data as string, others))
}
