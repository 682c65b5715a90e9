/** Ctrl-C and SIGTERM: the first asks the work to stop where it can go on later, the second ends the program at once. */
import { exitCodes } from './failure.js'

export interface Interruption {
  readonly signal: AbortSignal
  /** Stops listening. */
  end(): void
}

export function listenForInterruption(say: (line: string) => void): Interruption {
  const controller = new AbortController()
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted)
    controller.abort()
    say('Stopping at the next safe place … (once more to stop at once)')
  }
  const names = ['SIGINT', 'SIGTERM'] as const
  for (const name of names) process.on(name, onSignal)
  return {
    signal: controller.signal,
    end() {
      for (const name of names) process.off(name, onSignal)
    },
  }
}
