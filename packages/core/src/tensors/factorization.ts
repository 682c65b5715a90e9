/**
 * The chain rule, p(x) = ∏ᵢ p(x_π(i) | x_π(<i)): the only place that knows the shift by one and the permutation.
 * Everything outside is indexed by position. Axes: B batch, N variables (d, or any number of a variable length), C components.
 */
import * as tf from '@tensorflow/tfjs-core'
import { groupOfPosition, type ResolvedOrder } from '../order.js'

/** What a network reads before it speaks of a variable: the one before it in the order. */
export interface Previous {
  /** int32 [B, N, C], or [B, C] for one step; where `isStart`, any valid values. */
  readonly values: tf.Tensor
  /** bool [B, N], or [B] for one step: nothing came before. `start` is no value of x. */
  readonly isStart: tf.Tensor
  /** The K numbers of the condition, where the model has one: [B, 1, K] of the whole x, [B, N, K] of each variable spoken of; [B, K] for one step. */
  readonly condition?: tf.Tensor
}

/** What x [B, N, C] continues: the variable before its first. */
export interface Before {
  /** int32 [B, C]; where x begins, any valid values. */
  readonly values: tf.Tensor
  /** bool [B]: x is a beginning. Or [B, N], packing: several documents stand side by side, and one begins wherever this is true. */
  readonly isStart: tf.Tensor
}

/** Whether x holds documents side by side. */
export const isPacked = ({ isStart }: Before): boolean => isStart.rank === 2

/** The number of each variable's document in its row: isStart [B, N] → int32 [B, N]. */
export const documentNumbers = (isStart: tf.Tensor): tf.Tensor => tf.cumsum(tf.cast(isStart, 'int32'), 1)

/**
 * x [B, N, C] by position → what comes before each variable, in the order of generation.
 * @param before what x continues, and where documents begin; absent: x is a beginning
 * @param condition by position, or of the whole x
 */
export function previous(x: tf.Tensor, order: ResolvedOrder, before?: Before, condition?: tf.Tensor): Previous {
  return { ...previousValues(x, order, before), ...(condition && { condition: rankedCondition(condition, order) }) }
}

/** A condition [B, N, K] by position → in the order of generation; that of the whole x, [B, 1, K], as it is. */
export function rankedCondition(condition: tf.Tensor, order: ResolvedOrder): tf.Tensor {
  return order.isLeftToRight || condition.shape[1] === 1 ? condition : tf.gather(condition, tf.tensor1d(order.permutation, 'int32'), 1)
}

function previousValues(x: tf.Tensor, order: ResolvedOrder, before?: Before): Previous {
  const ranked = order.isLeftToRight ? x : tf.gather(x, tf.tensor1d(order.permutation, 'int32'), 1)
  const [batch, length, components] = ranked.shape as [number, number, number]
  const earlier = tf.slice(ranked, [0, 0, 0], [batch, length - 1, components])
  const first = tf.slice(ranked, [0, 0, 0], [batch, 1, components])
  if (before && isPacked(before)) return { values: tf.concat([tf.expandDims(before.values, 1), earlier], 1), isStart: before.isStart }
  const later = tf.cast(tf.zerosLike(tf.slice(earlier, [0, 0, 0], [batch, length - 1, 1])), 'bool')
  const isFirst = before ? tf.expandDims(before.isStart, 1) : tf.cast(tf.onesLike(tf.squeeze(tf.slice(first, [0, 0, 0], [batch, 1, 1]), [2])), 'bool')
  return {
    values: tf.concat([before ? tf.expandDims(before.values, 1) : tf.zerosLike(first), earlier], 1),
    isStart: tf.concat([isFirst, tf.squeeze(later, [2])], 1),
  }
}

/** Features [B, N, W] in the order of generation → by position. */
export function restore(features: tf.Tensor, order: ResolvedOrder): tf.Tensor {
  return order.isLeftToRight ? features : tf.gather(features, tf.tensor1d(order.inverse, 'int32'), 1)
}

/** Position of rank i, for a state's index i (int32 [1]) → int32 [1]. */
export function positionOfRank(index: tf.Tensor, order: ResolvedOrder): tf.Tensor {
  return order.isLeftToRight ? index : tf.gather(tf.tensor1d(order.permutation, 'int32'), index as tf.Tensor1D)
}

/** Position of the rank before i (of rank 0 for i = 0, where nothing was) → int32 [1]. */
export function positionBeforeRank(index: tf.Tensor, order: ResolvedOrder): tf.Tensor {
  return positionOfRank(tf.maximum(tf.sub(index, tf.scalar(1, 'int32')), tf.scalar(0, 'int32')), order)
}

/** d × d, row-major: 1 where the variable at the row's position may read the variable at the column's. */
export function mask(order: ResolvedOrder): Uint8Array {
  const group = groupOfPosition(order)
  const d = group.length
  return Uint8Array.from({ length: d * d }, (_, at) => (group[at % d] < group[Math.floor(at / d)] ? 1 : 0))
}

/** The positions that the variable at `position` may read under a fixed-length order: those of all earlier groups. */
export function earlierPositions(position: number, order: ResolvedOrder): number[] {
  const group = groupOfPosition(order)
  return Array.from(group.keys()).filter((other) => group[other] < group[position])
}
