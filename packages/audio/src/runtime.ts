/** Exported sound models, run only: open, sample, stream, score. No tensors, no training and no sound files come with it: also for browsers. */
export { type LoadedAudio, loadModel, type OpenOptions } from './loaded.js'
export { type AudioScore, sample, type SampleAudioOptions, score, type ScoreAudioOptions, stream, type StreamAudioOptions } from './sample.js'
export type { Sound } from './sound.js'
export { type SoundTokenizer, tokenizerFromName } from './tokenizers/index.js'
