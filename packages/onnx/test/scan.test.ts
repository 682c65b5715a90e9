/** Recorded = eager for scan: values and gradients, fixed and free lengths, and what the graph looks like. */
import { leftToRight } from '@chainrule/core'
import { type BoundNetwork, categorical, createModel, multiplyEach, type Network, scan, type ScanBody, sumOfOuterProducts, type Tensors } from '@chainrule/core/tensors'
import { recurrent } from '@chainrule/networks'
import { openModel } from '@chainrule/runtime'
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkGraph, type Graph, namesRead, type Node, subgraphs } from '../src/graph.js'
import { recordModel } from '../src/export/model.js'
import { record } from '../src/recorder.js'
import { recordSymbolic, type SymbolicSpecification } from '../src/symbolic.js'
import { eagerly, expectClose, expectRecordedIsEager, type Givens, runGraph, specificationsOf, targets, withGradients } from './law.js'

const givensOf = (specifications: Record<string, SymbolicSpecification>, lengths: Record<string, number>, seed: number): Givens =>
  Object.fromEntries(
    Object.entries(specifications).map(([name, { shape, type }], which) => {
      const sizes = shape.map((axis) => (typeof axis === 'string' ? lengths[axis] : axis))
      return [name, { shape: sizes, type, data: Float32Array.from({ length: sizes.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(seed + 7 * which + 1.9 * i)) }]
    }),
  )
const float = (...shape: (number | string)[]): SymbolicSpecification => ({ shape, type: 'float32' })

/** Two states, a weight that serves twice, a constant, an output that is a state too, and one that is given out twice. */
const entangled: ScanBody = ({ state, inputs, constants, multiply }) => {
  const gate = tf.sigmoid(tf.add(multiply('gate', state.fast), inputs.drive))
  const fast = tf.tanh(tf.add(multiply('gate', tf.mul(gate, state.fast)), constants.bias))
  const slow = tf.add(state.slow, multiply('down', fast))
  return { state: { fast, slow }, outputs: { fast, again: fast, slow: tf.mul(slow, slow) } }
}
const [H, D] = [3, 2]
const specifications = { fast: float(H, 'batch'), slow: float(D, 'batch'), drive: float('sequence', H, 'batch'), gate: float(H, H), down: float(D, H), bias: float(H, 1) }
const run = ({ fast, slow, drive, gate, down, bias }: Tensors) => scan(entangled, { state: { fast, slow }, inputs: { drive }, weights: { gate, down }, constants: { bias } })
const values = (given: Tensors): Tensors => {
  const { state, outputs } = run(given)
  return { ...Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [`all ${name}`, tensor])), 'last fast': state.fast, 'last slow': state.slow }
}
const one = (given: Tensors) => {
  const { state, outputs } = run(given)
  return tf.add(tf.sum(tf.mul(outputs.fast, given.drive)), tf.add(tf.sum(outputs.slow), tf.sum(state.slow)))
}
const close = { absolute: 2e-5, relative: 2e-5 }

function scansOf(graph: Graph): Node[] {
  return graph.nodes.filter(({ operator }) => operator === 'Scan')
}

describe('recorded = eager', () => {
  it('values and all gradients of a scan', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 4 }), fc.nat(1000), async (sequence, batch, seed) => {
        const givens = givensOf(specifications, { sequence, batch }, seed)
        await expectRecordedIsEager((given) => ({ ...values(given), ...withGradients(one, Object.keys(specifications))(given) }), givens, close)
      }),
      { numRuns: 5, seed: 2 },
    ))

  it('products with each entry', () =>
    expectRecordedIsEager(
      (given) => ({ ...withGradients(({ w, x }) => multiplyEach(w, x), ['w', 'x'])(given), outer: sumOfOuterProducts(given.x, given.x) }),
      givensOf({ w: float(3, 2), x: float(4, 2, 5) }, {}, 1),
      close,
    ))

  it('a sequence that is the same throughout, a state that stays, a scan in a scan', () =>
    expectRecordedIsEager(
      ({ x, w }) => {
        const inner: ScanBody = ({ state, inputs, multiply }) => {
          const level = tf.tanh(tf.add(multiply('w', state.level), inputs.x))
          return { state: { level, still: state.still }, outputs: { level } }
        }
        const outer: ScanBody = ({ state, inputs, constants }) => {
          const { outputs, state: after } = scan(inner, { state, inputs: { x: inputs.x }, weights: constants })
          return { state: { ...after, level: tf.add(after.level, inputs.one) }, outputs: { y: tf.sum(outputs.level, 0) } }
        }
        const f = (w: tf.Tensor) => scan(outer, { state: { level: tf.zeros([2, 3]), still: tf.ones([2, 3]) }, inputs: { x, one: tf.ones([4, 2, 3]) }, constants: { w } })
        const { state, outputs } = f(w)
        return { ...state, ...outputs, gradient: tf.grad((w) => tf.sum(f(w).outputs.y))(w) }
      },
      givensOf({ x: float(4, 2, 2, 3), w: float(2, 2) }, {}, 3),
      close,
    ))

  it('at lengths never recorded', async () => {
    for (const target of targets) {
      const graph = recordSymbolic('graph', (given) => ({ ...values(given), ...withGradients(one, ['gate', 'bias', 'fast'])(given) }), specifications, { target })
      for (const [i, lengths] of [{ batch: 1, sequence: 1 }, { batch: 4, sequence: 9 }].entries()) {
        const givens = givensOf(specifications, lengths, i)
        expectClose(await runGraph(graph, givens), await eagerly((given) => ({ ...values(given), ...withGradients(one, ['gate', 'bias', 'fast'])(given) }), givens), close, `${target} ${JSON.stringify(lengths)}`)
      }
    }
  })
})

