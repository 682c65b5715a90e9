/** Networks for sounds on the command line; what no option says is of a size that minutes of training are enough for. */
import type { JsonObject } from '@chainrule/core'
import type { Network } from '@chainrule/core/tensors'
import { networkFromName } from '@chainrule/networks'
import { pieceNamed } from '../piece-named.js'

export const soundNetworkNames = ['causalConvolution', 'recurrent', 'transformer'] as const

/** @param window variables of a training window, as far back as attention looks. @throws {InvalidOptionError} */
export function soundNetworkNamed(text: string, window: number): Network {
  const known: Record<(typeof soundNetworkNames)[number], JsonObject> = {
    causalConvolution: { layers: 10, width: 32, skipWidth: 64, input: 'scaled' },
    recurrent: { layers: 1, width: 128 },
    transformer: { layers: 4, heads: 4, width: 64, context: window },
  }
  return pieceNamed('network', text, known, networkFromName)
}
