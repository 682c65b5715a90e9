/** The thread that sessions run in, so that the event loop of the thread that asks stays free. Started by `worker-client.ts`. */
import { parentPort, workerData } from 'node:worker_threads'
import { ChainruleError } from '@chainrule/core'
import { node } from './platform/node.js'
import { type Session, sessionsOn } from './session.js'
import { asData, busy, faultOf, idle, type Opened, type Reply, type Request, stopped } from './worker-messages.js'

const port = parentPort!
const state = workerData as Int32Array
const openSession = sessionsOn(node)
const sessions = new Map<number, Session>()
let opened = 0

async function answer(request: Request): Promise<unknown> {
  if (request.call === 'open') {
    const session = await openSession(request.model, request.options)
    sessions.set(++opened, session)
    const { provider, reason, inputNames, outputNames } = session
    return { session: opened, provider, reason, inputNames, outputNames } satisfies Opened
  }
  if (request.call === 'close') return port.close()
  const session = sessions.get(request.session)
  if (!session) throw new ChainruleError(`No session ${request.session} is open in this thread.`)
  if (request.call === 'run') return asData(await session.run(request.feeds, request.outputs))
  sessions.delete(request.session)
  return session.release()
}

const buffersOf = (result: unknown) => Object.values((result ?? {}) as object).flatMap((value) => (ArrayBuffer.isView(value?.data) ? [value.data.buffer as ArrayBuffer] : []))

async function handle({ id, ...request }: Request & { id: number }): Promise<void> {
  if (Atomics.compareExchange(state, 0, idle, busy) === stopped) return
  let reply: Reply
  try {
    reply = { id, result: await answer(request) }
  } catch (error) {
    reply = { id, error: faultOf(error) }
  }
  Atomics.store(state, 0, idle)
  Atomics.notify(state, 0)
  port.postMessage(reply, buffersOf(reply.result))
}

/** One request after the other. */
let last: Promise<void> = Promise.resolve()
port.on('message', (request) => (last = last.then(() => handle(request))))
