import { describe, expect, it } from 'vitest'
import { checkDomain, checkEnded, type Domain, endedLength, InvalidDataError, InvalidOptionError } from '../src/index.js'

const text: Domain = { length: 'variable', components: 1, values: 4 }

describe('a domain with an end', () => {
  it('is of variable length, one component, and ends with its last value', () => {
    expect(checkDomain({ ...text, end: 3 })).toEqual({ ...text, end: 3 })
    expect(() => checkDomain({ ...text, end: 2 })).toThrow(/end must be the last value, 3, got 2/)
    expect(() => checkDomain({ ...text, length: 5, end: 3 })).toThrow(/belongs to a variable length, this one is 5/)
    expect(() => checkDomain({ ...text, components: 2, end: 3 })).toThrow(InvalidOptionError)
  })
  it('a row is its own up to its first end, which counts', () => {
    expect([[0, 3, 3, 3], [3], [0, 1, 2], []].map((row) => endedLength(row, 3))).toEqual([2, 1, 3, 0])
  })
  it('nothing goes on after its end, but something may begin', () => {
    checkEnded([0, 3, 3], 3, 'x')
    checkEnded([], 3, 'x')
    checkEnded([0, 3, 1, 3], 3, 'x', [1, 0, 1, 0])
    expect(() => checkEnded([0, 3, 1], 3, 'x')).toThrow(/x holds 1 at variable 2, after its end \(3\)/)
    checkEnded([3, 3], 3, 'x', undefined, 3)
    checkEnded([1, 3], 3, 'x', [1, 0], 3)
    expect(() => checkEnded([1, 3], 3, 'x', undefined, 3)).toThrow(/holds 1 at variable 0/)
    expect(() => checkEnded([0, 3, 1, 3, 2], 3, 'x', [1, 0, 1, 0, 0])).toThrow(InvalidDataError)
  })
})
