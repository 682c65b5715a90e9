import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { checkSamplingFilters, InvalidOptionError, samplingFilterNames, type SamplingFilters, noSamplingFilters, UnsupportedError } from '../../src/index.js'
import { categorical, conditional } from '../../src/tensors/index.js'
import { sampledDistribution } from '../../src/tensors/head/filters.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const tensorsOf = (filters: SamplingFilters, seen: number[][]) => {
  const { topK, topP, minP, repetitionPenalty } = { ...noSamplingFilters, ...filters }
  return { topK: tf.tensor1d([topK], 'int32'), topP: tf.tensor1d([topP]), minP: tf.tensor1d([minP]), repetitionPenalty: tf.tensor1d([repetitionPenalty]), seen: tf.tensor2d(seen, undefined, 'bool') }
}
/** Of these probabilities as logits, or of logits. */
const distribution = (logits: number[][], filters: SamplingFilters, { temperature = 1, seen = logits.map((row) => row.map(() => 0)) } = {}) =>
  (sampledDistribution(tf.tensor2d(logits), { temperature: tf.tensor1d([temperature]), filters: tensorsOf(filters, seen) }).arraySync() as number[][]).map((row) => row.map((p) => Math.round(p * 1e5) / 1e5))
const of = (p: number[], filters: SamplingFilters) => distribution([p.map((value) => Math.log(value))], filters)[0]

describe('the distribution that is sampled', () => {
  it('is the model’s own with everything off', () => {
    expect(of([0.5, 0.3, 0.2], {})).toEqual([0.5, 0.3, 0.2])
  })
  it('top-k keeps the k likeliest; of equal ones the lower first', () => {
    expect(of([0.1, 0.6, 0.3], { topK: 1 })).toEqual([0, 1, 0])
    expect(of([0.1, 0.6, 0.3], { topK: 2 })).toEqual([0, 0.66667, 0.33333])
    expect(of([0.1, 0.6, 0.3], { topK: 7 })).toEqual([0.1, 0.6, 0.3])
    expect(of([0.2, 0.2, 0.2, 0.2, 0.2], { topK: 2 })).toEqual([0.5, 0.5, 0, 0, 0])
    expect(of([0.125, 0.5, 0.125, 0.125, 0.125], { topK: 3 })).toEqual([0.16667, 0.66667, 0.16667, 0, 0])
  })
  it('top-p keeps the fewest that reach the mass, the likeliest always', () => {
    expect(of([0.125, 0.5, 0.375], { topP: 0.01 })).toEqual([0, 1, 0])
    expect(of([0.125, 0.5, 0.375], { topP: 0.49 })).toEqual([0, 1, 0])
    expect(of([0.125, 0.5, 0.375], { topP: 0.51 })).toEqual([0, 0.57143, 0.42857])
    expect(of([0.125, 0.5, 0.375], { topP: 0.9 })).toEqual([0.125, 0.5, 0.375])
    expect(distribution([[0, 0, 0, 0]], { topP: 0.5 })).toEqual([[0.5, 0.5, 0, 0]])
  })
  it('min-p keeps what has that share of the likeliest', () => {
    expect(of([0.1, 0.6, 0.3], { minP: 0.4 })).toEqual([0, 0.66667, 0.33333])
    expect(of([0.1, 0.6, 0.3], { minP: 1 })).toEqual([0, 1, 0])
    expect(distribution([[1, 1, 0]], { minP: 1 })).toEqual([[0.5, 0.5, 0]])
  })
  it('each filter works on what the one before left: top-p on the mass of the k likeliest', () => {
    // 0.4 of 0.7 is 57 %: with all values, 60 % would need two of them, too; 55 % needs two of all, one of these.
    expect(of([0.4, 0.3, 0.2, 0.1], { topP: 0.55 })).toEqual([0.57143, 0.42857, 0, 0])
    expect(of([0.4, 0.3, 0.2, 0.1], { topK: 2, topP: 0.55 })).toEqual([1, 0, 0, 0])
    // Temperature comes first: at ½ the probabilities are 16 : 9 : 4 : 1.
    expect(distribution([[0.4, 0.3, 0.2, 0.1].map(Math.log)], { topP: 0.55 }, { temperature: 0.5 })).toEqual([[0.64, 0.36, 0, 0]])
    expect(distribution([[0.4, 0.3, 0.2, 0.1].map(Math.log)], { topP: 0.5 }, { temperature: 0.5 })).toEqual([[1, 0, 0, 0]])
  })
  it('the penalty divides positive logits and multiplies others, of values that occurred in that row', () => {
    const softmax = (logits: number[]) => logits.map((l) => Math.round((Math.exp(l) / logits.reduce((sum, other) => sum + Math.exp(other), 0)) * 1e5) / 1e5)
    const result = distribution([[2, -1, 0.5], [2, -1, 0.5]], { repetitionPenalty: 2 }, { seen: [[1, 1, 0], [0, 0, 1]] })
    expect(result).toEqual([softmax([1, -2, 0.5]), softmax([2, -1, 0.25])])
    expect(distribution([[2, -1, 0.5]], { repetitionPenalty: 0.5 }, { seen: [[1, 1, 0]] })).toEqual([softmax([4, -0.5, 0.5])])
    // It comes before the temperature and before everything else.
    expect(distribution([[2, 1.5, 0]], { repetitionPenalty: 2, topK: 1 }, { seen: [[1, 0, 0]] })).toEqual([[0, 1, 0]])
    expect(distribution([[2, 1.5, 0]], { repetitionPenalty: 2 }, { seen: [[1, 0, 0]], temperature: 0.5 })).toEqual([softmax([2, 3, 0])])
  })
  it('rows are truncated on their own', () => {
    expect(distribution([[0, 0, 9, 9], [9, 0, 0, 0]], { topP: 0.9 })).toEqual([[0, 0, 0.5, 0.5], [1, 0, 0, 0]])
  })
})

