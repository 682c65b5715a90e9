/** An exported model, opened: what it is, and the verbs that run it. It speaks variables only; tokenizers are the caller's. */
import {
  decodeSafetensors,
  InvalidModelError,
  InvalidOptionError,
  manifestOrder,
  type ModelManifest,
  type ParameterArray,
  type ParameterArrays,
  refuseUnknownOptions,
  type ResolvedOrder,
  weightsFile,
  wholeNumber,
} from '@chainrule/core'
import { openGraphs } from './graphs.js'
import { type ModelSource, openModelFiles } from './model-files.js'
import { replay, type ReplayOptions, sample, type SampleOptions, type Samples, stream, type StreamChunk, type StreamOptions } from './sampling.js'
import { score, type ScoreOptions } from './scoring.js'
import type { Provider } from './session.js'

export interface OpenModelOptions {
  /** 'auto' (the default): CUDA where it works, else the CPU. 'cuda': CUDA or an error. */
  provider?: Provider | 'auto'
  /** Threads inside one operator, 1 by default. */
  threads?: number
}

/** After `release` every verb throws. Verbs may overlap; their runs take turns. */
export interface OpenModel {
  readonly manifest: ModelManifest
  readonly order: ResolvedOrder
  /** What runs the graph opened last. */
  readonly provider: Provider
  /** One line for people: what runs and why. */
  readonly reason: string
  /** Draws samples; see `SampleOptions` and `Samples` for shapes. */
  sample(options: SampleOptions): Promise<Samples>
  /** Draws one sample of a variable length and yields it as it grows. */
  stream(options: StreamOptions): AsyncGenerator<StreamChunk, void, undefined>
  /** −log p of each variable given the ones before it, in nats: x [N, n, C] by position → [N, n]. */
  score(options: ScoreOptions): Promise<Float32Array>
  /** Follows a sequence that another sampler drew: how far this one would have left it. */
  replay(options: ReplayOptions): Promise<Samples>
  /** The weights, a fresh copy. */
  parameters(): Promise<ParameterArrays>
  /** Frees all memory outside JavaScript's own. */
  release(): Promise<void>
}

/**
 * Opens an exported model: its directory, or its files as bytes by name. Every file is checked against model.json first.
 * @throws {InvalidModelError} naming the file that is missing, damaged or not a model's
 * @throws {InvalidOptionError} for options
 * @throws {UnavailableError} where onnxruntime or the provider that was demanded is not to be had
 */
export async function openModel(source: ModelSource, options: OpenModelOptions = {}): Promise<OpenModel> {
  refuseUnknownOptions('openModel', options, ['provider', 'threads'])
  const { provider = 'auto', threads = 1 } = options
  if (!['auto', 'cpu', 'cuda'].includes(provider)) throw new InvalidOptionError(`openModel: provider must be 'auto', 'cpu' or 'cuda', got ${JSON.stringify(provider)}.`)
  wholeNumber('openModel', 'threads', threads)
  const files = await openModelFiles(source)
  const { manifest } = files
  const order = manifestOrder(manifest)
  const graphs = await openGraphs(files, { provider, threads })
  return {
    manifest,
    order,
    get provider() {
      return graphs.provider
    },
    get reason() {
      return graphs.reason
    },
    sample: (request) => sample(graphs, manifest, order, request),
    stream: (request) => stream(graphs, manifest, order, request),
    score: (request) => score(graphs, manifest, request),
    replay: (request) => replay(graphs, manifest, order, request),
    async parameters() {
      graphs.checkOpen()
      const { tensors } = decodeSafetensors(await files.weights(), `${files.name}: ${weightsFile}`)
      for (const [name, { data }] of Object.entries(tensors)) {
        if (!(data instanceof Float32Array)) throw new InvalidModelError(`${files.name}: ${weightsFile}: "${name}" is not float32. Export the model again.`)
      }
      return tensors as Record<string, ParameterArray>
    },
    release: () => graphs.release(),
  }
}
