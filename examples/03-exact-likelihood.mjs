/** The chain rule itself: conditionals by counting give an exact joint distribution, and every order gives the same one. */
import { categorical, countTabular, createModel, tabular } from '@chainrule/core/tensors'
import { leftToRight, onnx, random, reversed } from '@chainrule/text'

// The weather of three days in a row: 0 sun, 1 rain, 2 snow.
const weeks = [[0, 0, 0], [0, 0, 1], [0, 1, 1], [1, 1, 1], [1, 1, 2], [1, 2, 2], [0, 0, 0], [2, 2, 0]]
const domain = { length: 3, components: 1, values: 3 }
const everything = Array.from({ length: 27 }, (_, x) => [Math.floor(x / 9), Math.floor(x / 3) % 3, x % 3])

/** p(x) = p(first) p(second | first) p(third | first, second) of all 27 x, in any order of the days. */
async function probabilities(order) {
  const model = createModel({ domain, order, network: tabular(), head: categorical() })
  const program = await onnx().compile((parameters, { x }) => ({ outputs: { logs: model.logProbability(parameters, x) } }), {
    carried: countTabular(domain, model.resolvedOrder, weeks),
    inputs: { x: { shape: [27, 3, 1], type: 'int32' } },
  })
  const { logs } = await program.run({ x: Int32Array.from(everything.flat()) })
  await program.release()
  return everything.map((_, which) => Math.exp(logs.slice(which * 3, which * 3 + 3).reduce((sum, log) => sum + log)))
}

for (const order of [leftToRight(), reversed(), random({ seed: 1 })]) {
  const p = await probabilities(order)
  const sum = p.reduce((total, value) => total + value)
  console.log(`${order.name.padEnd(12)} sum over all 27: ${sum.toFixed(6)}   p(sun, sun, sun) = ${p[0].toFixed(6)}   p(snow, snow, snow) = ${p[26].toFixed(6)}`)
}