describe('a draw with filters', () => {
  const head = categorical().bind({ domain: { length: 1, components: 1, values: 4 }, width: 4, receivesParameters: true })
  const draw = (uniforms: number[], filters: SamplingFilters, given?: number[]) => {
    const features = tf.tensor2d(uniforms.map(() => [0.4, 0.3, 0.2, 0.1].map(Math.log)))
    const result = head.draw({}, features, {
      uniforms: tf.tensor3d(uniforms, [uniforms.length, 1, 1]),
      temperature: tf.tensor1d([1]),
      given: tf.tensor2d(given ?? uniforms.map(() => 0), [uniforms.length, 1], 'int32'),
      isGiven: tf.tensor1d(uniforms.map(() => (given ? 1 : 0)), 'bool'),
      filters: tensorsOf(filters, uniforms.map(() => [0, 0, 0, 0])),
    })
    return { drawn: [...result.drawn.dataSync()], distance: [...result.distance.dataSync()], p: [...result.logProbability.dataSync()].map(Math.exp), all: [...result.logProbabilities!.dataSync()].map(Math.exp) }
  }
  it('is by the inverse CDF of what is left; probabilities stay the model’s own', () => {
    const { drawn, distance, p, all } = draw([0.01, 0.56, 0.58, 0.999], { topK: 2 })
    expect(drawn).toEqual([0, 0, 1, 1])
    expect(distance).toEqual([0, 0, 0, 0])
    p.forEach((value, i) => expect(value).toBeCloseTo([0.4, 0.4, 0.3, 0.3][i], 6))
    all.forEach((value, i) => expect(value).toBeCloseTo([0.4, 0.3, 0.2, 0.1][i % 4], 6))
  })
  it('has a distance in units of that CDF, and 1 for a value that it cannot draw', () => {
    const { drawn, distance } = draw([0.5, 0.5, 0.7, 0.571429], { topK: 2 }, [1, 2, 0, 3])
    expect(drawn).toEqual([0, 0, 1, 1])
    ;[0.071429, 1, 0.128571, 1].forEach((expected, i) => expect(distance[i]).toBeCloseTo(expected, 5))
  })
})

describe('checkSamplingFilters', () => {
  it('fills in what is off', () => {
    expect(checkSamplingFilters('sample', {}, [])).toEqual(noSamplingFilters)
    expect(checkSamplingFilters('sample', { topK: 3, minP: 0.1 }, samplingFilterNames)).toEqual({ topK: 3, topP: 1, minP: 0.1, repetitionPenalty: 1 })
  })
  it.each([
    [{ topK: -1 }, /topK must be a whole number/],
    [{ topK: 1.5 }, /topK/],
    [{ topP: 0 }, /topP must be above 0 and at most 1, got 0/],
    [{ topP: 1e-60 }, /topP/],
    [{ topP: 1.1 }, /topP must be a number from 0 to 1/],
    [{ topP: Number.NaN }, /topP/],
    [{ minP: -0.1 }, /minP/],
    [{ minP: 2 }, /minP/],
    [{ repetitionPenalty: 0 }, /repetitionPenalty must be a finite number above 0, got 0/],
    [{ repetitionPenalty: Infinity }, /repetitionPenalty/],
    [{ repetitionPenalty: '2' as unknown as number }, /repetitionPenalty/],
  ])('refuses %j', (filters, message) => {
    expect(() => checkSamplingFilters('sample', filters, samplingFilterNames)).toThrow(InvalidOptionError)
    expect(() => checkSamplingFilters('sample', filters, samplingFilterNames)).toThrow(message)
  })
  it('refuses what the head does not know', () => {
    expect(() => checkSamplingFilters('sample', { topP: 0.5 }, [])).toThrow(UnsupportedError)
    expect(() => checkSamplingFilters('sample', { topP: 0.5 }, [], 'gaussianMixture')).toThrow(/gaussianMixture, does not know topP; it knows no sampling filter/)
  })
})

describe('conditional', () => {
  it('runs the branch that is chosen, and only that', () => {
    const runs: string[] = []
    const x = tf.tensor1d([1, 2])
    const choose = (value: number) => [...conditional(tf.tensor1d([value], 'bool'), () => (runs.push('true'), tf.mul(x, 10)), () => (runs.push('false'), x)).dataSync()]
    expect(choose(1)).toEqual([10, 20])
    expect(choose(0)).toEqual([1, 2])
    expect(runs).toEqual(['true', 'false'])
  })
  it('leaves the tensors around it alone', () => {
    const x = tf.tensor1d([1, 2])
    const before = tf.memory().numTensors
    conditional(tf.scalar(false, 'bool'), () => x, () => tf.clone(x)).dispose()
    expect(tf.memory().numTensors - before).toBe(1)
    expect([...x.dataSync()]).toEqual([1, 2])
  })
})
