/** scan against the loop written out: values, and gradients against tfjs's autodiff of that loop. */
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { InvalidOptionError, uniform } from '../../src/index.js'
import { multiplyEach, scan, type ScanArguments, type ScanBody, type ScanResult, type Tensors } from '../../src/tensors/index.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const numbers = (shape: readonly number[], stream: number) => tf.tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => 2 * uniform(1, 'batches', stream, i) - 1), [...shape])

function expectClose(got: tf.Tensor, expected: tf.Tensor, what: string): void {
  expect(got.shape, what).toEqual(expected.shape)
  const [a, b] = [got.dataSync(), expected.dataSync()]
  a.forEach((value, i) => expect(Math.abs(value - b[i]), `${what}, number ${i}: ${value} against ${b[i]}`).toBeLessThan(3e-5 * Math.max(1, Math.abs(b[i]))))
}

/** The loop written out, in operations of tfjs alone. */
function unrolled(body: ScanBody, { state, inputs, weights = {}, constants = {} }: ScanArguments): ScanResult {
  const length = Object.values(inputs)[0].shape[0]
  const steps: Tensors[] = []
  for (let t = 0; t < length; t++) {
    const entries = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, tf.gather(input, t)]))
    const result = body({ state, inputs: entries, constants, multiply: (name, x) => tf.matMul(weights[name] as tf.Tensor2D, x as tf.Tensor2D) })
    state = result.state
    steps.push(result.outputs)
  }
  return { state, outputs: Object.fromEntries(Object.keys(steps[0]).map((name) => [name, tf.stack(steps.map((step) => step[name]))])) }
}

/** Values of everything that comes out, and gradients of a weighted sum of it with respect to everything that goes in. */
function everything(run: (args: ScanArguments) => ScanResult, args: ScanArguments): Tensors {
  const kinds = Object.entries(args) as [keyof ScanArguments, Tensors][]
  const places = kinds.flatMap(([kind, record]) => Object.keys(record).map((name) => ({ kind, name })))
  const results = (tensors: tf.Tensor[]) => {
    const given: Record<string, Tensors> = Object.fromEntries(kinds.map(([kind]) => [kind, {}]))
    places.forEach(({ kind, name }, i) => (given[kind][name] = tensors[i]))
    const { state, outputs } = run(given as unknown as ScanArguments)
    return { ...Object.fromEntries(Object.entries(state).map(([name, tensor]) => [`state ${name}`, tensor])), ...outputs }
  }
  const tensors = places.map(({ kind, name }) => (args[kind] as Tensors)[name])
  const weighted = (...given: tf.Tensor[]) => tf.addN(Object.values(results(given)).map((tensor, i) => tf.sum(tf.mul(tensor, numbers(tensor.shape, 90 + i))))) as tf.Scalar
  const gradients = tf.grads(weighted)(tensors)
  return { ...results(tensors), ...Object.fromEntries(places.map(({ kind, name }, i) => [`gradient of ${kind} ${name}`, gradients[i]])) }
}

function expectSame(body: ScanBody, args: ScanArguments): void {
  tf.tidy(() => {
    const [got, expected] = [everything((given) => scan(body, given), args), everything((given) => unrolled(body, given), args)]
    expect(Object.keys(got)).toEqual(Object.keys(expected))
    for (const [name, tensor] of Object.entries(expected)) expectClose(got[name], tensor, name)
  })
}

/** Two states, two products in a row of which one weight serves twice, a constant that is broadcast, an input that also goes out. */
const entangled: ScanBody = ({ state, inputs, constants, multiply }) => {
  const gate = tf.sigmoid(tf.add(multiply('gate', state.fast), inputs.drive))
  const fast = tf.tanh(tf.add(multiply('mix', tf.mul(gate, state.fast)), tf.add(multiply('mix', inputs.drive), constants.bias)))
  const slow = tf.add(tf.mul(state.slow, constants.decay), multiply('down', fast))
  return { state: { fast, slow }, outputs: { fast, product: tf.mul(slow, multiply('down', gate)) } }
}