/** A network whose step is a chunk of one, so that its scan stands in the step graph and in the Loop of the whole chain. */
function byChunks(network: Network): Network {
  const bind: Network['bind'] = (binding) => {
    const bound: BoundNetwork = network.bind(binding)
    return {
      ...bound,
      step(parameters, state, { values, isStart }) {
        const { features, state: next } = bound.extend(parameters, state, { values: tf.expandDims(values, 1), isStart: tf.expandDims(isStart, 1) })
        return { features: tf.squeeze(features, [1]), state: next }
      },
    }
  }
  return { ...network, bind }
}

it('a scan in an exported step, and so in the Loop: they draw what the step without one draws', async () => {
  const draw = async (network: Network) => {
    const model = createModel({ domain: { length: 'variable', components: 1, values: 5 }, order: leftToRight(), network, head: categorical() })
    const files = recordModel({ model, parameters: model.initialize(1), modality: 'none', tokenizer: { name: 'none', options: {} }, card: { data: {}, results: {}, training: {}, exportedAt: '' } })
    const opened = await openModel(files, { provider: 'cpu' })
    const [graph, steps] = [await opened.sample({ count: 3, length: 12, seed: 5, sampler: 'graph' }), await opened.sample({ count: 3, length: 12, seed: 5, sampler: 'steps' })]
    await opened.release()
    expect([...graph.values]).toEqual([...steps.values])
    return graph
  }
  const network = recurrent({ cell: 'lstm', layers: 2, width: 6 })
  const [chunks, plain] = [await draw(byChunks(network)), await draw(network)]
  expect([...chunks.values]).toEqual([...plain.values])
  chunks.nats.forEach((value, i) => expect(value).toBeCloseTo(plain.nats[i], 5))
})

