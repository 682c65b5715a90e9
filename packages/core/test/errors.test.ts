import { describe, expect, it } from 'vitest'
import { ChainruleError, finiteNumber, InterruptedError, InvalidDataError, InvalidOptionError, refuseUnknownOptions, throwIfInterrupted, wholeNumber } from '../src/index.js'

describe('errors', () => {
  it('have the name of their class, its parent and the cause', () => {
    const cause = new Error('inner')
    const error = new InvalidDataError('outer', { cause })
    expect(error).toBeInstanceOf(ChainruleError)
    expect([error.name, error.message, error.cause]).toEqual(['InvalidDataError', 'outer', cause])
  })
  it('an unknown option is named, with the known ones', () => {
    refuseUnknownOptions('thing', { a: 1 }, ['a', 'b'])
    expect(() => refuseUnknownOptions('thing', { a: 1, c: undefined }, ['a', 'b'])).toThrow('thing: unknown option "c". Known: a, b.')
    expect(() => refuseUnknownOptions('thing', { c: 1 }, [])).toThrow(/Known: none/)
  })

  it('options that are missing, or something else, are told what they should be', () => {
    expect(() => refuseUnknownOptions('thing', undefined as never, ['a', 'b'])).toThrow(new InvalidOptionError('thing: expected an object of options (a, b), got undefined.'))
    expect(() => refuseUnknownOptions('thing', null as never, ['a'])).toThrow(/got null/)
    expect(() => refuseUnknownOptions('thing', 5 as never, [])).toThrow(/none are known\), got number/)
  })
  it('whole and finite numbers are checked at both ends', () => {
    expect(wholeNumber('thing', 'n', 3, 1, 3)).toBe(3)
    for (const value of [0, 4, 1.5, NaN, Infinity, '2', null, undefined]) expect(() => wholeNumber('thing', 'n', value, 1, 3)).toThrow(InvalidOptionError)
    expect(() => wholeNumber('thing', 'n', 0)).toThrow('thing: n must be a whole number of at least 1, got 0.')
    expect(() => wholeNumber('thing', 'n', 2 ** 60)).toThrow(InvalidOptionError)
    expect(finiteNumber('thing', 'x', 0, 0, 1)).toBe(0)
    for (const value of [-0.1, 1.1, NaN, Infinity, '0.5']) expect(() => finiteNumber('thing', 'x', value, 0, 1)).toThrow(/thing: x must be a number from 0 to 1/)
  })
  it('a signal that has fired interrupts', () => {
    const controller = new AbortController()
    throwIfInterrupted(controller.signal, 'Training')
    throwIfInterrupted(undefined, 'Training')
    controller.abort()
    expect(() => throwIfInterrupted(controller.signal, 'Training')).toThrow(InterruptedError)
  })
})
