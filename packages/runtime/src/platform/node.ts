/** Node: onnxruntime-node, the CUDA provider where it is installed, models as directories or files. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { UnavailableError } from '@chainrule/core'
import { openPath } from '../model-directory.js'
import type { Platform } from '../platform.js'
import type { OnnxRuntime, Provider } from '../session.js'
import { startWorker } from '../worker-client.js'

let loading: Promise<OnnxRuntime> | undefined

/** onnxruntime-node, one module for all providers, loaded when the first session is opened. Its telemetry is off unless the user has decided otherwise. */
export function loadOnnxRuntime(_provider?: Provider): Promise<OnnxRuntime> {
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

/** Why CUDA cannot be had here, as far as files tell. */
function cudaObstacle(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return `onnxruntime-node has no CUDA provider for ${process.platform} ${process.arch}`
  const folder = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node')), '..')
  if (existsSync(join(folder, 'bin', 'napi-v6', process.platform, process.arch, 'libonnxruntime_providers_cuda.so'))) return undefined
  return `the CUDA provider is not installed (where a CUDA driver is, run \`node ${join(relative('', folder), 'script', 'install.js')}\`)`
}

/**
 * Numbers below the smallest normal one count as 0: a softmax is several times faster. onnxruntime lets the first session of a process
 * decide, for its whole thread, JavaScript's own numbers below 2.3e-308 included; so it is the same for all sessions.
 */
const flushDenormals = { session: { set_denormal_as_zero: '1' } }

export const node: Platform = {
  // WebGPU is an experiment of onnxruntime-node's: only where it is asked for.
  automatic: ['cuda'],
  load: loadOnnxRuntime,
  obstacle: async (provider) => (provider === 'cuda' ? cudaObstacle() : undefined),
  settings: () => ({ extra: flushDenormals }),
  openPath,
  startWorker,
}
