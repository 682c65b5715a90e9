/** One entry of each row, at an index that is a tensor. Not differentiated. Axes: B rows, V entries. */
import * as tf from '@tensorflow/tfjs-core'
import { definePrimitive } from '../primitive.js'

const isAt = (index: tf.Tensor, count: number) => tf.oneHot(tf.squeeze(index, [1]) as tf.Tensor1D, count, 1, 0, 'int32')

const read = definePrimitive('ChainruleEntry', ([x, index]) => [tf.sum(tf.mul(x, isAt(index, x.shape[1]!)), 1, true)])
const mark = definePrimitive('ChainruleMark', ([flags, index]) => [tf.logicalOr(flags, tf.cast(isAt(index, flags.shape[1]!), 'bool'))])

/** x [B, V] float32 and finite, V ≥ 2, index [B, 1] int32 → x at the index: [B, 1]. */
export const entryAt = (x: tf.Tensor, index: tf.Tensor): tf.Tensor => read([x, index], {})[0]
/** flags [B, V] bool, V ≥ 2, index [B, 1] int32 → the flags with that of the index set: [B, V]. */
export const marked = (flags: tf.Tensor, index: tf.Tensor): tf.Tensor => mark([flags, index], {})[0]
