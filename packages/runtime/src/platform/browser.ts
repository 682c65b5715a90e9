/** A browser: onnxruntime-web, WebGPU where there is an adapter, models by address. Also for web workers. */
import { InvalidModelError, UnavailableError, UnsupportedError } from '@chainrule/core'
import { fromServer } from '../model-files.js'
import type { Platform } from '../platform.js'
import type { OnnxRuntime, Provider } from '../session.js'

/** What a page and a web worker have, as far as it is needed. */
const page = globalThis as {
  readonly navigator?: { readonly gpu?: { requestAdapter(): Promise<object | null> } }
  readonly crossOriginIsolated?: boolean
  readonly location?: { readonly href: string }
}

/** Two modules, so that the larger one with WebGPU is downloaded only where it is used. */
const modules = {
  cpu: () => import('onnxruntime-web/wasm'),
  webgpu: () => import('onnxruntime-web/webgpu'),
}

/**
 * The onnxruntime-web that runs sessions of a provider. It looks for its .wasm file beside its own script, or beside the
 * bundle that it is part of; `(await loadOnnxRuntime()).env.wasm.wasmPaths = '/some/folder/'` says otherwise.
 * @throws {UnavailableError}
 */
export async function loadOnnxRuntime(provider: Provider = 'cpu'): Promise<OnnxRuntime> {
  if (provider === 'cuda') throw new UnavailableError("Browsers have no CUDA. Use the provider 'webgpu', 'cpu' or 'auto'.")
  try {
    return (await modules[provider]()) as unknown as OnnxRuntime
  } catch (error) {
    throw new UnavailableError(`onnxruntime-web does not load here: ${(error as Error).message} Install it (npm install onnxruntime-web) and bundle it with the page.`, { cause: error })
  }
}

async function webgpuObstacle(): Promise<string | undefined> {
  const gpu = page.navigator?.gpu
  if (!gpu) return 'this browser has no WebGPU here (it needs a page from https: or localhost)'
  return (await gpu.requestAdapter()) ? undefined : 'WebGPU finds no adapter'
}

/** onnxruntime-web decides for the whole page, when its first session opens. */
function setThreads({ env }: OnnxRuntime, threads: number): void {
  if (threads > 1 && !page.crossOriginIsolated) {
    throw new UnavailableError(`threads: ${threads} were asked for; a browser gives several only to pages with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.`)
  }
  if (decided.has(env) && env.wasm.numThreads !== threads) {
    throw new UnsupportedError(`threads: ${threads} were asked for, but this page's first model was opened with ${env.wasm.numThreads}, which holds for all. Ask for the same number.`)
  }
  decided.add(env)
  env.wasm.numThreads = threads
}
const decided = new WeakSet<OnnxRuntime['env']>()

export const browser: Platform = {
  automatic: ['webgpu'],
  load: loadOnnxRuntime,
  obstacle: async (provider) => (provider === 'cuda' ? 'browsers have none' : webgpuObstacle()),
  settings(ort, threads) {
    setThreads(ort, threads)
    return {}
  },
  async openPath(path) {
    const address = String(path)
    const begin = page.location?.href
    if (!URL.canParse(address, begin)) throw new InvalidModelError(`${address} is not an address. Pass the URL of an exported model.`)
    return fromServer(new URL(address, begin))
  },
  startWorker() {
    throw new UnsupportedError('openModel: worker is for Node. In a browser, call openModel in a web worker of your own: it runs there as in a page.')
  },
}
