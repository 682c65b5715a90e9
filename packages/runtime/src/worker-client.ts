/**
 * Sessions in a thread of their own. The thread keeps the process alive only while something is asked of it; `close` ends it.
 */
import { Worker } from 'node:worker_threads'
import { ChainruleError } from '@chainrule/core'
import type { SessionWorker } from './platform.js'
import type { Feeds } from './session.js'
import { asData, busy, errorOf, idle, type Opened, type Reply, type Request, stopped } from './worker-messages.js'

/** The state of each thread that runs, for the process's exit. */
const states = new Set<Int32Array>()

function waitForThreads(): void {
  for (const state of states) while (Atomics.compareExchange(state, 0, idle, stopped) === busy) Atomics.wait(state, 0, busy)
}

/** Bytes whose buffer holds nothing else: the whole buffer is copied to the thread. */
const alone = (bytes: Uint8Array) => (bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes))

/** @throws {ChainruleError} from its sessions, where the thread has failed */
export function startWorker(): SessionWorker {
  // The thread has a copy of the environment; onnxruntime reads the process's own.
  process.env.ORT_DISABLE_TELEMETRY ??= '1'
  const state = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(new URL('./worker.js', import.meta.url), { name: 'chainrule', workerData: state, execArgv: [] })
  worker.unref()
  if (states.size === 0) process.on('exit', waitForThreads)
  states.add(state)
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>()
  let asked = 0
  let end: Error | undefined
  const settle = (id: number) => {
    const entry = waiting.get(id)
    waiting.delete(id)
    if (waiting.size === 0) worker.unref()
    return entry
  }
  const exited = new Promise<void>((resolve) => {
    worker.on('message', ({ id, result, error }: Reply) => (error ? settle(id)?.reject(errorOf(error)) : settle(id)?.resolve(result)))
    worker.on('error', (error) => {
      end = new ChainruleError(`The thread of the model's sessions failed: ${error.message}`, { cause: error })
    })
    worker.on('exit', () => {
      states.delete(state)
      if (states.size === 0) process.off('exit', waitForThreads)
      end ??= new ChainruleError("The thread of the model's sessions has ended.")
      for (const id of waiting.keys()) settle(id)?.reject(end)
      resolve()
    })
  })

  const ask = <Result>(request: Request): Promise<Result> => {
    if (end) return Promise.reject(end)
    return new Promise<Result>((resolve, reject) => {
      const id = ++asked
      waiting.set(id, { resolve: resolve as (result: unknown) => void, reject })
      worker.ref()
      worker.postMessage({ id, ...request })
    })
  }

  return {
    async openSession(model, options = {}) {
      const externalData = options.externalData?.map(({ path, data }) => ({ path, data: alone(data) }))
      const request = { call: 'open', model: typeof model === 'string' ? model : alone(model), options: { ...options, ...(externalData && { externalData }) } } as const
      const { session, ...description } = await ask<Opened>(request)
      return {
        ...description,
        run(feeds, outputs) {
          if (outputs && !Array.isArray(outputs)) throw new ChainruleError('A session in another thread cannot write into the arrays of this one. Name the outputs.')
          return ask<Feeds>({ call: 'run', session, feeds: asData(feeds), outputs })
        },
        release: () => ask<void>({ call: 'release', session }),
      }
    },
    async close() {
      worker.ref()
      worker.postMessage({ id: ++asked, call: 'close' })
      await exited
    },
  }
}
