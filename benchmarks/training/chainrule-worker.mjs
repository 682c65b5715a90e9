/** Our side of the training benchmark; requests and answers as in pytorch_worker.py. */
import { createInterface } from 'node:readline'
import { leftToRight, uniformIndex } from '@chainrule/core'
import { bernoulli, categorical, createModel, scoped } from '@chainrule/core/tensors'
import { causalConvolution, maskedConvolution, multilayerPerceptron, recurrent, transformer } from '@chainrule/networks'
import { onnx, record, serialize } from '@chainrule/onnx'
import { initialState, numbersOf, resolveSettings, trainingProgram } from '@chainrule/train'
import * as tf from '@tensorflow/tfjs-core'

const sequence = (values) => ({ length: 'variable', components: 1, values })
const pixels = (inputs, side = Math.sqrt(inputs)) => ({ length: inputs, components: 1, values: 2, locations: { axes: ['row', 'column'], shape: [side, side] } })
const models = {
  gpt: ({ layers, heads, width, context, values }) => ({ domain: sequence(values), network: transformer({ layers, heads, width, context }), head: categorical({ tied: true }) }),
  made: ({ inputs, hidden }) => ({ domain: { length: inputs, components: 1, values: 2 }, network: multilayerPerceptron({ hidden: [hidden] }), head: bernoulli() }),
  lstm: ({ width, values }) => ({ domain: sequence(values), network: recurrent({ cell: 'lstm', layers: 1, width }), head: categorical({ tied: true }) }),
  pixelcnn: ({ inputs, width, layers }) => ({ domain: pixels(inputs), network: maskedConvolution({ layers: layers - 1, width }), head: bernoulli() }),
  'pixel lstm': ({ inputs, width }) => ({ domain: pixels(inputs), network: recurrent({ cell: 'lstm', layers: 1, width }), head: bernoulli() }),
  wavenet: ({ width, layers, values }) => ({ domain: sequence(values), network: causalConvolution({ layers, width }), head: categorical() }),
}

let compiled
let inputs
let step = 0
const settings = resolveSettings({ steps: 1_000_000, decay: 'none', warmupSteps: 0 })

/** Milliseconds of recording the program and writing the graph: the part of compiling before the session. */
function recordingTime(program, { carried, inputs }) {
  const prefixed = (prefix, all, change) => Object.fromEntries(Object.entries(all).map(([name, value]) => [prefix + name, change(value)]))
  const begun = performance.now()
  const run = (all) => {
    const { carried: updated, outputs } = program(scoped(all, 'carried/'), scoped(all, 'input/'))
    return { ...prefixed('next/', updated, (tensor) => tensor), ...prefixed('output/', outputs, (tensor) => tensor) }
  }
  const specification = { ...prefixed('carried/', carried, ({ shape }) => ({ shape, type: 'float32' })), ...prefixed('input/', inputs, (input) => input) }
  serialize(record(run, specification, { target: 'onnxruntime' }))
  return performance.now() - begun
}

async function build({ case: chosen, threads, blockedConvolutions }) {
  const begun = performance.now()
  const model = createModel({ order: leftToRight(), ...models[chosen.kind](chosen) })
  const length = chosen.context ?? chosen.steps ?? chosen.inputs
  const state = initialState(model, 1)
  const { program, specification } = trainingProgram(model, { ...settings, batchSize: chosen.batch }, length, state)
  const recordMs = recordingTime(program, specification)
  const compiling = performance.now()
  compiled = await onnx({ threads, blockedConvolutions }).compile(program, specification)
  const sessionMs = performance.now() - compiling - recordMs
  const draw = (count, values) => Int32Array.from({ length: count }, (_, i) => uniformIndex(values, 1, 'batches', 0, i))
  const values = model.domain.values
  inputs = { x: draw(chosen.batch * length, values), ...(model.domain.length === 'variable' && { previous: draw(chosen.batch, values), isStart: new Uint8Array(chosen.batch) }) }
  await update()
  return { description: compiled.description, parameters: Object.values(state.parameters).reduce((sum, { data }) => sum + data.length, 0), setupSeconds: (performance.now() - begun - recordMs) / 1000, recordMs, sessionMs, node: process.version }
}

const update = () => compiled.run({ ...inputs, numbers: numbersOf(step++, 0, 1e-3, settings) })

async function gemm(size, threads) {
  const numbers = (seed) => ({ shape: [size, size], data: Float32Array.from({ length: size * size }, (_, i) => ((i * seed) % 97) / 97) })
  const product = await onnx({ threads }).compile(({ a, b }) => ({ outputs: { sum: tf.sum(tf.slice(tf.matMul(a, b), [0, 0], [1, 1])) } }), { carried: { a: numbers(3), b: numbers(5) }, inputs: {} })
  let best = 0
  for (let i = 0; i < 8; i++) {
    const begun = performance.now()
    await product.run({})
    best = Math.max(best, (2 * size ** 3) / ((performance.now() - begun) / 1000) / 1e9)
  }
  await product.release()
  return best
}

let threads = 1
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line)
  const answer = (value) => console.log(JSON.stringify(value))
  if (request.case) {
    threads = request.threads
    answer(await build(request))
  } else if (request.steps) {
    const ms = []
    const processor = process.cpuUsage()
    let nats
    for (let i = 0; i < request.steps; i++) {
      const begun = performance.now()
      ;({ nats } = await update())
      ms.push(performance.now() - begun)
    }
    const { user, system } = process.cpuUsage(processor)
    answer({ ms, processorMs: (user + system) / 1000 / request.steps, nats: nats[0] })
  } else if (request.gemm) {
    answer({ gflops: await gemm(request.gemm, threads) })
  } else {
    answer({ peakMegabytes: process.resourceUsage().maxRSS / 1024 })
    process.exit(0)
  }
}
