import { describe, expect, it } from 'vitest'
import { bitsPerByte, bitsPerCharacter, bitsPerDimension, bitsPerSample, countParameters } from '../src/index.js'

describe('units', () => {
  it('a fair coin for each of 784 pixels is one bit a dimension', () => {
    expect(bitsPerDimension(784 * Math.log(2), 784)).toBeCloseTo(1, 12)
  })
  it('one of 256 for each byte is 8 bits a byte, one of 65 536 for each sample 16, one of 65 for each character log₂ 65', () => {
    expect(bitsPerByte(10 * Math.log(256), 10)).toBeCloseTo(8, 12)
    expect(bitsPerSample(10 * Math.log(65_536), 10)).toBeCloseTo(16, 12)
    expect(bitsPerCharacter(10 * Math.log(65), 10)).toBeCloseTo(Math.log2(65), 12)
  })
  it('parameters are counted over all arrays', () => {
    expect(countParameters({ a: { shape: [2, 3], data: new Float32Array(6) }, b: { shape: [], data: new Float32Array(1) } })).toBe(7)
  })
})
