/** The first signal asks, the second ends. */
import { afterEach, expect, it, vi } from 'vitest'
import { listenForInterruption } from '../src/interruption.js'

afterEach(() => {
  vi.restoreAllMocks()
})

it.each(['SIGINT', 'SIGTERM'] as const)('%s: the first aborts the signal and says so, the second exits with 130', (name) => {
  const exit = vi.spyOn(process, 'exit').mockImplementation((() => undefined) as never)
  const said: string[] = []
  const interruption = listenForInterruption((line) => said.push(line))
  try {
    expect(interruption.signal.aborted).toBe(false)
    process.emit(name, name)
    expect(interruption.signal.aborted).toBe(true)
    expect(said).toEqual(['Stopping at the next safe place … (once more to stop at once)'])
    expect(exit).not.toHaveBeenCalled()
    process.emit(name, name)
    expect(exit).toHaveBeenCalledWith(130)
  } finally {
    interruption.end()
  }
  expect(process.listenerCount(name)).toBe(0)
})
