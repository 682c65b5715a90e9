/**
 * A condition as a network takes it: K numbers, float32, of the whole x or of each variable. Axes: B batch, N variables, K numbers.
 */
import * as tf from '@tensorflow/tfjs-core'
import { type Condition, conditionInput, conditionSpecification } from '../condition.js'
import { InvalidDataError } from '../errors.js'

/**
 * @param given as `conditionSpecification` says
 * @param isStep of one variable
 * @returns [B, 1, K] of a label, [B, N, K] of a sequence, by position; [B, K] of one variable; undefined without a condition
 * @throws {InvalidDataError} where it is missing, of another shape, or given to a model that takes none
 */
export function conditionNumbers(what: string, condition: Condition | undefined, given: tf.Tensor | undefined, isStep: boolean): tf.Tensor | undefined {
  if (!condition) {
    if (given) throw new InvalidDataError(`${what}: a condition is given, but the model takes none.`)
    return undefined
  }
  const { shape, type } = conditionSpecification<string>(condition, 'batch', isStep ? undefined : 'sequence')
  const fits = given && given.dtype === type && given.rank === shape.length && shape.every((axis, i) => typeof axis === 'string' || axis === given.shape[i])
  if (!fits) throw new InvalidDataError(`${what}: the model's ${conditionInput(condition)} must be ${type} [${shape.join(', ')}], got ${given ? `${given.dtype} [${given.shape.join(', ')}]` : 'none'}.`)
  const numbers = condition.values === undefined ? given : tf.oneHot(given as tf.Tensor1D, condition.values, 1, 0, 'float32')
  return isStep || condition.isSequence ? numbers : tf.expandDims(numbers, 1)
}
