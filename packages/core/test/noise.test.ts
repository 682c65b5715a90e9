import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { InvalidOptionError, normal, philox, type Purpose, shuffled, uniform, uniformIndex } from '../src/index.js'
import { checkSeed, type Words } from '../src/noise.js'

const words = (text: string) => text.split(' ').map((word) => parseInt(word, 16))

describe('philox', () => {
  // The known answers that Random123 publishes for philox4x32-10.
  it.each([
    ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ])('counter %s, key %s', (counter, key, expected) => {
    expect([...philox(words(counter) as unknown as Words, words(key) as [number, number])]).toEqual(words(expected))
  })
})

describe('uniform', () => {
  // Published: whoever draws the noise in another language can check it here. Computed from the definition in unbounded integers.
  const vector = JSON.parse(readFileSync(new URL('noise-vector.json', import.meta.url), 'utf8')) as { seed: number; purpose: Purpose; sample: number; variable: number; component: number; k: number; uniform: number }[]
  it.each(vector)('seed $seed, $purpose; $sample, $variable, $component, $k', (address) => {
    expect(uniform(address.seed, address.purpose, address.sample, address.variable, address.component, address.k)).toBe(address.uniform)
  })

  it('is exact in float32, on the grid of 2⁻²⁴, and inside (0, 1)', () => {
    for (let i = 0; i < 5_000; i++) {
      const u = uniform(7, 'sampling', i)
      expect(Math.fround(u)).toBe(u)
      expect(Number.isInteger(u * 2 ** 23 - 0.5)).toBe(true)
      expect(u > 0 && u < 1).toBe(true)
    }
  })

  it('has the moments of a uniform, along every index of its address', () => {
    // 5 standard deviations: a false alarm in 1.7 million.
    const n = 20_000
    const along: ((i: number) => number)[] = [(i) => uniform(i, 'sampling'), (i) => uniform(1, 'sampling', i), (i) => uniform(1, 'sampling', 0, i), (i) => uniform(1, 'sampling', 0, 0, i), (i) => uniform(1, 'sampling', 0, 0, 0, i)]
    for (const draw of along) {
      let [sum, squares, neighbours, last] = [0, 0, 0, 0]
      for (let i = 0; i < n; i++) {
        const u = draw(i) - 0.5
        sum += u
        squares += u * u
        if (i > 0) neighbours += u * last
        last = u
      }
      expect(Math.abs(sum / n)).toBeLessThan(5 * Math.sqrt(1 / 12 / n))
      expect(Math.abs(squares / n - 1 / 12)).toBeLessThan(5 * Math.sqrt(1 / 180 / n))
      expect(Math.abs(neighbours / n)).toBeLessThan((5 * (1 / 12)) / Math.sqrt(n))
    }
  })
})

describe('normal', () => {
  it('has mean 0, deviation 1 and the kurtosis of a normal', () => {
    const n = 20_000
    const draws = Array.from({ length: n }, (_, i) => normal(3, 'initialization', 5, i))
    const moment = (power: number) => draws.reduce((sum, x) => sum + x ** power, 0) / n
    expect(Math.abs(moment(1))).toBeLessThan(5 / Math.sqrt(n))
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / n))
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / n))
  })
})

describe('uniformIndex', () => {
  it('gives each of seven equally often, and nothing outside', () => {
    const counts = new Float64Array(7)
    const n = 14_000
    for (let i = 0; i < n; i++) counts[uniformIndex(7, 1, 'batches', i)]++
    expect(counts.reduce((a, b) => a + b)).toBe(n)
    // χ² with 6 degrees of freedom exceeds 38 once in a million.
    expect(counts.reduce((sum, count) => sum + (count - n / 7) ** 2 / (n / 7), 0)).toBeLessThan(38)
  })
  it('reaches every place of lengths far beyond 2²³, and agrees with the uniform of its address', () => {
    const length = 2 ** 53
    const drawn = Array.from({ length: 200 }, (_, i) => uniformIndex(length, 1, 'batches', i))
    expect(drawn.every((index) => Number.isInteger(index) && index >= 0 && index < length)).toBe(true)
    // Each of the 53 bits is set in about 100 of 200; fewer than 60 would be 5.6 standard deviations.
    for (let bit = 0; bit < 53; bit++) expect(drawn.filter((index) => Math.floor(index / 2 ** bit) % 2 === 1).length, `bit ${bit}`).toBeGreaterThan(60)
    drawn.forEach((index, i) => expect(Math.abs(index / length - uniform(1, 'batches', i))).toBeLessThan(2 ** -23))
  })
  it('of one is 0', () => {
    expect([0, 1, 2].map((i) => uniformIndex(1, 1, 'batches', i))).toEqual([0, 0, 0])
  })
})

describe('shuffled', () => {
  it('gives each of the 24 orders of four equally often', () => {
    const counts = new Map<string, number>()
    const n = 12_000
    for (let seed = 0; seed < n; seed++) {
      const key = shuffled(seed, 'order', 4).join('')
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    expect(counts.size).toBe(24)
    const statistic = [...counts.values()].reduce((sum, count) => sum + (count - n / 24) ** 2 / (n / 24), 0)
    // χ² with 23 degrees of freedom exceeds 74 once in a million.
    expect(statistic).toBeLessThan(74)
  })
  it('is a permutation, of none and one too', () => {
    expect([...shuffled(1, 'order', 0)]).toEqual([])
    expect([...shuffled(1, 'order', 1)]).toEqual([0])
    expect([...shuffled(1, 'order', 100)].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })
})

describe('checkSeed', () => {
  it('takes 0 to 2³² − 1 and nothing else', () => {
    expect(checkSeed('fit', 0)).toBe(0)
    expect(checkSeed('fit', 2 ** 32 - 1)).toBe(2 ** 32 - 1)
    for (const seed of [-1, 2 ** 32, 0.5, NaN, '1', undefined]) expect(() => checkSeed('fit', seed)).toThrow(InvalidOptionError)
  })
})
