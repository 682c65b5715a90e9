/**
 * What a tensor program costs, counted while it is traced: every tfjs kernel that it calls is seen with the shapes of its tensors.
 *
 *   floating-point operations = Σ 2 · (elements of the product) · (length of the sum)      over all matrix products
 *
 * Matrix products only: everything else is a few per cent of a network. Attention counts as the whole square that is computed, masked
 * or not. A primitive counts as the products that it is defined by (core/tensors/primitives), whether an engine has a kernel for it
 * or it is composed; the body of a scan counts once for each step. What is traced is counted: an engine may leave out what nothing
 * reads (the gradient of the examples, say), which is little in all but the smallest networks.
 */
import { sizeOf } from '@chainrule/core'
import * as tf from '@tensorflow/tfjs-core'

export interface Cost {
  /** Floating-point operations of matrix products. */
  operations: number
  /** What all kernels put out together, views not counted. */
  bytes: number
}

type Shapes = readonly (readonly number[])[]
type Products = (inputs: Shapes, outputs: Shapes, attributes: Record<string, unknown>) => number

const last = (shape: readonly number[], from = 1) => shape[shape.length - from]

/** Kernel → the multiplications of its products. */
const products: Readonly<Record<string, Products>> = {
  BatchMatMul: ([a], [y], { transposeA }) => sizeOf(y) * last(a, transposeA ? 2 : 1),
  ChainruleLinear: ([x], [y]) => sizeOf(y) * last(x),
  ChainruleLinearWeightGradient: ([a], [y]) => sizeOf(y) * (sizeOf(a) / last(a)),
  ChainruleMultiplyEach: ([, x], [y]) => sizeOf(y) * last(x, 2),
  ChainruleSumOfOuterProducts: ([a], [y]) => sizeOf(y) * a[0] * last(a),
  // Scores and values; their four gradients. The second output, and the third input, are the weights [B, H, S, K].
  ChainruleCausalAttention: ([q], [, weights]) => 2 * sizeOf(weights) * last(q),
  ChainruleNeighborLinear: ([, weight], [y]) => sizeOf(y) * (sizeOf(weight) / last(weight)),
  // dx from the readers of each row, and dW from the rows of the narrower of x and dy.
  ChainruleNeighborLinearGradient: ([dy, x, weight]) => sizeOf(weight) * (sizeOf(x) / last(x) + (last(x) < last(dy) ? sizeOf(dy) / last(dy) : sizeOf(x) / last(x))),
  ChainruleCausalAttentionGradient: ([, , weights, q]) => 4 * sizeOf(weights) * last(q),
}

/** They put out what came in, in another shape. */
const views = new Set(['Reshape', 'ExpandDims', 'Squeeze', 'Identity', 'BroadcastTo', 'OnesLike', 'ZerosLike', 'Fill'])

/** Calls `trace`, and adds the cost of each kernel to what `account` returns at that time. */
export function counting<T>(account: () => Cost, trace: () => T): T {
  const engine = tf.engine()
  const original = engine.runKernel
  let times = 1
  let isWithin = false
  engine.runKernel = function <R extends tf.Tensor | tf.Tensor[]>(name: string, inputs: tf.NamedTensorMap, attributes?: tf.NamedAttrMap): R {
    const [before, isPart] = [times, isWithin]
    // The kernel traces its body once and runs it for each entry along the first axis of its inputs, which stand after the state.
    if (name === 'ChainruleScan') times *= inputs[Number(attributes!.stateCount)].shape[0]
    // A kernel that is listed may call others for its products: they are counted already.
    isWithin ||= name in products
    try {
      const result = original.call(engine, name, inputs, attributes) as R
      const outputs: readonly tf.Tensor[] = Array.isArray(result) ? result : [result]
      const cost = account()
      const shapes = (tensors: readonly tf.Tensor[]) => tensors.map(({ shape }) => shape)
      if (!isPart) cost.operations += 2 * before * (products[name]?.(shapes(Object.values(inputs)), shapes(outputs), (attributes ?? {}) as Record<string, unknown>) ?? 0)
      if (!views.has(name)) cost.bytes += before * outputs.reduce((sum, { shape, dtype }) => sum + sizeOf(shape) * (dtype === 'bool' ? 1 : 4), 0)
      return result
    } finally {
      times = before
      isWithin = isPart
    }
  } as typeof engine.runKernel
  try {
    return trace()
  } finally {
    engine.runKernel = original
  }
}
