/** Runs exported models on onnxruntime: sample, stream, score, replay. The only owner of onnxruntime: sessions and providers. */
export type { ModelSource } from './model-files.js'
export { openModel, type OpenModel, type OpenModelOptions } from './open-model.js'
export type { GivenValues, ReplayOptions, SampleOptions, Samples, StreamChunk, StreamOptions } from './sampling.js'
export type { Progress, ScoreOptions } from './scoring.js'
export type { SamplerName } from './samplers.js'
export { type Feeds, loadOnnxRuntime, openSession, type Provider, type Session, type SessionOptions } from './session.js'
