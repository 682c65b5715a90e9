import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { InvalidOptionError, type ParameterArrays, uniform, UnsupportedError } from '../../src/index.js'
import { bernoulli, categorical, chained, type ChainedOptions, discretizedLogisticMixture, gaussianMixture, type Head, type Tensors } from '../../src/tensors/index.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const [B, W, H] = [5, 3, 4]
const numbers = (count: number, stream: number) => Float32Array.from({ length: count }, (_, i) => uniform(3, 'sampling', i, stream, 0, 0))
const tensorsOf = (arrays: ParameterArrays): Tensors =>
  Object.fromEntries(Object.entries(arrays).map(([name, { shape }], which) => [name, tf.tensor(numbers(shape.reduce((a, b) => a * b, 1), which).map((u) => 2 * u - 1), [...shape])]))

/** A draw, component by component as the formula says: nothing is shared with the head but the head of one component. */
function drawWrittenOut(head: Head, values: number | 'real', isScaled: boolean, { inputs, context, output, outputBias, bias, through }: Tensors, features: tf.Tensor, uniforms: tf.Tensor, given: tf.Tensor, isGiven: tf.Tensor) {
  const [, C] = given.shape as [number, number]
  const one = { length: 1, components: 1, values }
  const inner = head.bind({ domain: one, width: head.parametersPerVariable(one), receivesParameters: true })
  const at = (tensor: tf.Tensor, j: number) => tf.squeeze(tf.slice(tensor, [j, 0, 0], [1, -1, -1]), [0])
  let s = tf.matMul(features as tf.Tensor2D, context as tf.Tensor2D) as tf.Tensor
  const draws = Array.from({ length: C }, (_, j) => {
    const bent = tf.add(tf.matMul(tf.relu(tf.add(s, at(bias, j))) as tf.Tensor2D, at(output, j) as tf.Tensor2D), at(outputBias, j))
    const all = through ? tf.add(bent, tf.matMul(s as tf.Tensor2D, at(through, j) as tf.Tensor2D)) : bent
    const draw = inner.draw({}, all, { uniforms: tf.slice(uniforms, [0, j, 0], [B, 1, 1]), temperature: tf.tensor1d([1]), given: tf.slice(given, [0, j], [B, 1]), isGiven })
    if (j < C - 1) {
      const x = draw.values
      const number = values === 'real' ? x : tf.sub(tf.div(tf.mul(x, 2), (values as number) - 1), 1)
      const row = isScaled ? tf.mul(number, at(inputs, j)) : tf.gather(inputs, tf.add(tf.reshape(x, [B]), tf.scalar(j * (values as number), 'int32')) as tf.Tensor1D)
      s = tf.add(s, row)
    }
    return draw
  })
  const of = (name: 'values' | 'drawn') => tf.concat(draws.map((draw) => draw[name]), 1)
  return { values: of('values'), drawn: of('drawn'), distance: tf.max(tf.stack(draws.map(({ distance }) => distance), 1), 1), logProbability: tf.addN(draws.map(({ logProbability }) => logProbability)) }
}

const cases: [string, Head, ChainedOptions, number, number | 'real', boolean][] = [
  ['a vector for each value', categorical(), {}, 3, 4, false],
  ['two values', bernoulli(), {}, 4, 2, false],
  ['numbers', discretizedLogisticMixture({ components: 2 }), {}, 3, 40, true],
  ['numbers, of few values', categorical(), { input: 'scaled' }, 3, 4, true],
  ['more values than a table has', discretizedLogisticMixture({ components: 2 }), {}, 2, 3000, true],
  ['real values', gaussianMixture({ components: 2 }), {}, 3, 'real', true],
  ['one component', categorical(), {}, 1, 5, false],
]

describe('chained', () => {
  it.each(cases)('draws as the formula written out: %s', (_, head, options, C, values, isScaled) => {
    const bound = chained(head, { width: H, ...options }).bind({ domain: { length: 1, components: C, values }, width: W, receivesParameters: false })
    const parameters = tensorsOf(bound.initialize(1))
    expect('through' in parameters).toBe(isScaled)
    const features = tf.tensor2d(numbers(B * W, 20), [B, W])
    const uniforms = tf.tensor3d(numbers(B * C, 21), [B, C, 1])
    const type = values === 'real' ? 'float32' : 'int32'
    const given = tf.cast(tf.tensor2d(numbers(B * C, 22).map((u) => u * (values === 'real' ? 1 : values)), [B, C]), type)
    for (const which of [0, 1]) {
      const isGiven = tf.tensor1d(Array.from({ length: B }, (_, b) => which * ((b + 1) % 2)), 'bool')
      const draw = bound.draw(parameters, features, { uniforms, temperature: tf.tensor1d([1]), given, isGiven })
      const expected = drawWrittenOut(head, values, isScaled, parameters, features, uniforms, given, isGiven)
      for (const name of ['values', 'drawn'] as const) {
        expect(draw[name].dtype).toBe(type)
        if (type === 'int32') expect([...draw[name].dataSync()]).toEqual([...expected[name].dataSync()])
      }
      for (const name of ['values', 'drawn', 'distance', 'logProbability'] as const) draw[name].dataSync().forEach((number, i) => expect(number).toBeCloseTo(expected[name].dataSync()[i], 4))
    }
  })
  it('reads from 16 values upward as numbers, unless it is told', () => {
    const names = (values: number, options: ChainedOptions = {}) => {
      const { inputs } = chained(categorical(), { width: H, ...options }).bind({ domain: { length: 1, components: 3, values }, width: W, receivesParameters: false }).initialize(1)
      return inputs.shape
    }
    expect(names(15)).toEqual([30, H])
    expect(names(16)).toEqual([2, 1, H])
    expect(names(16, { input: 'embedding' })).toEqual([32, H])
    expect(names(15, { input: 'scaled' })).toEqual([2, 1, H])
  })
  it('refuses another input, and a vector for each of too many values', () => {
    expect(() => chained(categorical(), { input: 'numbers' as never })).toThrow(InvalidOptionError)
    const bind = (head: Head, values: number | 'real') => () => chained(head, { input: 'embedding' }).bind({ domain: { length: 1, components: 2, values }, width: W, receivesParameters: false })
    expect(bind(discretizedLogisticMixture(), 1025)).toThrow(UnsupportedError)
    expect(bind(gaussianMixture(), 'real')).toThrow(/values, the domain's are real. Use input: 'scaled'/)
  })
})
