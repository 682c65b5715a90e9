/**
 * Sessions: the only place that loads onnxruntime. Says which provider runs and why: onnxruntime throws where the CUDA
 * provider cannot load, so falling back to the CPU, and the reason for it, are ours.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { InvalidModelError, InvalidOptionError, refuseUnknownOptions, UnavailableError, wholeNumber } from '@chainrule/core'
import type { InferenceSession, Tensor } from 'onnxruntime-common'

export type Provider = 'cpu' | 'cuda'

export interface SessionOptions {
  /** 'auto' (the default): CUDA where it works, else the CPU. 'cuda': CUDA or an error. */
  provider?: Provider | 'auto'
  /** Threads inside one operator; the default is 1, the fastest for small models sampled one variable at a time. */
  threads?: number
  /** Files that the model names as external data, where it is opened from bytes. */
  externalData?: readonly { path: string; data: Uint8Array }[]
}

export type Feeds = Record<string, Tensor>

export interface Session {
  readonly provider: Provider
  /** One line for people: what runs and why. */
  readonly reason: string
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  /** `outputs`: the names that are wanted (fewer are faster), or tensors by name that the results are written into; absent: all. */
  run(feeds: Feeds, outputs?: Feeds | readonly string[]): Promise<Feeds>
  release(): Promise<void>
}

type OnnxRuntime = typeof import('onnxruntime-common')

let loading: Promise<OnnxRuntime> | undefined

/**
 * Numbers below the smallest normal one count as 0: a softmax is several times faster. onnxruntime lets the first session of a process
 * decide, for its whole thread, JavaScript's own numbers below 2.3e-308 included; so it is the same for all sessions.
 */
const flushDenormals = { session: { set_denormal_as_zero: '1' } }

/** onnxruntime-node, loaded when the first session is opened. Its telemetry is off unless the user has decided otherwise. */
export function loadOnnxRuntime(): Promise<OnnxRuntime> {
  loading ??= (async () => {
    process.env.ORT_DISABLE_TELEMETRY ??= '1'
    try {
      const module = (await import('onnxruntime-node')) as unknown as OnnxRuntime & { default?: OnnxRuntime }
      return module.default ?? module
    } catch (error) {
      loading = undefined
      throw new UnavailableError(`onnxruntime-node does not load here: ${(error as Error).message} Install it (npm install onnxruntime-node) on a platform it supports.`, { cause: error })
    }
  })()
  return loading
}

/** Why CUDA cannot be had here, as far as files tell; undefined where it is worth trying. */
function cudaObstacle(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return `onnxruntime-node has no CUDA provider for ${process.platform} ${process.arch}`
  const folder = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node')), '..')
  if (existsSync(join(folder, 'bin', 'napi-v6', process.platform, process.arch, 'libonnxruntime_providers_cuda.so'))) return undefined
  return `the CUDA provider is not installed (where a CUDA driver is, run \`node ${join(relative('', folder), 'script', 'install.js')}\`)`
}

const firstLine = (error: unknown) => String((error as Error).message ?? error).split('\n')[0]

/**
 * Opens a model from its bytes or its path.
 * @throws {InvalidOptionError} for an unknown option or provider
 * @throws {InvalidModelError} where onnxruntime refuses the model
 * @throws {UnavailableError} where onnxruntime or the provider that was demanded is not to be had
 */
export async function openSession(model: Uint8Array | string, options: SessionOptions = {}): Promise<Session> {
  refuseUnknownOptions('openSession', options, ['provider', 'threads', 'externalData'])
  const { provider = 'auto', threads = 1, externalData } = options
  if (!['auto', 'cpu', 'cuda'].includes(provider)) throw new InvalidOptionError(`openSession: provider must be 'auto', 'cpu' or 'cuda', got ${JSON.stringify(provider)}.`)
  wholeNumber('openSession', 'threads', threads)
  const ort = await loadOnnxRuntime()
  const open = (executionProviders: InferenceSession.ExecutionProviderConfig[]): Promise<InferenceSession> => {
    const settings = {
      executionProviders,
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      logSeverityLevel: 4 as const,
      ...(externalData && { externalData: [...externalData] }),
      extra: flushDenormals,
    }
    return typeof model === 'string' ? ort.InferenceSession.create(model, settings) : ort.InferenceSession.create(model, settings)
  }
  const openOnCpu = async () => {
    try {
      return await open(['cpu'])
    } catch (error) {
      throw new InvalidModelError(`onnxruntime cannot open ${typeof model === 'string' ? model : 'the model'}: ${(error as Error).message}`, { cause: error })
    }
  }
  /** The session on CUDA, or why there is none. A model that no provider opens throws InvalidModelError. */
  const tryCuda = async (): Promise<{ inner: InferenceSession; obstacle?: undefined } | { inner?: InferenceSession; obstacle: string; cause?: unknown }> => {
    const obstacle = cudaObstacle()
    if (obstacle) return { obstacle }
    try {
      return { inner: await open(['cuda', 'cpu']) }
    } catch (cause) {
      return { inner: await openOnCpu(), obstacle: `the CUDA provider does not work: ${firstLine(cause)}`, cause }
    }
  }
  let inner: InferenceSession
  let used: Provider = 'cpu'
  let reason = 'cpu, as asked'
  if (provider === 'cpu') inner = await openOnCpu()
  else {
    const attempt = await tryCuda()
    if (attempt.obstacle === undefined) {
      inner = attempt.inner
      used = 'cuda'
      reason = provider === 'cuda' ? 'cuda, as asked' : 'cuda: the CUDA provider works here'
    } else if (provider === 'cuda') {
      await attempt.inner?.release()
      throw new UnavailableError(`The CUDA provider was asked for, but ${attempt.obstacle}. Use the provider 'cpu' or 'auto'.`, { cause: attempt.cause })
    } else {
      inner = attempt.inner ?? (await openOnCpu())
      reason = `cpu: ${attempt.obstacle}`
    }
  }
  return {
    provider: used,
    reason,
    inputNames: inner.inputNames,
    outputNames: inner.outputNames,
    run: (feeds, outputs) => (outputs ? inner.run(feeds, outputs) : inner.run(feeds)) as Promise<Feeds>,
    release: () => inner.release(),
  }
}
