/** With shared parameters the order matters: the same network learns more when the cause comes before its effects. */
import { bernoulli, custom, multilayerPerceptron, onnx } from '@chainrule/text'
import { createModel } from '@chainrule/core/tensors'
import { evaluate, fit } from '@chainrule/train'
import { uniform } from '@chainrule/core'

// One coin, and eight witnesses who each report it wrongly one time in five.
const witnesses = 8
const report = (seed) => (_, which) => {
  const coin = uniform(seed, 'sampling', which, 0) < 0.5 ? 0 : 1
  const reports = Array.from({ length: witnesses }, (_, i) => (uniform(seed, 'sampling', which, i + 1) < 0.2 ? 1 - coin : coin))
  return { x: Int32Array.of(coin, ...reports) }
}
const dataOf = (count, seed) => {
  const examples = Array.from({ length: count }, report(seed))
  return { length: count, at: (index) => examples[index] }
}
const [training, heldOut] = [dataOf(4000, 1), dataOf(4000, 2)]

// An order is a permutation: which position comes first, second, and so on.
const positions = Array.from({ length: witnesses + 1 }, (_, i) => i)
const orders = { 'the coin first': positions, 'the coin last': [...positions.slice(1), 0] }

const truth = Math.LN2 - witnesses * (0.2 * Math.log(0.2) + 0.8 * Math.log(0.8))
console.log(`no model can do better than ${truth.toFixed(3)} nats`)
for (const [name, permutation] of Object.entries(orders)) {
  const model = createModel({ domain: { length: witnesses + 1, components: 1, values: 2 }, order: custom({ permutation }), network: multilayerPerceptron({ hidden: [] }), head: bernoulli() })
  const { parameters } = await fit(model, training, { engine: onnx(), steps: 600, batchSize: 100, learningRate: 0.05, weightDecay: 0, seed: 1 })
  const { totalNats, examples } = await evaluate(model, parameters, heldOut, { engine: onnx(), batchSize: 1000 })
  console.log(`${name.padEnd(15)} ${(totalNats / examples).toFixed(3)} nats`)
}
