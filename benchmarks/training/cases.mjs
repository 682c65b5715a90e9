/**
 * What is trained: the same shapes, operations and optimizer on both sides. A step is forward, gradients, clipping by the global norm, AdamW.
 * `flops` counts the matrix products of a step as the equations have them, forward and backward. An implementation may need fewer (ours looks
 * the LSTM's input products up in a table of the vocabulary), so its share of the rate of a product can exceed 100 %. `hasBlocks`: its convolutions
 * have two forms, and both are timed.
 */
const gpt = ({ layers, heads, width, context, batch, values }) => ({
  kind: 'gpt',
  layers,
  heads,
  width,
  context,
  batch,
  values,
  // 2 FLOPs for each multiplication and addition; backward costs twice the forward pass. Attention scores and their use: 4 T D for each token and layer.
  flops: 3 * batch * context * (layers * (24 * width * width + 4 * context * width) + 2 * width * values),
})

/** Masked convolutions: a 7 × 7 kernel of 24 live taps on two numbers a pixel, then 3 × 3 kernels of 5 live taps. */
const pixelCnn = ({ side, width, layers, batch }) => ({ kind: 'pixelcnn', hasBlocks: true, side, inputs: side * side, width, layers, batch, flops: 3 * 2 * batch * side * side * width * ((24 * 2 * 2) / 3 + (layers - 1) * 5 * width + 1) })

/** Two taps of a dilated convolution into two halves, one product back, and a share of the features a layer. */
const waveNet = ({ width, layers, steps, batch, values }) => ({ kind: 'wavenet', width, layers, steps, batch, values, flops: 3 * 2 * batch * steps * width * (layers * 6 * width + width + values) })

const lstm = ({ width, steps, batch, values }) => ({ kind: 'lstm', width, steps, batch, values, flops: 3 * 2 * batch * steps * (width * 4 * width * 2 + width * values) })

export const cases = {
  'small GPT': gpt({ layers: 4, heads: 4, width: 128, context: 64, batch: 12, values: 65 }),
  'large GPT': gpt({ layers: 6, heads: 6, width: 384, context: 256, batch: 4, values: 65 }),
  MADE: { kind: 'made', inputs: 784, hidden: 8000, batch: 100, flops: 3 * 2 * 100 * 2 * 784 * 8000 },
  LSTM: lstm({ width: 256, steps: 128, batch: 32, values: 65 }),
  PixelCNN: pixelCnn({ side: 28, width: 64, layers: 8, batch: 16 }),
  'pixel LSTM': { kind: 'pixel lstm', inputs: 784, width: 256, batch: 16, flops: 3 * 2 * 16 * 784 * (256 * 1024 + 256) },
  WaveNet: waveNet({ width: 64, layers: 10, steps: 1024, batch: 4, values: 256 }),
  'audio LSTM': lstm({ width: 256, steps: 1024, batch: 8, values: 256 }),
}
