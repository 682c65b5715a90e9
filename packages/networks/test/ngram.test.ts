import '@tensorflow/tfjs-backend-cpu'
import { asTensors, randomValues } from '@chainrule/conformance'
import { type DiscreteDomain, InvalidDataError, InvalidOptionError, leftToRight, type Order, type ParameterArrays, reversed, UnsupportedError } from '@chainrule/core'
import { bernoulli, createModel, categorical } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { networkFromName, ngram, type NgramOptions } from '../src/index.js'
import { countNgrams } from '../src/ngram-counts.js'
import { discountsOf, ngramTables } from '../src/ngram-tables.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const textOf = (values: number): DiscreteDomain => ({ length: 'variable', components: 1, values })
const bound = (options: NgramOptions, domain: DiscreteDomain, order: Order = leftToRight()) => ngram(options).bind({ domain, order: order.resolve(domain), parametersPerVariable: domain.values })

/** The formula of the header, straight from the strings: symbols are letters, '^' is a start. */
function twin(sequences: readonly string[], n: number, V: number, minimumCount: number): (context: string, v: number) => number {
  const letters = Array.from({ length: V }, (_, v) => String.fromCharCode(97 + v))
  const padded = sequences.map((sequence) => `^${sequence}`)
  const occurrences = (string: string) => padded.reduce((sum, text) => sum + Array.from(text).filter((_, i) => text.startsWith(string, i)).length, 0)
  const a = (string: string) => (string.length === n || string[0] === '^' ? occurrences(string) : [...letters, '^'].filter((symbol) => occurrences(symbol + string) > 0).length)
  const strings = (length: number): string[] => (length === 0 ? ['', '^'] : strings(length - 1).flatMap((shorter) => letters.map((letter) => shorter + letter)))
  const ofLength = (length: number) => [...strings(length), ...strings(length - 1)].filter((string) => string.length === length && string !== '^' && occurrences(string) > 0)
  const discounts = Array.from({ length: n + 1 }, (_, length) => (length === 0 ? [] : discountsOf([1, 2, 3, 4].map((count) => ofLength(length).filter((string) => a(string) === count).length))))
  const p = (context: string, v: number): number => {
    const counts = letters.map((letter) => a(context + letter) * Number(occurrences(context + letter) > 0))
    const total = counts.reduce((sum, count) => sum + count, 0)
    const followed = letters.reduce((sum, letter) => sum + occurrences(context + letter), 0)
    const shorter = () => (context === '' ? 1 / V : p(context.slice(1), v))
    if (context !== '' && followed < minimumCount) return shorter()
    const D = (count: number) => (count === 0 ? 0 : discounts[context.length + 1][Math.min(count, 3) - 1])
    return Math.max(counts[v] - D(counts[v]), 0) / total + (counts.reduce((sum, count) => sum + D(count), 0) / total) * shorter()
  }
  return p
}

const asLetters = (values: ArrayLike<number>) => Array.from(values, (v) => String.fromCharCode(97 + v)).join('')

