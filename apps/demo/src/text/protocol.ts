/** The options of `evaluate` that say how a text is cut, as the library takes them. */
import { InvalidOptionError } from '@chainrule/core'
import { type EvaluationProtocol, type LoadedText, type TrainedText, trainedWindow } from '@chainrule/text'

export const protocolNames = ['windows', 'sliding', 'random'] as const

export interface ProtocolOptions {
  protocol?: (typeof protocolNames)[number]
  /** Tokens of one window; those of a window of training by default. */
  window?: number
  stride?: number
  count?: number
  seed?: number
}

/** A number of random windows that makes the standard error small, but not the wait long. */
const defaultCount = 1000

/** @throws {InvalidOptionError} for an option of another protocol */
export function protocolOf({ protocol = 'windows', window, stride, count, seed }: ProtocolOptions, model: TrainedText | LoadedText): EvaluationProtocol {
  const belongs = { stride: 'sliding', count: 'random', seed: 'random' } as const
  for (const [option, value] of Object.entries({ stride, count, seed })) {
    const owner = belongs[option as keyof typeof belongs]
    if (value !== undefined && owner !== protocol) throw new InvalidOptionError(`--${option} belongs to --protocol ${owner}; this one is ${protocol}. Leave it out.`)
  }
  const size = window ?? trainedWindow(model)
  if (protocol === 'sliding') return { sliding: size, stride: stride ?? Math.ceil(size / 2) }
  return protocol === 'random' ? { random: size, count: count ?? defaultCount, seed: seed ?? 0 } : { windows: size }
}
