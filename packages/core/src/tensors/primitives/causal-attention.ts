/**
 * Attention that looks back at most `context` positions, itself included. Vaswani et al. 2017 (arXiv 1706.03762).
 *
 *   P = softmax(q kᵀ / √F + mask), y = P v      query i stands at key K − S + i; 0 ≤ (K − S + i) − j < context is seen
 *
 * Where documents stand side by side (S = K), a query sees keys of its own document only.
 *
 * Gradient: dv = Pᵀ dy; dS = P (dP − rowsum(dy · y)), dP = dy vᵀ; dq = dS k / √F; dk = dSᵀ q / √F.
 * Axes: B batch, H heads, S queries, K ≥ S keys, F features of a head.
 */
import * as tf from '@tensorflow/tfjs-core'
import { definePrimitive } from '../primitive.js'

export interface AttentionAttributes {
  readonly context: number
}

/** 0 where the query sees the key, a large negative number elsewhere: row-major [queries, keys]. */
export function attentionMask(queries: number, keys: number, context: number): Float32Array {
  return Float32Array.from({ length: queries * keys }, (_, at) => {
    const distance = keys - queries + Math.floor(at / keys) - (at % keys)
    return distance >= 0 && distance < context ? 0 : -1e9
  })
}

/** 0 where both stand in one document, a large negative number elsewhere: documents [B, S] int32 → [B, 1, S, S]. */
const documentMask = (documents: tf.Tensor): tf.Tensor =>
  tf.mul(tf.cast(tf.notEqual(tf.expandDims(tf.expandDims(documents, 1), 3), tf.expandDims(tf.expandDims(documents, 1), 2)), 'float32'), -1e9)

/** [q [B,H,S,F], k [B,H,K,F], v [B,H,K,F], documents [B,S] or nothing] → [y [B,H,S,F], P [B,H,S,K]]. */
const forward = definePrimitive<AttentionAttributes>('ChainruleCausalAttention', ([q, k, v, documents], { context }) => {
  const [queries, keys, features] = [q.shape[2]!, k.shape[2]!, q.shape[3]!]
  const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(features))
  const seen = tf.add(scores, tf.tensor2d(attentionMask(queries, keys, context), [queries, keys]))
  const weights = tf.softmax(documents ? tf.add(seen, documentMask(documents)) : seen)
  return [tf.matMul(weights, v), weights]
})

/** [dy, y, P, q, k, v] → [dq, dk, dv]; what is not seen has P = 0, whatever hid it. */
const backward = definePrimitive('ChainruleCausalAttentionGradient', ([dy, y, weights, q, k, v]) => {
  const scale = 1 / Math.sqrt(q.shape[3]!)
  const inner = tf.sum(tf.mul(dy, y), -1, true)
  const scores = tf.mul(tf.mul(weights, tf.sub(tf.matMul(dy, v, false, true), inner)), scale)
  return [tf.matMul(scores, k), tf.matMul(scores, q, true, false), tf.matMul(weights, dy, true, false)]
})

/**
 * q [B,H,S,F], k and v [B,H,K,F] → [B,H,S,F].
 * @param documents int32 [B, S]: the number of each variable's document, where several stand side by side and S = K
 */
export function causalAttention(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, attributes: AttentionAttributes, documents?: tf.Tensor): tf.Tensor {
  return tf.customGrad((q, k, v, save) => {
    const inputs = [q, k, v] as tf.Tensor[]
    const [value, weights] = forward(documents ? [...inputs, documents] : inputs, attributes)
    ;(save as tf.GradSaveFunc)([value, weights, ...inputs])
    return { value, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => backward([dy, ...saved], {}) }
  })(q, k, v)
}
