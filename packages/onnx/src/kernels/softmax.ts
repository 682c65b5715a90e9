/** Softmax and its logarithm. */
import type * as tf from '@tensorflow/tfjs-core'
import type { Kernels } from '../recording.js'

export const softmaxes: Kernels = {
  LogSoftmax: (recording, { logits }, { axis }: tf.LogSoftmaxAttrs) => recording.node('LogSoftmax', [logits], logits.shape, 'float32', { axis }),
  Softmax: (recording, { logits }, { dim }: tf.SoftmaxAttrs) => recording.node('Softmax', [logits], logits.shape, 'float32', { axis: dim }),
}
