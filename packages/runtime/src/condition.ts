/**
 * What the graphs of a conditional model are told, from what the caller gives: one condition for each sequence, or one that all share.
 * Axes: N sequences, n variables, B batch, S steps.
 */
import { checkConditionValues, conditionInput, conditionSpecification, type ConditionValues, manifestCondition, type ModelManifest, refuseCondition, type ResolvedOrder, sizeOf, toGenerationOrder } from '@chainrule/core'
import { tensor } from './cursor.js'
import { columns } from './generation.js'
import type { Feeds } from './session.js'

/** The inputs of a graph for variables start … start + S − 1 of a batch; nothing for models without a condition. */
export type ConditionFeeds = (start: number, steps: number) => Feeds

export interface SequenceConditions {
  /** Whether all sequences have the same one, so that what is read once serves all. */
  readonly isShared: boolean
  /** Of sequences first … first + B − 1. */
  of(first: number, batch: number): ConditionFeeds
}

/**
 * @param given [N or 1] of labels; [N or 1, n] or [N or 1, n, K] of control sequences, by position
 * @param order in whose order variables count; absent: by position
 * @throws {InvalidDataError} for a condition that is missing, wrong or not asked for
 */
export function sequenceConditions(owner: string, manifest: ModelManifest, given: ConditionValues | undefined, sequences: number, length: number, order?: ResolvedOrder): SequenceConditions {
  const condition = manifestCondition(manifest)
  if (!condition) {
    refuseCondition(owner, given)
    return { isShared: true, of: () => () => ({}) }
  }
  const width = sizeOf(conditionSpecification(condition, 1, length).shape)
  const isShared = given?.length === width
  const checked = checkConditionValues(owner, condition, given, isShared ? 1 : sequences, length)
  const perVariable = condition.isSequence ? width / length : width
  const row = (which: number): ConditionValues => {
    const own = isShared ? checked : checked.subarray(which * width, (which + 1) * width)
    return condition.isSequence && order ? toGenerationOrder(own, perVariable, order) : own
  }
  return {
    isShared,
    of(first, batch) {
      const rows = new (checked.constructor as new (size: number) => Int32Array | Float32Array)(batch * width)
      for (let b = 0; b < batch; b++) rows.set(row(first + b), b * width)
      return (start, steps) => {
        const data = condition.isSequence ? columns(rows, batch, perVariable, start, steps) : rows
        return { [conditionInput(condition)]: tensor(data, conditionSpecification(condition, batch, steps).shape) }
      }
    },
  }
}