describe('counting', () => {
  it.each([
    [2, 1, 3, 60],
    [3, 1, 2, 40],
    [3, 2, 3, 90],
    [4, 2, 2, 120],
    [4, 3, 3, 150],
  ])('n = %d, minimumCount %d, %d values: the tables say what the formula says of the strings', (order, minimumCount, V, size) => {
    // Two sequences, skewed, so that there are counts of all sizes.
    const values = randomValues(order, V * V, size).map((x) => Math.min(V - 1, Math.floor(x / V)))
    const sequences = [values.subarray(0, Math.floor(size / 3)), values.subarray(Math.floor(size / 3))]
    const p = twin(sequences.map(asLetters), order, V, minimumCount)
    const domain = textOf(V)
    const network = bound({ order, minimumCount }, domain)
    const parameters = network.count!(sequences)
    const x = randomValues(77, V, 40 * 6)
    const features = network.forward(asTensors(parameters), tf.tensor(x, [40, 6, 1], 'int32')).dataSync()
    for (let row = 0; row < 40; row++) {
      for (let i = 0; i < 6; i++) {
        const context = `^${asLetters(x.subarray(row * 6, row * 6 + i))}`.slice(-(order - 1))
        for (let v = 0; v < V; v++) expect(features[(row * 6 + i) * V + v], `${context} → ${v}`).toBeCloseTo(Math.log(p(context, v)), 4)
      }
    }
  })

  it('every row sums to 1', () => {
    const { logits } = ngramTables(countNgrams([randomValues(3, 20, 5_000)], 4, 20), 4, 20, 2)
    const [R, V] = logits.shape
    expect(R).toBeGreaterThan(100)
    for (let row = 0; row < R; row++) expect(logits.data.subarray(row * V, (row + 1) * V).reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 4)
  })

  it('a count by hand: a a b, of two values, n = 2', () => {
    // Strings of one: a (after ^ and a: 2), b (after a: 1); of two: ^a, aa, ab, once each. Discounts: ½ where counts of counts are missing.
    const network = bound({ order: 2, minimumCount: 1 }, textOf(2))
    const { logits, next } = network.count!([[0, 0, 1]])
    const pA = 1.5 / 3 + (1 / 3) * 0.5
    expect(Math.exp(logits.data[0])).toBeCloseTo(pA, 6)
    expect(Math.exp(logits.data[2])).toBeCloseTo(0.5 + 0.5 * pA, 6)
    expect(logits.shape).toEqual([3, 2])
    expect([...next.data]).toEqual([2, 0, 2, 0, 2, 0])
  })

  it('does not cross a start, and a sequence is counted from its own beginning', () => {
    const parameters = (sequences: number[][]) => bound({ order: 3, minimumCount: 1 }, textOf(2)).count!(sequences).logits.data
    expect([...parameters([[0, 1], [0, 1], [1, 0]])]).not.toEqual([...parameters([[0, 1, 0, 1, 1, 0]])])
    // What stands before a start changes nothing.
    const network = bound({ order: 3, minimumCount: 1 }, textOf(2))
    const tensors = asTensors(network.count!([[0, 1, 1, 0, 0, 1], [1, 0, 1]]))
    const packed = (first: number) => network.forward(tensors, tf.tensor([first, first, 1, 0], [1, 4, 1], 'int32'), { values: tf.zeros([1, 1], 'int32'), isStart: tf.tensor([1, 0, 1, 0], [1, 4], 'bool') }).dataSync().slice(4)
    expect([...packed(0)]).toEqual([...packed(1)])
  })

  it('order and minimumCount change the model', () => {
    const data = [randomValues(4, 3, 300)]
    const rows = (options: NgramOptions) => bound(options, textOf(3)).count!(data).logits.shape[0]
    expect(rows({ order: 4, minimumCount: 1 })).toBeGreaterThan(rows({ order: 3, minimumCount: 1 }))
    expect(rows({ order: 4, minimumCount: 1 })).toBeGreaterThan(rows({ order: 4, minimumCount: 8 }))
  })

  it('of a fixed length it counts in the order of generation', () => {
    // Read from the end, the next value is the one before plus 1.
    const examples = [0, 1, 2].map((first) => Int32Array.from({ length: 4 }, (_, i) => (first + 3 - i) % 3))
    const model = createModel({ domain: { length: 4, components: 1, values: 3 }, order: reversed(), network: ngram({ order: 2, minimumCount: 1 }), head: categorical() })
    const nats = (parameters: ParameterArrays) => -tf.sum(model.logProbability(asTensors(parameters), tf.tensor(Int32Array.from(examples.flatMap((example) => [...example])), [3, 4, 1], 'int32'))).dataSync()[0] / 3
    const many = Array.from({ length: 50 }, () => examples).flat()
    expect(nats(model.count!(many))).toBeLessThan(Math.log(3) + 0.2)
  })

  it('grows its arrays without losing anything', () => {
    const values = randomValues(8, 50, 20_000)
    const counts = countNgrams([values], 4, 50)
    expect(counts.size).toBeGreaterThan(20_000)
    let total = 0
    for (let node = 2; node < counts.size; node++) if (counts.length[node] === 1) total += counts.occurrences[node]
    expect(total).toBe(20_000)
  })
})

it('discounts are those of Chen and Goodman', () => {
  // n1 … n4 = 100, 50, 30, 20: Y = ½; D = 1 − 2Y·50/100, 2 − 3Y·30/50, 3 − 4Y·20/30.
  const [one, two, three] = discountsOf([100, 50, 30, 20])
  expect([one, two, three].map((discount) => discount.toFixed(6))).toEqual(['0.500000', '1.100000', '1.666667'])
  expect(discountsOf([0, 3, 1, 1])).toEqual([0.5, 0.5, 0.5])
  expect(discountsOf([10, 5, 0, 1])).toEqual([0.5, 0.5, 0.5])
  expect(discountsOf([4, 1, 100, 1])[1]).toBe(0.05)
})

describe('what is refused', () => {
  it('options', () => {
    expect(() => ngram({ smoothing: 'none' } as never)).toThrow(/ngram: unknown option "smoothing". Known: order, minimumCount/)
    expect(() => ngram({ order: 1 })).toThrow(/order must be a whole number from 2 to 32, got 1/)
    expect(() => ngram({ minimumCount: 0 })).toThrow(InvalidOptionError)
    expect(networkFromName({ name: 'ngram', options: ngram({ order: 3 }).options }).options).toEqual({ order: 3, minimumCount: 2 })
  })
  it('data', () => {
    const network = bound({ order: 2, minimumCount: 1 }, textOf(3))
    expect(() => network.count!([])).toThrow(/nothing to count/)
    expect(() => network.count!([[]])).toThrow(InvalidDataError)
    expect(() => network.count!([[0, 1], [2, 3]])).toThrow(/sequence 1 holds 3 at 1, expected 0 … 2/)
  })
  it('tables that do not fit, with their size', () => {
    const network = bound({ order: 2, minimumCount: 1 }, textOf(1_000_000))
    expect(() => network.count!([Array.from({ length: 201 }, (_, i) => i)])).toThrow(/202 contexts of 1000000 values would take 1616 MB, at most 1074 MB are allowed. Raise minimumCount \(now 1\) or lower order \(now 2\)/)
  })
  it('more strings than there is memory for, with their number', () => {
    expect(() => countNgrams([randomValues(8, 50, 20_000)], 4, 50, 2 ** 13)).toThrow(/more than 8192 different strings of up to 4 values; counting them would take more than 0 MB. Lower order \(now 4\)/)
  })
  it('domains and heads', () => {
    const pieces = { order: leftToRight(), network: ngram(), head: categorical() }
    expect(() => createModel({ ...pieces, domain: { length: 4, components: 1, values: 2 }, head: bernoulli() })).toThrow(UnsupportedError)
    expect(() => createModel({ ...pieces, domain: { length: 4, components: 1, values: 2 }, order: leftToRight({ groupSize: 2 }) })).toThrow(/groups/)
    expect(() => bound({}, { length: 'variable', components: 2, values: 2 })).toThrow(/one component/)
  })
})
