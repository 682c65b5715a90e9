/** Σ x²: the square of a gradient's norm. */
import * as tf from '@tensorflow/tfjs-core'
import { definePrimitive } from '../primitive.js'

const forward = definePrimitive('ChainruleSumOfSquares', ([x]) => [tf.sum(tf.square(x))])

/** x of any shape → scalar. Not differentiated. */
export const sumOfSquares = (x: tf.Tensor): tf.Tensor => forward([x], {})[0]