describe('scan = the loop written out', () => {
  it('values and all gradients, over shapes', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }), fc.nat(1000), (T, B, H, D, stream) =>
        expectSame(entangled, {
          state: { fast: numbers([H, B], stream), slow: numbers([D, B], stream + 1) },
          inputs: { drive: numbers([T, H, B], stream + 2) },
          weights: { gate: numbers([H, H], stream + 3), mix: numbers([H, H], stream + 4), down: numbers([D, H], stream + 5) },
          constants: { bias: numbers([H, 1], stream + 6), decay: numbers([], stream + 7) },
        }),
      ),
      { numRuns: 12, seed: 4 },
    ))

  it('no weights, no outputs, a state that stays as it is', () =>
    expectSame(({ state, inputs }) => ({ state: { sum: tf.add(tf.mul(state.sum, state.still), inputs.x), still: state.still }, outputs: {} }), {
      state: { sum: numbers([2, 3], 1), still: numbers([2, 3], 2) },
      inputs: { x: numbers([4, 2, 3], 3) },
    }))

  it('one state and nothing else', () => expectSame(({ state, inputs }) => ({ state: { s: tf.mul(state.s, inputs.x) }, outputs: {} }), { state: { s: numbers([2], 1) }, inputs: { x: numbers([3, 2], 2) } }))

  it('a scan inside a scan', () => {
    const inner: ScanBody = ({ state, inputs, multiply }) => {
      const level = tf.tanh(tf.add(multiply('w', state.level), inputs.x))
      return { state: { level }, outputs: { level } }
    }
    const outer = (run: typeof scan): ScanBody => ({ state, inputs, multiply, constants }) => {
      const { state: after, outputs } = run(inner, { state: { level: state.level }, inputs: { x: inputs.x }, weights: { w: constants.w } })
      return { state: after, outputs: { y: multiply('v', tf.sum(outputs.level, 0)) } }
    }
    const args = {
      state: { level: numbers([2, 3], 1) },
      inputs: { x: numbers([3, 4, 2, 3], 2) },
      weights: { v: numbers([3, 2], 3) },
      constants: { w: numbers([2, 2], 4) },
    }
    tf.tidy(() => {
      const [got, expected] = [everything((given) => scan(outer(scan), given), args), everything((given) => unrolled(outer(unrolled), given), args)]
      for (const [name, tensor] of Object.entries(expected)) expectClose(got[name], tensor, name)
    })
  })

  it('leaves no tensor behind, with and without gradients', () => {
    const args = { state: { fast: numbers([2, 3], 1), slow: numbers([2, 3], 2) }, inputs: { drive: numbers([3, 2, 3], 3) }, weights: { gate: numbers([2, 2], 4), mix: numbers([2, 2], 5), down: numbers([2, 2], 6) }, constants: { bias: numbers([2, 1], 7), decay: numbers([], 8) } }
    const before = tf.memory().numTensors
    tf.tidy(() => void scan(entangled, args))
    tf.tidy(() => void everything((given) => scan(entangled, given), args))
    expect(tf.memory().numTensors).toBe(before)
  })
})

it('multiplyEach is a product for each entry, with its gradients', () => {
  const [w, x] = [numbers([3, 2], 1), numbers([4, 2, 5], 2)]
  const plain = (w: tf.Tensor, x: tf.Tensor) => tf.stack(tf.unstack(x).map((entry) => tf.matMul(w as tf.Tensor2D, entry as tf.Tensor2D)))
  const gradients = (f: typeof plain) => tf.grads((w, x) => tf.sum(tf.mul(f(w, x), numbers([4, 3, 5], 3))))([w, x])
  expectClose(multiplyEach(w, x), plain(w, x), 'value')
  gradients(multiplyEach).forEach((gradient, i) => expectClose(gradient, gradients(plain)[i], `gradient ${i}`))
})

describe('scan refuses', () => {
  const state = { s: numbers([2, 1], 1) }
  const inputs = { x: numbers([3, 2, 1], 2) }
  const body: ScanBody = ({ state, inputs }) => ({ state: { s: tf.add(state.s, inputs.x) }, outputs: {} })
  it.each<[string, ScanBody, ScanArguments, RegExp]>([
    ['no input', body, { state, inputs: {} }, /no input/],
    ['lengths that differ', body, { state, inputs: { ...inputs, y: numbers([2, 2, 1], 3) } }, /"y" has 2 entries and "x" has 3/],
    ['no step at all', body, { state, inputs: { x: tf.zeros([0, 2, 1]) } }, /at least 1/],
    ['whole numbers', body, { state, inputs: { x: tf.zeros([3, 2, 1], 'int32') } }, /inputs "x" is int32/],
    ['a weight of three axes', body, { state, inputs, weights: { w: inputs.x } }, /weight "w" has the shape \[3,2,1\]/],
    ['a weight that was not given', ({ state, multiply }) => ({ state: { s: multiply('w', state.s) }, outputs: {} }), { state, inputs }, /weight "w"/],
    ['a state that changes its shape', () => ({ state: { s: tf.zeros([2, 2]) }, outputs: {} }), { state, inputs }, /"s" as \[2,2\], expected \[2,1\]/],
    ['a state that is lost', () => ({ state: {}, outputs: {} }), { state, inputs }, /"s" as nothing/],
    ['a state that is new', ({ state }) => ({ state: { ...state, t: state.s }, outputs: {} }), { state, inputs }, /"t" that it was not given/],
  ])('%s', (_, body, args, message) => {
    expect(() => scan(body, args)).toThrow(InvalidOptionError)
    expect(() => scan(body, args)).toThrow(message)
  })
})
