/** Embedding: the rows of a table at whole-number indices. Gradient: every row's gradients summed into its place. */
import * as tf from '@tensorflow/tfjs-core'
import { definePrimitive } from '../primitive.js'

const forward = definePrimitive('ChainruleEmbedding', ([table, indices]) => [tf.gather(table, indices as tf.Tensor1D)])

/** [dy [..., D], indices [...]] → [dtable [R, D]]. */
const backward = definePrimitive<{ rows: number }>('ChainruleEmbeddingGradient', ([dy, indices], { rows }) => {
  const width = dy.shape[dy.rank - 1]
  return [tf.scatterND(tf.reshape(indices, [-1, 1]), tf.reshape(dy, [-1, width]), [rows, width])]
})

/** table [R, D], indices [...] int32 → [..., D]. */
export function embedding(table: tf.Tensor, indices: tf.Tensor): tf.Tensor {
  return tf.customGrad((table, save) => {
    ;(save as tf.GradSaveFunc)([indices])
    const rows = (table as tf.Tensor).shape[0]
    return { value: forward([table as tf.Tensor, indices], {})[0], gradFunc: (dy: tf.Tensor, [indices]: tf.Tensor[]) => backward([dy, indices], { rows })[0] }
  })(table)
}
