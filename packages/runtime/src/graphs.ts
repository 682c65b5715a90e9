/**
 * The graphs of an exported model as sessions, opened when they are first run. Every session holds a copy of the weights:
 * several stay open only while all copies together are small, else opening one releases the one used longest ago.
 * Runs queue up, so that no session is released under a run and calls may overlap.
 */
import { ChainruleError, conditionInput, graphFiles, type GraphName, InvalidModelError, manifestCondition, type ModelManifest, truncations, weightsFile } from '@chainrule/core'
import type { ModelFiles } from './model-files.js'
import type { Feeds, OpenSession, Provider, Session, SessionOptions } from './session.js'

/** Opening a session takes about as long as generating a hundred variables; this much memory is worth not doing it again. */
const mostBytesOfCopies = 128 * 2 ** 20

export interface Graphs {
  /** Of the session opened last. */
  readonly provider: Provider
  readonly reason: string
  /** Those that are open, the one used longest ago first. */
  readonly open: readonly GraphName[]
  /** @throws {ChainruleError} after `release` */
  checkOpen(): void
  /** Runs a graph and returns the outputs of those names. @throws {ChainruleError} after `release` */
  run(name: GraphName, feeds: Feeds, outputs: readonly string[]): Promise<Feeds>
  /** Waits for runs under way, then frees everything. */
  release(): Promise<void>
}

/** The inputs and outputs that the format promises for a graph. */
export function graphSignature(name: GraphName, manifest: Pick<ModelManifest, 'domain' | 'condition' | 'state' | 'samplingFilters'>): { inputs: string[]; outputs: string[] } {
  const { domain, state, samplingFilters } = manifest
  const condition = manifestCondition(manifest)
  const carriesState = name === 'step' || name === 'sample' || (name === 'score' && domain.length === 'variable')
  const inputs = name === 'score' ? ['x'] : ['uniforms', 'temperature', 'given', 'isGiven']
  const outputs = name === 'score' ? ['nats'] : [name === 'step' ? 'value' : 'values', 'drawn', 'distance', 'nats']
  if (name === 'waves' && samplingFilters) inputs.push(...truncations)
  if (condition) inputs.push(conditionInput(condition))
  if (!carriesState) return { inputs, outputs }
  if (samplingFilters && name !== 'score') {
    inputs.push(...samplingFilters)
    if (samplingFilters.includes('repetitionPenalty')) {
      inputs.push('seen')
      outputs.push('next.seen')
    }
  }
  return {
    inputs: [...inputs, 'previous', 'isStart', ...state.map((tensor) => `state.${tensor.name}`)],
    outputs: [...outputs, ...state.map((tensor) => `next.${tensor.name}`)],
  }
}

function checkSignature(file: string, session: Session, expected: { inputs: string[]; outputs: string[] }): void {
  const missing = expected.inputs.filter((name) => !session.inputNames.includes(name))
  const unknown = session.inputNames.filter((name) => !expected.inputs.includes(name))
  const lacking = expected.outputs.filter((name) => !session.outputNames.includes(name))
  const faults = [
    missing.length && `it has no input ${missing.join(', ')}`,
    unknown.length && `it asks for ${unknown.join(', ')}`,
    lacking.length && `it has no output ${lacking.join(', ')}`,
  ].filter(Boolean)
  if (faults.length) throw new InvalidModelError(`${file} is not a graph of this format: ${faults.join('; ')}. Export the model again.`)
}

/** Opens the first graph, so that the provider is known and the model has been seen to load. @throws what `openSession` throws */
export async function openGraphs(files: ModelFiles, options: Pick<SessionOptions, 'provider' | 'threads'>, openSession: OpenSession): Promise<Graphs> {
  /** Used longest ago first. */
  const open = new Map<GraphName, Session>()
  let last!: Session
  let queue: Promise<unknown> = Promise.resolve()
  let isReleased = false
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work)
    queue = result.catch(() => undefined)
    return result
  }
  const most = Math.max(1, Math.floor(mostBytesOfCopies / files.manifest.files[weightsFile].bytes))
  const session = async (name: GraphName): Promise<Session> => {
    const there = open.get(name)
    if (there) {
      open.delete(name)
      open.set(name, there)
      return there
    }
    for (const [other, old] of open) {
      if (open.size < most) break
      open.delete(other)
      await old.release()
    }
    const { model, externalData } = await files.graph(name)
    last = await openSession(model, { ...options, externalData })
    try {
      checkSignature(`${files.name}: ${graphFiles[name]}`, last, graphSignature(name, files.manifest))
    } catch (error) {
      await last.release()
      throw error
    }
    open.set(name, last)
    return last
  }
  const checkOpen = () => {
    if (isReleased) throw new ChainruleError(`${files.name} was released and cannot be used again. Open it anew.`)
  }
  await session('score')
  return {
    checkOpen,
    get open() {
      return [...open.keys()]
    },
    get provider() {
      return last.provider
    },
    get reason() {
      return last.reason
    },
    async run(name, feeds, outputs) {
      checkOpen()
      return inTurn(async () => {
        const opened = await session(name)
        const result = await opened.run(feeds, outputs).catch((error: unknown) => {
          throw new InvalidModelError(`${files.name}: ${graphFiles[name]} failed while running: ${(error as Error).message}`, { cause: error })
        })
        if ((result.nats?.data as Float32Array | undefined)?.some(Number.isNaN)) {
          throw new InvalidModelError(`${files.name}: ${graphFiles[name]} gives NaN for −log p: the weights are damaged, or went to infinity while they were trained. Train the model again, or export an earlier checkpoint; verifyModel says which weights are not finite.`)
        }
        return result
      })
    },
    release() {
      isReleased = true
      return inTurn(async () => {
        for (const old of open.values()) await old.release()
        open.clear()
      })
    },
  }
}
