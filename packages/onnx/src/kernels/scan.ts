/**
 * The scan as one ONNX Scan whose body is recorded as a sub-graph, and the products around it. Time is the first axis.
 * Axes: T time, R rows and K columns of a weight, B batch.
 */
import type { ScanAttributes } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import type { Value } from '../graph.js'
import { type Inputs, type Kernels, type Recording, typeOf } from '../recording.js'
import { moveOutside, readKnown } from '../scan-passes.js'
import { recordSubGraph } from '../sub-graph.js'
import { matrixProduct } from './products.js'
import { reshape } from './shapes.js'

/** What stands for an input inside the body; `outside` is what the node reads for it, where it reads anything. */
interface Entry {
  readonly tensor: tf.Tensor
  readonly inside?: Value
  readonly outside?: string
}

function entryOf(recording: Recording, given: tf.TensorInfo, isState: boolean): Entry {
  const type = typeOf(given)
  const shape = isState ? given.shape : given.shape.slice(1)
  const { name, shape: own } = recording.value(given)
  // A sequence of which every entry is the same is no input: the body reads it from outside.
  if (!isState && own.length < given.shape.length) return { tensor: tf.engine().makeTensorFromTensorInfo(recording.tensor(name, shape, type, own)) }
  const inside: Value = { name: recording.builder.fresh('entry'), type, shape }
  return { tensor: tf.engine().makeTensorFromTensorInfo(recording.tensor(inside.name, shape, type)), inside, outside: recording.full(given) }
}

function scan(recording: Recording, inputs: Inputs, { stateCount, isReversed, body }: ScanAttributes): tf.TensorInfo[] {
  const { builder } = recording
  const given = Object.values(inputs)
  const length = given[stateCount].shape[0]
  const [states, sequences] = [given.slice(0, stateCount).map((tensor) => entryOf(recording, tensor, true)), given.slice(stateCount).map((tensor) => entryOf(recording, tensor, false))]
  let outputs: tf.TensorInfo[] = []
  /** For each output, which of the graph's it is: a value that goes out twice is listed once. */
  let places: number[] = []
  const scanned = sequences.flatMap(({ inside, outside }) => (inside && outside ? [{ inside, outside }] : []))
  const before = states.map(({ inside }) => inside!)
  const graph = recordSubGraph(builder, 'step', [...before, ...scanned.map(({ inside }) => inside)], () => {
    const result = body(states.map(({ tensor }) => tensor), sequences.map(({ tensor }) => tensor))
    outputs = result.outputs
    const values = outputs.map((tensor): Value => ({ name: recording.full(tensor), type: typeOf(tensor), shape: tensor.shape }))
    const distinct = values.filter(({ name }, i) => values.findIndex((value) => value.name === name) === i)
    places = values.map(({ name }) => stateCount + distinct.findIndex((value) => value.name === name))
    return [...result.state.map((tensor, i) => ({ ...before[i], name: recording.full(tensor) })), ...distinct]
  })
  const shapeOf = (name: string) => recording.shapeOf(name)
  const known = readKnown(builder, shapeOf, { entries: scanned, nodes: graph.nodes, outputs: graph.outputs })
  const { entries, nodes, outputs: results } = moveOutside(builder, shapeOf, before.map(({ name }) => name), known)
  const listed = graph.outputs.length - stateCount
  const names = builder.several('Scan', [...states.map(({ outside }) => outside!), ...entries.map(({ outside }) => outside)], graph.outputs.length, {
    body: { graph: { ...graph, inputs: [...before, ...entries.map(({ inside }) => inside)], outputs: results, nodes } },
    num_scan_inputs: entries.length,
    ...(isReversed && { scan_input_directions: entries.map(() => 1) }),
    ...(isReversed && listed > 0 && { scan_output_directions: Array(listed).fill(1) }),
  })
  return [
    ...given.slice(0, stateCount).map((state, i) => recording.tensor(names[i], state.shape, typeOf(state))),
    ...outputs.map((output, i) => recording.tensor(names[places[i]], [length, ...output.shape], typeOf(output))),
  ]
}

/** All steps side by side: x [T, K, B] → [K, T B], or its transpose [T B, K]. */
function sideBySide(recording: Recording, x: tf.TensorInfo, isTransposed: boolean): tf.TensorInfo {
  const [T, K, B] = x.shape
  const order = isTransposed ? [0, 2, 1] : [1, 0, 2]
  const turned = recording.node('Transpose', [x], order.map((axis) => x.shape[axis]), 'float32', { perm: order })
  return reshape(recording, turned, isTransposed ? [T * B, K] : [K, T * B])
}

export const scans: Kernels = {
  ChainruleScan: scan,
  ChainruleMultiplyEach: (recording, { 0: weight, 1: x }, { transposed }: { transposed: boolean }) => {
    if (!transposed || x.shape.length === 2) return [matrixProduct(recording, weight, x, { transposeA: transposed })]
    // One product of all steps, which turns the weight once; they stand side by side for the gradient of the weight already.
    const [T, , B] = x.shape
    const K = weight.shape[1]
    const product = matrixProduct(recording, weight, sideBySide(recording, x, false), { transposeA: true })
    return [recording.node('Transpose', [reshape(recording, product, [K, T, B])], [T, K, B], 'float32', { perm: [1, 0, 2] })]
  },
  ChainruleSumOfOuterProducts: (recording, { 0: a, 1: b }) => [matrixProduct(recording, sideBySide(recording, a, false), sideBySide(recording, b, true))],
}
