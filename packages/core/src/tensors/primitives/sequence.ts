/** Pieces whose values depend on a length, so that a graph with a free length computes them from the shapes it sees. */
import * as tf from '@tensorflow/tfjs-core'
import { definePrimitive } from '../primitive.js'

/** [x [B, S, …], first [1] int32] → [first, first + 1, … (S numbers), float32]. */
const positionsOf = definePrimitive('ChainrulePositions', ([x, first]) => [
  tf.add(tf.tensor1d(Float32Array.from({ length: x.shape[1]! }, (_, i) => i)), tf.cast(first, 'float32')),
])

/** [x [B, S, …], first [1] int32] → [first + S, int32 [1]]. */
const positionAfter = definePrimitive('ChainrulePositionAfter', ([x, first]) => [tf.add(first, tf.tensor1d([x.shape[1]!], 'int32'))])

/** The last `count` entries of axis 2, or all where there are fewer. */
const lastOf = definePrimitive<{ count: number }>('ChainruleLast', ([x], { count }) => {
  const begin = Math.max(0, x.shape[2]! - count)
  return [tf.slice(x, [0, 0, begin, 0], [-1, -1, x.shape[2]! - begin, -1])]
})

/** The positions first, first + 1, … of the second axis of x: float32 [S]. */
export const positions = (x: tf.Tensor, first: tf.Tensor): tf.Tensor => positionsOf([x, first], {})[0]
/** The position after those: int32 [1]. */
export const nextPosition = (x: tf.Tensor, first: tf.Tensor): tf.Tensor => positionAfter([x, first], {})[0]
/** The last `count` entries of axis 2 of x [B, H, K, F], or all where there are fewer. Not differentiated. */
export const last = (x: tf.Tensor, count: number): tf.Tensor => lastOf([x], { count })[0]
