/** Networks: context extraction f_θ that never sees the future. */
import { type Piece, UnknownPieceError } from '@chainrule/core'
import { type Network, tabular } from '@chainrule/core/tensors'
import { causalConvolution } from './causal-convolution.js'
import { diagonalLstm } from './diagonal-lstm.js'
import { maskedConvolution } from './masked-convolution.js'
import { mixture, type MixtureOptions } from './mixture.js'
import { multilayerPerceptron } from './multilayer-perceptron.js'
import { nade } from './nade.js'
import { ngram } from './ngram.js'
import { recurrent } from './recurrent.js'
import { rowLstm } from './row-lstm.js'
import { transformer } from './transformer.js'

export { causalConvolution, type CausalConvolutionOptions } from './causal-convolution.js'
export { diagonalLstm } from './diagonal-lstm.js'
export type { LineRecurrentOptions } from './line-recurrent.js'
export { maskedConvolution, type MaskedConvolutionOptions } from './masked-convolution.js'
export { mixture, type MixtureOptions, mixtureParameters } from './mixture.js'
export { multilayerPerceptron, type MultilayerPerceptronOptions } from './multilayer-perceptron.js'
export { nade, type NadeOptions } from './nade.js'
export { ngram, type NgramOptions } from './ngram.js'
export { recurrent, type RecurrentOptions } from './recurrent.js'
export { rowLstm, type RowLstmOptions } from './row-lstm.js'
export { transformer, type TransformerOptions } from './transformer.js'

/** Its networks are described in its options. */
const mixtureFromOptions = ({ networks, ...rest }: Omit<MixtureOptions, 'networks'> & { networks: readonly Piece[] }) => mixture({ ...rest, networks: networks.map(networkFromName) })

const byName: Record<string, (options: never) => Network> = { causalConvolution, diagonalLstm, maskedConvolution, mixture: mixtureFromOptions, multilayerPerceptron, nade, ngram, recurrent, rowLstm, tabular, transformer }

/** The network that a file names. @throws {UnknownPieceError} */
export function networkFromName({ name, options }: Piece): Network {
  const make = Object.hasOwn(byName, name) ? byName[name] : undefined
  if (!make) throw new UnknownPieceError(`No network is called "${name}". Known: ${Object.keys(byName).join(', ')}.`)
  return make(options as never)
}
