/**
 * Stop strings: a text ends before the first of them that begins in it, the same whatever pieces the text comes in. What may
 * yet turn out to be one is held back: the longest end of the text that is the beginning of a stop string.
 */
import { InvalidOptionError } from '@chainrule/core'

export interface Stopping {
  /** What can be told of the text now that this piece has come. */
  push(piece: string): string
  /** What was held back: no stop string came of it. */
  end(): string
  /** Whether a stop string has come; the text is over. */
  readonly isStopped: boolean
}

/** @throws {InvalidOptionError} */
export function checkStop(owner: string, stop: unknown): readonly string[] {
  const stops: unknown[] = stop === undefined ? [] : Array.isArray(stop) ? stop : [stop]
  for (const one of stops) {
    if (typeof one !== 'string' || one === '') throw new InvalidOptionError(`${owner}: stop must be a text or a list of texts, none of them empty, got ${JSON.stringify(stop)}.`)
    if (/\p{Surrogate}/u.test(one)) throw new InvalidOptionError(`${owner}: stop holds half of a surrogate pair (${JSON.stringify(one)}), which no text holds.`)
  }
  return stops as string[]
}

export function stopping(stops: readonly string[]): Stopping {
  let held = ''
  let isStopped = false
  /** Tells `held` up to the first place where a stop string begins or, while there is more to come, may begin. */
  const tell = (isLast: boolean): string => {
    if (isStopped) return ''
    let at = 0
    for (; at < held.length && !isStopped; at++) {
      isStopped = stops.some((stop) => held.startsWith(stop, at))
      if (isStopped || (!isLast && stops.some((stop) => stop.startsWith(held.slice(at))))) break
    }
    const told = held.slice(0, at)
    held = isStopped ? '' : held.slice(at)
    return told
  }
  return {
    push(piece) {
      held += piece
      return tell(false)
    },
    end: () => tell(true),
    get isStopped() {
      return isStopped
    },
  }
}
