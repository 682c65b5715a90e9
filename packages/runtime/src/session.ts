/**
 * Sessions: one graph, loaded. Says which provider runs and why: onnxruntime throws where an accelerator cannot be had, so
 * falling back to the CPU, and the reason for it, are ours.
 */
import { InvalidModelError, InvalidOptionError, refuseUnknownOptions, UnavailableError, wholeNumber } from '@chainrule/core'
import type { InferenceSession, Tensor } from 'onnxruntime-common'
import type { Accelerator, Platform } from './platform.js'

export type OnnxRuntime = typeof import('onnxruntime-common')

const providers = ['cpu', 'cuda', 'webgpu'] as const
export type Provider = (typeof providers)[number]

export interface SessionOptions {
  /** 'auto' (the default): an accelerator where one works, else the CPU. A provider by its name: that one or an error. */
  provider?: Provider | 'auto'
  /** Threads inside one operator; the default is 1, the fastest for small models sampled one variable at a time. */
  threads?: number
  /** Files that the model names as external data, where it is opened from bytes. */
  externalData?: readonly { path: string; data: Uint8Array }[]
}

/** Tensors by name, as data; onnxruntime's own class is one of them. */
export type Feeds = Record<string, Pick<Tensor, 'type' | 'data' | 'dims'>>

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

export type OpenSession = (model: Uint8Array | string, options?: SessionOptions) => Promise<Session>

/** @throws {InvalidOptionError} */
export function checkSessionOptions(owner: string, { provider = 'auto', threads = 1 }: SessionOptions): void {
  const names = ['auto', ...providers]
  if (!names.includes(provider)) throw new InvalidOptionError(`${owner}: provider must be one of ${names.join(', ')}, got ${JSON.stringify(provider)}.`)
  wholeNumber(owner, 'threads', threads)
}

const firstLine = (error: unknown) => String((error as Error).message ?? error).split('\n')[0]

type Attempt = { readonly inner: InferenceSession; readonly ort: OnnxRuntime } | { readonly obstacle: string; readonly cause?: unknown }

/** How sessions are opened on a platform. */
export function sessionsOn(platform: Platform): OpenSession {
  return async function openSession(model, options = {}) {
    refuseUnknownOptions('openSession', options, ['provider', 'threads', 'externalData'])
    checkSessionOptions('openSession', options)
    const { provider = 'auto', threads = 1, externalData } = options

    const open = async (used: Provider): Promise<{ inner: InferenceSession; ort: OnnxRuntime }> => {
      const ort = await platform.load(used)
      const settings = {
        executionProviders: used === 'cpu' ? ['cpu'] : [used, 'cpu'],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        logSeverityLevel: 4 as const,
        ...(externalData && { externalData: [...externalData] }),
        ...platform.settings(ort, threads),
      }
      return { ort, inner: await (typeof model === 'string' ? ort.InferenceSession.create(model, settings) : ort.InferenceSession.create(model, settings)) }
    }
    const openOnCpu = async () => {
      try {
        return await open('cpu')
      } catch (error) {
        if (error instanceof UnavailableError) throw error
        throw new InvalidModelError(`onnxruntime cannot open ${typeof model === 'string' ? model : 'the model'}: ${(error as Error).message}`, { cause: error })
      }
    }
    const attempt = async (used: Accelerator): Promise<Attempt> => {
      const obstacle = await platform.obstacle(used)
      if (obstacle) return { obstacle }
      try {
        return await open(used)
      } catch (cause) {
        return { obstacle: `the ${used} provider does not work: ${firstLine(cause)}`, cause }
      }
    }

    const choose = async (): Promise<{ inner: InferenceSession; ort: OnnxRuntime; used: Provider; reason: string }> => {
      if (provider === 'cpu') return { ...(await openOnCpu()), used: 'cpu', reason: 'cpu, as asked' }
      const obstacles: string[] = []
      for (const used of provider === 'auto' ? platform.automatic : [provider]) {
        const result = await attempt(used)
        if ('inner' in result) return { ...result, used, reason: provider === 'auto' ? `${used}: it works here` : `${used}, as asked` }
        obstacles.push(result.obstacle)
        if (provider !== 'auto') {
          // A model that no provider opens is the model's fault.
          if (result.cause) await openOnCpu().then(({ inner }) => inner.release())
          throw new UnavailableError(`The provider ${used} was asked for, but ${result.obstacle}. Use the provider 'cpu' or 'auto'.`, { cause: result.cause })
        }
      }
      return { ...(await openOnCpu()), used: 'cpu', reason: `cpu: ${obstacles.join('; ')}` }
    }

    const { inner, ort, used, reason } = await choose()
    // An output that is null is one that onnxruntime makes room for.
    const native = (values: Feeds): Record<string, Tensor> =>
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value === null || value instanceof ort.Tensor ? value : new ort.Tensor(value.type, value.data, value.dims)]))
    return {
      provider: used,
      reason,
      inputNames: inner.inputNames,
      outputNames: inner.outputNames,
      run: (feeds, outputs) => {
        if (!outputs) return inner.run(native(feeds))
        return inner.run(native(feeds), Array.isArray(outputs) ? outputs : native(outputs as Feeds))
      },
      release: () => inner.release(),
    }
  }
}
