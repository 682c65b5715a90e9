/** An exported model, opened: what it is, and the verbs that run it. It speaks variables only; tokenizers are the caller's. */
import {
  decodeSafetensors,
  type GraphName,
  InvalidModelError,
  InvalidOptionError,
  manifestOrder,
  type ModelManifest,
  type ParameterArray,
  type ParameterArrays,
  refuseUnknownOptions,
  type ResolvedOrder,
  weightsFile,
} from '@chainrule/core'
import { openGraphs } from './graphs.js'
import { type ModelSource, openModelFiles } from './model-files.js'
import type { Platform } from './platform.js'
import { replay, type ReplayOptions, sample, type SampleOptions, type Samples, stream, type StreamChunk, type StreamOptions } from './sampling.js'
import { score, type ScoreOptions } from './scoring.js'
import { checkSessionOptions, type OpenSession, type Provider, type SessionOptions } from './session.js'

export interface OpenModelOptions extends Pick<SessionOptions, 'provider' | 'threads'> {
  /**
   * Node: run the sessions in a thread of their own, so that the event loop stays free while they compute. False by default;
   * docs/running.md has the costs.
   */
  worker?: boolean
}

/** What a model holds outside of JavaScript's own memory. */
export interface SessionMemory {
  /** The graphs that are open; each has a copy of the weights. */
  readonly openGraphs: readonly GraphName[]
  /** Bytes of all those copies. */
  readonly weightBytes: number
}

/** After `release` every verb throws. Verbs may overlap; their runs take turns. */
export interface OpenModel {
  readonly manifest: ModelManifest
  readonly order: ResolvedOrder
  /** What runs the graph opened last. */
  readonly provider: Provider
  /** One line for people: what runs and why. */
  readonly reason: string
  readonly memory: SessionMemory
  /** Draws samples; see `SampleOptions` and `Samples` for shapes. */
  sample(options: SampleOptions): Promise<Samples>
  /** Draws samples and yields them as they grow. */
  stream(options: StreamOptions): AsyncGenerator<StreamChunk, void, undefined>
  /** −log p of each variable given the ones before it, in nats: x [N, n, C] by position → [N, n]. */
  score(options: ScoreOptions): Promise<Float32Array>
  /** Follows a sequence that another sampler drew: how far this one would have left it. */
  replay(options: ReplayOptions): Promise<Samples>
  /** The weights, a fresh copy. */
  parameters(): Promise<ParameterArrays>
  /** The bytes of one of its files, by the name that model.json lists. */
  file(name: string): Promise<Uint8Array>
  /** Frees all memory outside JavaScript's own, and ends the thread where there is one. */
  release(): Promise<void>
}

export type OpenModelFunction = (source: ModelSource, options?: OpenModelOptions) => Promise<OpenModel>

/** How models are opened on a platform. */
export function modelsOn(platform: Platform, openSessionHere: OpenSession): OpenModelFunction {
  return async function openModel(source, options = {}) {
    refuseUnknownOptions('openModel', options, ['provider', 'threads', 'worker'])
    checkSessionOptions('openModel', options)
    const { worker = false, ...sessionOptions } = options
    if (typeof worker !== 'boolean') throw new InvalidOptionError(`openModel: worker must be true or false, got ${String(worker)}.`)
    const files = await openModelFiles(source, platform)
    const { manifest } = files
    const order = manifestOrder(manifest)
    const thread = worker ? platform.startWorker() : undefined
    const graphs = await openGraphs(files, sessionOptions, thread?.openSession ?? openSessionHere).catch(async (error: unknown) => {
      await thread?.close()
      throw error
    })
    return {
      manifest,
      order,
      get provider() {
        return graphs.provider
      },
      get reason() {
        return graphs.reason
      },
      get memory() {
        return { openGraphs: graphs.open, weightBytes: graphs.open.length * manifest.files[weightsFile].bytes }
      },
      sample: (request) => sample(graphs, manifest, order, request),
      stream: (request) => stream(graphs, manifest, order, request),
      score: (request) => score(graphs, manifest, request),
      replay: (request) => replay(graphs, manifest, order, request),
      async parameters() {
        graphs.checkOpen()
        const { tensors } = decodeSafetensors(await files.file(weightsFile), `${files.name}: ${weightsFile}`)
        for (const [name, { data }] of Object.entries(tensors)) {
          if (!(data instanceof Float32Array)) throw new InvalidModelError(`${files.name}: ${weightsFile}: "${name}" is not float32. Export the model again.`)
        }
        return tensors as Record<string, ParameterArray>
      },
      async file(name) {
        graphs.checkOpen()
        return files.file(name)
      },
      async release() {
        await graphs.release()
        await thread?.close()
      },
    }
  }
}
