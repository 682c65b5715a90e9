/**
 * Causal attention and rotary positions. Axes: B batch, H heads, S queries, K ≥ S keys, F features of a head.
 *
 * Scale factors stand at the smallest operand; where the target has FusedMatMul they move into the product (fold-scales.ts).
 */
import { type AttentionAttributes, attentionMask } from '@chainrule/core/tensors'
import type * as tf from '@tensorflow/tfjs-core'
import type { Kernels, Recording } from '../recording.js'
import { scalar } from './elementwise.js'
import { matrixProduct } from './products.js'
import { lengthOf, range } from './sequence.js'

const scaledBy = (recording: Recording, x: tf.TensorInfo, factor: number) => recording.elementwise('Mul', [x, scalar(recording, factor)], 'float32')

/** 0 where the query sees the key, −10⁹ elsewhere: [S, K], from the lengths that the graph sees. */
function maskOfLengths(recording: Recording, q: tf.TensorInfo, k: tf.TensorInfo, context: number): tf.TensorInfo {
  const { builder } = recording
  const [queries, keys] = [q.shape[2], k.shape[2]]
  const last = builder.node('Sub', [lengthOf(recording, k, 2), lengthOf(recording, q, 2)])
  const query = builder.node('Unsqueeze', [builder.node('Add', [range(recording, q, 2), last]), builder.integers([1])])
  const distance = builder.node('Sub', [query, range(recording, k, 2)])
  const isSeen = builder.node('And', [builder.node('GreaterOrEqual', [distance, builder.integer(0)]), builder.node('Less', [distance, builder.integer(context)])])
  return recording.tensor(builder.node('Where', [isSeen, builder.float(0), builder.float(-1e9)]), [queries, keys], 'float32')
}

/** 0 where the query sees a key of its own document, −10⁹ elsewhere: [B, 1, S, S], from documents [B, S]. Lengths are fixed: only training has it. */
function maskOfDocuments(recording: Recording, documents: tf.TensorInfo, context: number): tf.TensorInfo {
  const { builder } = recording
  const [batch, length] = documents.shape
  const seen = builder.constant('bool', [length, length], Uint8Array.from(attentionMask(length, length, context), (added) => (added === 0 ? 1 : 0)))
  const [query, key] = [[1, 3], [1, 2]].map((axes) => builder.node('Unsqueeze', [recording.full(documents), builder.integers(axes)]))
  const isSeen = builder.node('And', [builder.node('Equal', [query, key]), seen])
  return recording.tensor(builder.node('Where', [isSeen, builder.float(0), builder.float(-1e9)]), [batch, 1, length, length], 'float32')
}

/** The mask to add to the scores; undefined where every query sees every key: the one query of a step, whose keys reach back no further than the context. */
function mask(recording: Recording, q: tf.TensorInfo, k: tf.TensorInfo, context: number): tf.TensorInfo | undefined {
  const [queries, keys] = [q.shape[2], k.shape[2]]
  if (queries === 1 && (keys <= context || recording.hasFreeLengths)) return undefined
  if (recording.hasFreeLengths) return maskOfLengths(recording, q, k, context)
  const shape = [queries, keys]
  return recording.tensor(recording.builder.constant('float32', shape, attentionMask(queries, keys, context)), shape, 'float32')
}

export const attention: Kernels = {
  ChainruleCausalAttention: (recording, { 0: q, 1: k, 2: v, 3: documents }, { context }: AttentionAttributes) => {
    const scores = matrixProduct(recording, scaledBy(recording, q, 1 / Math.sqrt(q.shape[3])), k, { transposeB: true })
    const hidden = documents ? maskOfDocuments(recording, documents, context) : mask(recording, q, k, context)
    const masked = hidden ? recording.elementwise('Add', [scores, hidden], 'float32') : scores
    const weights = recording.node('Softmax', [masked], scores.shape, 'float32', { axis: -1 })
    return [matrixProduct(recording, weights, v), weights]
  },
  ChainruleCausalAttentionGradient: (recording, { 0: dy, 1: y, 2: weights, 3: q, 4: k, 5: v }) => {
    const product = recording.elementwise('Mul', [dy, y], 'float32')
    const inner = recording.node('ReduceSum', [product], [...y.shape.slice(0, -1), 1], 'float32', { keepdims: 1 }, [recording.builder.integers([3])])
    const difference = recording.elementwise('Sub', [matrixProduct(recording, dy, v, { transposeB: true }), inner], 'float32')
    const scores = recording.elementwise('Mul', [weights, difference], 'float32')
    const scale = 1 / Math.sqrt(q.shape[3])
    const dq = matrixProduct(recording, scores, scaledBy(recording, k, scale))
    const dk = matrixProduct(recording, scores, scaledBy(recording, q, scale), { transposeA: true })
    return [dq, dk, matrixProduct(recording, weights, dy, { transposeA: true })]
  },
  /** ONNX's own operator turns the halves in one pass; it wants the angles for each row of the batch, or positions to look them up. */
  ChainruleRotaryEmbedding: (recording, { 0: x, 1: cosine, 2: sine }) => {
    const { builder } = recording
    const batch = builder.node('Unsqueeze', [lengthOf(recording, x, 0), builder.integers([0])])
    const rows = recording.hasFreeLengths ? builder.node('Concat', [batch, builder.integers([1])], { axis: 0 }) : builder.integers([x.shape[0], 1])
    const places = recording.hasFreeLengths ? range(recording, x, 2) : builder.constant('int64', [x.shape[2]], BigInt64Array.from({ length: x.shape[2] }, (_, i) => BigInt(i)))
    return [recording.node('RotaryEmbedding', [x, cosine, sine], x.shape, 'float32', {}, [builder.node('Tile', [builder.node('Unsqueeze', [places, builder.integers([0])]), rows])])]
  },
}
