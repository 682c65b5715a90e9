/** How a command fails: one message on stderr, and an exit code that says what kind of failure it was. */
import { ChainruleError, InterruptedError, InvalidDataError, InvalidOptionError } from '@chainrule/core'

export const exitCodes = { success: 0, failed: 1, usage: 2, interrupted: 130 } as const

export interface Failure {
  readonly exitCode: number
  /** The class of the error. */
  readonly kind: string
  readonly message: string
  /** Further lines for people: how to see more. */
  readonly hint?: string
}

export function failureOf(error: unknown): Failure {
  if (error instanceof InterruptedError) return { exitCode: exitCodes.interrupted, kind: error.name, message: error.message }
  if (error instanceof InvalidOptionError) return { exitCode: exitCodes.usage, kind: error.name, message: error.message }
  if (error instanceof ChainruleError) return { exitCode: exitCodes.failed, kind: error.name, message: error.message }
  const { name = 'Error', message = String(error), syscall } = (error ?? {}) as Partial<NodeJS.ErrnoException>
  if (syscall) return { exitCode: exitCodes.failed, kind: name, message: `the operating system refused: ${message}` }
  return { exitCode: exitCodes.failed, kind: name, message, hint: 'This was not foreseen. Set CHAINRULE_DEBUG=1 and run the command again to see where it happened.' }
}

/** Runs `action`; an error about a text is told with where the text came from. */
export function located<Result>(source: string, action: () => Result): Result {
  try {
    return action()
  } catch (error) {
    throw error instanceof InvalidDataError ? new InvalidDataError(`${source}: ${error.message}`, { cause: error }) : error
  }
}
