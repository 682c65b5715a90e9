/**
 * What is trained: the same shapes, operations and optimizer on both sides. A step is forward, gradients, clipping by the global norm, AdamW.
 * `flops` counts the matrix products of a step as the equations have them, forward and backward. An implementation may need fewer (ours looks
 * the LSTM's input products up in a table of the vocabulary), so its share of the rate of a product can exceed 100 %.
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

export const cases = {
  'small GPT': gpt({ layers: 4, heads: 4, width: 128, context: 64, batch: 12, values: 65 }),
  'large GPT': gpt({ layers: 6, heads: 6, width: 384, context: 256, batch: 4, values: 65 }),
  MADE: { kind: 'made', inputs: 784, hidden: 8000, batch: 100, flops: 3 * 2 * 100 * 2 * 784 * 8000 },
  LSTM: { kind: 'lstm', width: 256, steps: 128, batch: 32, values: 65, flops: 3 * 2 * 32 * 128 * (256 * 1024 * 2 + 256 * 65) },
}
