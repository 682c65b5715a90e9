/** Runs exported models on onnxruntime: sample, stream, score, replay. The only owner of onnxruntime: sessions and providers. */
import { modelsOn } from './open-model.js'
import { node } from './platform/node.js'
import { sessionsOn } from './session.js'

export type { ModelSource } from './model-files.js'
export type { OpenModel, OpenModelOptions, SessionMemory } from './open-model.js'
export { loadOnnxRuntime } from './platform/node.js'
export type { GivenValues, ReplayOptions, SampleOptions, Samples, StreamChunk, StreamOptions } from './sampling.js'
export type { Progress, ScoreOptions } from './scoring.js'
export type { SamplerName } from './samplers.js'
export type { Feeds, OnnxRuntime, OpenSession, Provider, Session, SessionOptions } from './session.js'

/**
 * Opens a model from its bytes or its path.
 * @throws {InvalidOptionError} for an unknown option or provider
 * @throws {InvalidModelError} where onnxruntime refuses the model
 * @throws {UnavailableError} where onnxruntime or the provider that was demanded is not to be had
 */
export const openSession = /* @__PURE__ */ sessionsOn(node)

/**
 * Opens an exported model: its directory or single file by path or URL, or the bytes of them. Every file is checked against
 * model.json first.
 * @throws {InvalidModelError} naming the file that is missing, damaged or not a model's
 * @throws {InvalidOptionError} for options
 * @throws {UnavailableError} where onnxruntime or the provider that was demanded is not to be had
 */
export const openModel = /* @__PURE__ */ modelsOn(node, openSession)
