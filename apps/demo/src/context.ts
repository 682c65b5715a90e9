/** What every command is given besides its own arguments. */
import type { Output } from './output.js'

export interface Context {
  readonly output: Output
  readonly signal: AbortSignal
}
