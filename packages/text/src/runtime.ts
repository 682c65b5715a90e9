/** Exported language models, run only: open, sample, stream, score. No tensors and no training come with it: also for browsers. */
export { type LoadedText, loadModel, type OpenOptions } from './loaded.js'
export { sample, type SampleTextOptions, score, type ScoreTextOptions, stream, type StreamTextOptions, type TextScore } from './sample.js'
export type { TextEvaluation } from './text-units.js'
export { type TextTokenizer, tokenizerFromName } from './tokenizers/index.js'
