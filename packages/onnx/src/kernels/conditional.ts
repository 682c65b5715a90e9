/** The choice between two branches as one ONNX If; what both read from around them is captured. */
import { InvalidOptionError } from '@chainrule/core'
import type { ConditionalAttributes } from '@chainrule/core/tensors'
import type * as tf from '@tensorflow/tfjs-core'
import { type Kernels, type Recording, sameShape, typeOf } from '../recording.js'
import { recordBranch } from '../sub-graph.js'

function branchOf(recording: Recording, name: string, work: () => tf.Tensor) {
  let result!: tf.Tensor
  const graph = recordBranch(recording.builder, name, () =>
    recording.inBranch(() => {
      result = work()
      return [{ name: recording.full(result), type: typeOf(result), shape: result.shape }]
    }),
  )
  return { graph, shape: result.shape, type: typeOf(result) }
}

export const conditionals: Kernels = {
  ChainruleConditional: (recording, { 0: predicate }, { whenTrue, whenFalse }: ConditionalAttributes) => {
    const [yes, no] = [branchOf(recording, 'whenTrue', whenTrue), branchOf(recording, 'whenFalse', whenFalse)]
    if (!sameShape(yes.shape, no.shape) || yes.type !== no.type) {
      throw new InvalidOptionError(`Recording: the branches of a conditional give ${yes.type} [${yes.shape}] and ${no.type} [${no.shape}], expected the same of both.`)
    }
    const name = recording.builder.node('If', [recording.full(predicate)], { then_branch: { graph: yes.graph }, else_branch: { graph: no.graph } })
    return [recording.tensor(name, yes.shape, yes.type)]
  },
}
