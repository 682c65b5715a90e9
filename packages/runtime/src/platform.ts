/**
 * What differs between Node and a browser: which onnxruntime is loaded, what there is besides the CPU, and what a path is.
 * The package has one entry for each (`index.ts`, `browser.ts`); everything else is the same code.
 */
import type { ModelFiles } from './model-files.js'
import type { OnnxRuntime, OpenSession, Provider } from './session.js'

export type Accelerator = Exclude<Provider, 'cpu'>

export interface Platform {
  /** What 'auto' tries before the CPU, the best first. */
  readonly automatic: readonly Accelerator[]
  /** The module that runs sessions of this provider. @throws {UnavailableError} */
  load(provider: Provider): Promise<OnnxRuntime>
  /** Why a provider cannot be had here, as far as can be told without trying; undefined where it is worth a try. */
  obstacle(provider: Accelerator): Promise<string | undefined>
  /** Session options that only this platform's onnxruntime knows; it is told the number of threads before a session opens. */
  settings(ort: OnnxRuntime, threads: number): object
  /** Files by a path, as it is understood here, or by a URL that is neither http: nor https:. */
  openPath(path: string | URL): Promise<ModelFiles>
  /** Opens sessions in another thread. @throws {UnsupportedError} */
  startWorker(): SessionWorker
}

/** Another thread that sessions run in. */
export interface SessionWorker {
  readonly openSession: OpenSession
  /** After all sessions are released: ends the thread. */
  close(): Promise<void>
}
