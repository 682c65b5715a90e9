/** Exported image models, run only: open, sample, stream, score, complete. No tensors and no training come with it: also for browsers. */
export { complete, type CompleteImageOptions, type Completion, rectangle } from './complete.js'
export { type LoadedImage, loadModel, type OpenOptions } from './loaded.js'
export { type DrawnVariable, sample, type SampleImageOptions, stream, type StreamImageOptions } from './sample.js'
export { bitMap, type BitMapOptions, type ImageScore, score, type ScoreImageOptions } from './score.js'
export { type Image, type ImageSet, type ImageTokenizer, tokenizerFromName } from './tokenizers/index.js'
