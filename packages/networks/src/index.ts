/** Networks: context extraction f_θ that never sees the future. */
import { type Piece, UnknownPieceError } from '@chainrule/core'
import { type Network, tabular } from '@chainrule/core/tensors'
import { multilayerPerceptron } from './multilayer-perceptron.js'
import { recurrent } from './recurrent.js'
import { transformer } from './transformer.js'

export { multilayerPerceptron, type MultilayerPerceptronOptions } from './multilayer-perceptron.js'
export { recurrent, type RecurrentOptions } from './recurrent.js'
export { transformer, type TransformerOptions } from './transformer.js'

const byName: Record<string, (options: never) => Network> = { multilayerPerceptron, recurrent, tabular, transformer }

/** The network that a file names. @throws {UnknownPieceError} */
export function networkFromName({ name, options }: Piece): Network {
  const make = Object.hasOwn(byName, name) ? byName[name] : undefined
  if (!make) throw new UnknownPieceError(`No network is called "${name}". Known: ${Object.keys(byName).join(', ')}.`)
  return make(options as never)
}
