/** The tail of the χ² distribution against its closed forms and tables. */
import { describe, expect, it } from 'vitest'
import { uniform } from '@chainrule/core'
import { chiSquareTail, goodnessOfFit } from '../src/index.js'

describe('chiSquareTail', () => {
  it('with two degrees of freedom is exp(−x/2), with four (1 + x/2) exp(−x/2)', () => {
    for (const x of [0.01, 0.5, 1, 3, 10, 30, 60]) {
      expect(chiSquareTail(x, 2) / Math.exp(-x / 2)).toBeCloseTo(1, 9)
      expect(chiSquareTail(x, 4) / ((1 + x / 2) * Math.exp(-x / 2))).toBeCloseTo(1, 9)
    }
  })
  it('agrees with printed critical values', () => {
    for (const [freedom, critical] of [[1, 3.841459], [5, 11.0705], [10, 18.30704], [100, 124.3421]] as const) expect(chiSquareTail(critical, freedom)).toBeCloseTo(0.05, 5)
    for (const [freedom, critical] of [[1, 10.82757], [10, 29.5883], [30, 59.7031]] as const) expect(chiSquareTail(critical, freedom)).toBeCloseTo(0.001, 6)
  })
  it('falls from 1 to 0', () => {
    expect(chiSquareTail(0, 7)).toBe(1)
    expect(chiSquareTail(2_000, 7)).toBeLessThan(1e-300)
  })
})

describe('goodnessOfFit', () => {
  it('gives p-values that are themselves uniform for a right sampler', () => {
    const deciles = new Float64Array(10)
    for (let seed = 0; seed < 400; seed++) {
      const counts = new Float64Array(4)
      for (let i = 0; i < 200; i++) counts[Math.floor(uniform(seed, 'sampling', i) * 4)]++
      deciles[Math.min(9, Math.floor(goodnessOfFit(counts, [0.25, 0.25, 0.25, 0.25]).probability * 10))]++
    }
    expect(goodnessOfFit(deciles, new Float64Array(10).fill(0.1)).probability).toBeGreaterThan(1e-4)
  })
})
