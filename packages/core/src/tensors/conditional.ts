/**
 * One of two branches runs, by a predicate that is known only while the program runs. Eagerly the predicate is read and the
 * branch runs; an engine that records has a kernel ChainruleConditional, and makes one node of both. Not differentiated.
 */
import * as tf from '@tensorflow/tfjs-core'
import { definePrimitive } from './primitive.js'

export interface ConditionalAttributes {
  readonly whenTrue: () => tf.Tensor
  readonly whenFalse: () => tf.Tensor
}

const choice = definePrimitive<ConditionalAttributes>('ChainruleConditional', ([predicate], { whenTrue, whenFalse }) => [
  tf.tidy(() => tf.clone((predicate.dataSync()[0] ? whenTrue : whenFalse)())),
])

/**
 * @param predicate bool of one element
 * @param whenTrue, whenFalse pure functions of the tensors around them, with results of one shape and type
 */
export const conditional = (predicate: tf.Tensor, whenTrue: () => tf.Tensor, whenFalse: () => tf.Tensor): tf.Tensor => choice([predicate], { whenTrue, whenFalse })[0]
