/** `sample` and `score` of trained models, too: recorded and opened for the one call. */
import { withOpened } from '@chainrule/modality'
import type { TextData } from './documents.js'
import type { LoadedText, OpenOptions } from './loaded.js'
import type { TrainedText } from './model.js'
import { openTrained } from './open-trained.js'
import * as opened from './sample.js'

/** Texts from the model; each begins with the prompt, and documents end by themselves. The same seed gives the same texts. */
export function sample(model: TrainedText | LoadedText, options: opened.SampleTextOptions & OpenOptions = {}): Promise<string[]> {
  return withOpened(openTrained, model, options, opened.sample)
}

/**
 * −log p(text), token by token, each given everything before it as far as the model looks; the end of a document is the last.
 * A list of documents is scored one by one.
 */
export function score(model: TrainedText | LoadedText, text: string, options?: opened.ScoreTextOptions & OpenOptions): Promise<opened.TextScore>
export function score(model: TrainedText | LoadedText, texts: readonly string[], options?: opened.ScoreTextOptions & OpenOptions): Promise<opened.TextScore[]>
export function score(model: TrainedText | LoadedText, data: TextData, options: opened.ScoreTextOptions & OpenOptions = {}): Promise<opened.TextScore | opened.TextScore[]> {
  return withOpened(openTrained, model, options, (loaded, others: opened.ScoreTextOptions) => opened.score(loaded, data as string, others))
}
