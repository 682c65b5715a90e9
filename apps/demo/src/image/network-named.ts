/** Networks for images on the command line; what no option says is of a size that minutes of training are enough for. */
import type { JsonObject } from '@chainrule/core'
import type { Network } from '@chainrule/core/tensors'
import type { ImageTokenizer } from '@chainrule/image'
import { networkFromName } from '@chainrule/networks'
import { pieceNamed } from '../piece-named.js'

export const imageNetworkNames = ['maskedConvolution', 'rowLstm', 'diagonalLstm', 'transformer', 'recurrent', 'causalConvolution', 'multilayerPerceptron', 'nade'] as const

function known({ name, domain }: ImageTokenizer): Record<(typeof imageNetworkNames)[number], JsonObject> {
  // Colours of a palette are names, learned one by one; levels are numbers.
  const input = name === 'palette' ? 'embedding' : 'scaled'
  return {
    maskedConvolution: { layers: 6, width: 32, input },
    rowLstm: { layers: 2, width: 32, input },
    diagonalLstm: { layers: 2, width: 32, input },
    transformer: { layers: 4, heads: 4, width: 64, context: domain.length, positions: 'learned2d' },
    recurrent: { layers: 1, width: 128 },
    causalConvolution: { layers: 10, width: 32, input },
    multilayerPerceptron: { hidden: [500] },
    nade: { hidden: 500 },
  }
}

/** @throws {InvalidOptionError} */
export const imageNetworkNamed = (text: string, tokenizer: ImageTokenizer): Network => pieceNamed('network', text, known(tokenizer), networkFromName)
