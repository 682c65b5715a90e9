/**
 * Rotary positions: each pair (x_j, x_{j+F/2}) of a head turns by its position times a frequency, so that products of
 * queries and keys depend on the distance alone. Su et al. 2021 (arXiv 2104.09864). A rotation's gradient is the turn back.
 * Axes: B batch, H heads, S positions, F features of a head.
 */
import * as tf from '@tensorflow/tfjs-core'
import { definePrimitive } from '../primitive.js'

/** [x [B, H, S, F], cosine [S, F/2], sine [S, F/2]] → [turned x]. */
const turn = definePrimitive('ChainruleRotaryEmbedding', ([x, cosine, sine]) => {
  const [first, second] = tf.split(x, 2, -1)
  return [tf.concat([tf.sub(tf.mul(first, cosine), tf.mul(second, sine)), tf.add(tf.mul(first, sine), tf.mul(second, cosine))], -1)]
})

/** The cosines and sines of positions [S] (float32): two tensors [S, features/2]. */
export function rotaryAngles(positions: tf.Tensor, features: number, base = 10_000): { cosine: tf.Tensor; sine: tf.Tensor } {
  const frequencies = tf.tensor2d(Float32Array.from({ length: features / 2 }, (_, j) => base ** ((-2 * j) / features)), [1, features / 2])
  const angles = tf.mul(tf.expandDims(positions, 1), frequencies)
  return { cosine: tf.cos(angles), sine: tf.sin(angles) }
}

/** Turns x [B, H, S, F] by the angles of its positions; not differentiated in the angles. */
export function rotaryEmbedding(x: tf.Tensor, { cosine, sine }: { cosine: tf.Tensor; sine: tf.Tensor }): tf.Tensor {
  return tf.customGrad((x, save) => {
    ;(save as tf.GradSaveFunc)([cosine, sine])
    return {
      value: turn([x as tf.Tensor, cosine, sine], {})[0],
      gradFunc: (dy: tf.Tensor, [cosine, sine]: tf.Tensor[]) => turn([dy, cosine, tf.neg(sine)], {})[0],
    }
  })(x)
}