describe('the graph of a scan', () => {
  const recorded = (program: (given: Tensors) => Tensors) => record(program, specificationsOf(givensOf(specifications, { sequence: 5, batch: 2 }, 1)), { target: 'onnxruntime' })

  it('names are unique in the graph and its bodies', () => checkGraph(recorded((given) => ({ ...values(given), ...withGradients(one, ['gate'])(given) }))))

  it('without a gradient to come, the body gives out what is asked for only, each value once', () => {
    const [node, ...others] = scansOf(recorded(values))
    expect(others).toEqual([])
    expect(node.outputs).toHaveLength(4)
    expect(node.attributes.num_scan_inputs).toBe(1)
  })

  it('weights are read from outside, and turned there, once', () => {
    const graph = recorded((given) => withGradients(one, ['gate', 'down'])(given))
    const bodies = scansOf(graph).flatMap(subgraphs)
    expect(bodies).toHaveLength(3)
    for (const body of bodies) {
      expect(body.initializers).toEqual([])
      expect(body.nodes.map(({ operator }) => operator)).not.toContain('Transpose')
    }
    expect(namesRead(scansOf(graph)[0])).toContain('gate')
  })

  it('the reverse scan computes no product again', () => {
    const graph = recorded((given) => ({ gradient: withGradients(one, ['gate', 'down'])(given)['gradient of gate'] }))
    const reverse = scansOf(graph).find(({ attributes }) => attributes.scan_input_directions)!
    const products = subgraphs(reverse)[0].nodes.filter(({ operator }) => operator === 'MatMul' || operator === 'FusedMatMul')
    // One for each product that a state went into: the cotangent of what was multiplied.
    expect(products).toHaveLength(3)
  })

  it('the reverse scan of an LSTM takes what the forward one knows, and does the rest of its coefficients outside', () => {
    const bound = recurrent({ cell: 'lstm', layers: 1, width: 4 }).bind({ domain: { length: 'variable', components: 1, values: 3 }, order: leftToRight().resolve({ length: 'variable', components: 1, values: 3 }), parametersPerVariable: 3 })
    const parameters = bound.initialize(1)
    const shapes = Object.fromEntries(Object.entries(parameters).map(([name, { shape }]) => [name, { shape, type: 'float32' as const }]))
    const names = Object.keys(shapes)
    const program = (given: Tensors): Tensors => {
      const gradients = tf.grads((...values) => bound.forward(Object.fromEntries(names.map((name, i) => [name, values[i]])), given.x))(names.map((name) => given[name]))
      return Object.fromEntries(names.map((name, i) => [`gradient of ${name}`, gradients[i]]))
    }
    const graph = record(program, { ...shapes, x: { shape: [2, 5, 1], type: 'int32' } }, { target: 'onnxruntime' })
    const [forward, reverse] = scansOf(graph)
    const operators = subgraphs(reverse)[0].nodes.map(({ operator }) => operator).sort()
    // d = dh + dy; e = dc + d · a; four cotangents of gates, e · f for dc, Uᵀ dz for dh.
    expect(operators).toEqual(['Add', 'Add', 'Concat', 'MatMul', 'Mul', 'Mul', 'Mul', 'Mul', 'Mul', 'Mul'])
    // Two states; both states before, i, f, g, o, tanh c': no sum of a gate, and nothing twice.
    expect(forward.outputs).toHaveLength(2 + 7)
    expect(new Set(subgraphs(forward)[0].outputs.map(({ name }) => name)).size).toBe(2 + 7)
  })

  it('what depends on neither state nor inputs stands outside, and so does a sequence that is the same throughout', () => {
    const graph = recorded(({ fast, drive, bias }) => {
      const body: ScanBody = ({ state, inputs, constants }) => ({ state: { s: tf.add(tf.mul(tf.add(tf.tanh(state.s), inputs.one), tf.exp(constants.bias)), inputs.drive) }, outputs: {} })
      const run = (bias: tf.Tensor) => scan(body, { state: { s: fast }, inputs: { drive, one: tf.fill(drive.shape, 2) }, constants: { bias } }).state.s
      return { s: run(bias), gradient: tf.grad(run)(bias) }
    })
    expect(graph.nodes.map(({ operator }) => operator)).toContain('Exp')
    for (const node of scansOf(graph)) expect(subgraphs(node)[0].nodes.map(({ operator }) => operator)).not.toContain('Exp')
    expect(scansOf(graph)[0].attributes.num_scan_inputs).toBe(1)
    checkGraph(graph)
  })

  it('a body that reads no input runs as often as there are entries', () =>
    expectRecordedIsEager(
      ({ x, first }) => scan(({ state }) => ({ state: { s: tf.tanh(tf.mul(state.s, 3)) }, outputs: {} }), { state: { s: first }, inputs: { x } }).state,
      givensOf({ x: float(4, 3, 2), first: float(3, 2) }, {}, 6),
      close,
    ))

  it('halves of an input are taken apart outside', () =>
    expectRecordedIsEager(
      ({ x, first }) => {
        const body: ScanBody = ({ state, inputs }) => {
          const [a, b] = tf.split(inputs.x, 2, 0)
          return { state: { s: tf.add(tf.mul(state.s, tf.tanh(a)), b) }, outputs: {} }
        }
        return scan(body, { state: { s: first }, inputs: { x } }).state
      },
      givensOf({ x: float(6, 4, 2), first: float(2, 2) }, {}, 6),
      close,
    ))

  it('a product of state and inputs of another shape is left as it is', () =>
    expectRecordedIsEager(
      ({ x, row, first }) => {
        const body: ScanBody = ({ state, inputs }) => {
          const s = tf.mul(tf.mul(state.s, inputs.row), tf.tanh(inputs.x))
          return { state: { s: tf.add(s, tf.mul(inputs.row, inputs.row)) }, outputs: { scaled: tf.mul(inputs.x, inputs.row), s } }
        }
        const { state, outputs } = scan(body, { state: { s: first }, inputs: { x, row } })
        return { ...outputs, last: state.s }
      },
      givensOf({ x: float(4, 3, 2), row: float(4, 2), first: float(3, 2) }, {}, 6),
      close,
    ))
})
