/**
 * What a session's thread and the thread that asks say to each other. Tensors travel as data: those that go in are copied,
 * because their owner may use them again; those that come out change their owner.
 */
import { ChainruleError, InvalidModelError, InvalidOptionError, UnavailableError } from '@chainrule/core'
import type { Feeds, Session, SessionOptions } from './session.js'

export type Request =
  | { readonly call: 'open'; readonly model: Uint8Array | string; readonly options: SessionOptions }
  | { readonly call: 'run'; readonly session: number; readonly feeds: Feeds; readonly outputs?: readonly string[] }
  | { readonly call: 'release'; readonly session: number }
  | { readonly call: 'close' }

export type Opened = Pick<Session, 'provider' | 'reason' | 'inputNames' | 'outputNames'> & { readonly session: number }

export interface Reply {
  readonly id: number
  readonly result?: unknown
  readonly error?: Fault
}

/** An error as data. */
export interface Fault {
  readonly name: string
  readonly message: string
  readonly stack?: string
  readonly cause?: Fault
}

/** What sessions throw. */
const classes: Record<string, new (message: string, options?: { cause?: unknown }) => Error> = { ChainruleError, InvalidModelError, InvalidOptionError, UnavailableError }

export function faultOf(error: unknown): Fault {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  const { name, message, stack, cause } = error
  return { name, message, stack, ...(cause !== undefined && { cause: faultOf(cause) }) }
}

/** The error of that class and message; its stack is that of the thread where it arose. */
export function errorOf({ name, message, stack, cause }: Fault): Error {
  const error = new (Object.hasOwn(classes, name) ? classes[name] : Error)(message, cause && { cause: errorOf(cause) })
  if (stack !== undefined) error.stack = stack
  return error
}

/** Tensors as plain data, each array alone in its buffer: a view would drag along everything behind it. */
export function asData(tensors: Feeds): Feeds {
  const compact = (data: Feeds[string]['data']) => (ArrayBuffer.isView(data) && data.byteLength !== data.buffer.byteLength ? data.slice() : data)
  return Object.fromEntries(Object.entries(tensors).map(([name, { type, data, dims }]) => [name, { type, data: compact(data), dims: [...dims] }]))
}

/**
 * One word of memory that both threads see. Node aborts the whole process where it ends a thread inside of onnxruntime; so a
 * process that exits waits until the thread is idle, and the thread begins nothing after that.
 */
export const idle = 0
export const busy = 1
export const stopped = 2
