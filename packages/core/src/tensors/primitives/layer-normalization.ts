/**
 * Layer normalization over the last axis, without a shift: y = x̂ · scale, x̂ = (x − mean) / √(variance + 10⁻⁵).
 * Ba, Kiros, Hinton 2016 (arXiv 1607.06450). Gradient: dx = (g − mean(g) − x̂ mean(g x̂)) / √(variance + 10⁻⁵) with g = dy · scale.
 */
import * as tf from '@tensorflow/tfjs-core'
import { definePrimitive } from '../primitive.js'

const epsilon = 1e-5

/** [x [..., D], scale [D]] → [y, x̂, 1/√(variance + ε) [..., 1]]. */
const forward = definePrimitive('ChainruleLayerNormalization', ([x, scale]) => {
  const centered = tf.sub(x, tf.mean(x, -1, true))
  const inverseDeviation = tf.rsqrt(tf.add(tf.mean(tf.square(centered), -1, true), epsilon))
  const normalized = tf.mul(centered, inverseDeviation)
  return [tf.mul(normalized, scale), normalized, inverseDeviation]
})

/** [dy, x̂, 1/√(variance + ε), scale] → [dx, dscale]. */
const backward = definePrimitive('ChainruleLayerNormalizationGradient', ([dy, normalized, inverseDeviation, scale]) => {
  const product = tf.mul(dy, normalized)
  const scaled = tf.mul(dy, scale)
  const inner = tf.sub(tf.sub(scaled, tf.mean(scaled, -1, true)), tf.mul(normalized, tf.mean(tf.mul(product, scale), -1, true)))
  return [tf.mul(inner, inverseDeviation), tf.sum(tf.reshape(product, [-1, scale.size]), 0)]
})

/** x [..., D], scale [D] → [..., D]. */
export function layerNormalization(x: tf.Tensor, scale: tf.Tensor): tf.Tensor {
  return tf.customGrad((x, scale, save) => {
    const [value, normalized, inverseDeviation] = forward([x as tf.Tensor, scale as tf.Tensor], {})
    ;(save as tf.GradSaveFunc)([normalized, inverseDeviation, scale as tf.Tensor])
    return { value, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => backward([dy, ...saved], {}) }
  })(x, scale)
}
