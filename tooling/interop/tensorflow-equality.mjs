/**
 * The same programs on the engine `tensorflow` and on the eager engine in plain JavaScript: values, gradients, training.
 * Runs in a project where both are installed; prints one line for each comparison and fails at the first that is too far off.
 */
import assert from 'node:assert/strict'
import { leftToRight, random, uniform } from '@chainrule/core'
import { bernoulli, categorical, createModel } from '@chainrule/core/tensors'
import { multilayerPerceptron, transformer } from '@chainrule/networks'
import { tensorflow } from '@chainrule/tensorflow'
import { eager, evaluate, train } from '@chainrule/train'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'

await tf.setBackend('cpu')
const engines = { tensorflow: await tensorflow(), eager: eager('cpu') }
assert.equal(tf.getBackend(), 'cpu', 'loading the engine leaves the active backend')

/** Largest difference, as a part of the largest value. */
function difference(actual, expected) {
  assert.equal(actual.length, expected.length)
  const largest = (numbers) => numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  assert.ok([...actual, ...expected].every(Number.isFinite), 'all numbers are finite')
  return largest([...actual].map((x, i) => x - expected[i])) / Math.max(largest(expected), 1e-12)
}

/** float32 has 6e-8; sums of some hundred terms, in another order, lose a digit or two. */
const tolerance = 2e-5

function compare(what, actual, expected) {
  const found = difference(actual, expected)
  console.log(`${what}: ${found.toExponential(1)}`)
  assert.ok(found <= tolerance, `${what}: expected a relative difference of at most ${tolerance}, got ${found}`)
}

/** All numbers of a record of parameters, in the order of names. */
const numbersOf = (parameters) => Object.keys(parameters).toSorted().flatMap((name) => [...parameters[name].data])

// A program as small as they come, and that it runs on the other backend.
const seen = []
const step = ({ w }, { x, target }) => {
  seen.push(tf.getBackend())
  const { value, grads } = tf.valueAndGrads((w) => tf.mean(tf.square(tf.sub(tf.tanh(tf.matMul(x, w)), target))))([w])
  return { carried: { w: tf.sub(w, tf.mul(grads[0], 0.5)) }, outputs: { loss: value } }
}
const numbers = (count, purpose) => Float32Array.from({ length: count }, (_, i) => uniform(1, 'initialization', purpose, i) - 0.5)
const specification = {
  inputs: { x: { shape: [4, 3], type: 'float32' }, target: { shape: [4, 2], type: 'float32' } },
  carried: { w: { shape: [3, 2], data: numbers(6, 0) } },
}
const small = {}
for (const [name, engine] of Object.entries(engines)) {
  const program = await engine.compile(step, specification)
  const losses = []
  for (let i = 0; i < 5; i++) losses.push((await program.run({ x: numbers(12, 1), target: numbers(8, 2) })).loss[0])
  small[name] = { losses, w: (await program.carried()).w.data }
  await program.release()
}
assert.deepEqual([...new Set(seen)], ['tensorflow', 'cpu'])
assert.equal(tf.getBackend(), 'cpu', 'the active backend is restored')
assert.ok(small.tensorflow.losses[4] < small.tensorflow.losses[0], 'five steps lower the loss')
compare('five steps of a small program, losses', small.tensorflow.losses, small.eager.losses)
compare('five steps of a small program, parameters', small.tensorflow.w, small.eager.w)

// Whole models: likelihood of every example, and the training step with its gradients, clipping and AdamW.
const models = {
  'transformer, rotary positions': createModel({
    domain: { length: 'variable', components: 1, values: 11 },
    order: leftToRight(),
    network: transformer({ layers: 2, heads: 2, width: 16, context: 8 }),
    head: categorical({ tied: true }),
  }),
  'transformer, learned positions': createModel({
    domain: { length: 12, components: 1, values: 5 },
    order: random({ seed: 3 }),
    network: transformer({ layers: 1, heads: 2, width: 16, context: 12, positions: 'learned' }),
    head: categorical(),
  }),
  'multilayer perceptron': createModel({
    domain: { length: 12, components: 1, values: 2 },
    order: random({ seed: 4 }),
    network: multilayerPerceptron({ hidden: [24] }),
    head: bernoulli(),
  }),
}
for (const [name, model] of Object.entries(models)) {
  const values = model.domain.values
  const data = { length: 16, at: (index) => ({ x: Int32Array.from({ length: 12 }, (_, i) => Math.floor(uniform(5, 'initialization', index, i) * values)) }) }
  const results = {}
  for (const [engineName, engine] of Object.entries(engines)) {
    const updates = train(model, data, { engine, steps: 4, batchSize: 6, seed: 2, length: 12, learningRate: 1e-3, warmupSteps: 0 })
    const losses = []
    let first
    for await (const progress of updates) {
      losses.push(progress.nats)
      first ??= await progress.state()
    }
    const { totalNats } = await evaluate(model, first.parameters, data, { engine, batchSize: 5 })
    results[engineName] = { losses, totalNats, moments: numbersOf(first.firstMoments) }
  }
  compare(`${name}, likelihood`, [results.tensorflow.totalNats], [results.eager.totalNats])
  compare(`${name}, gradients`, results.tensorflow.moments, results.eager.moments)
  compare(`${name}, losses of four updates`, results.tensorflow.losses, results.eager.losses)
}

const { numTensors } = tf.memory()
assert.equal(numTensors, 0, 'the engines leave no tensor behind')
