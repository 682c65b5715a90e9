import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkDomain, custom, type Domain, groupOfPosition, InvalidOptionError, leftToRight, type Order, orderFromName, random, reversed, toGenerationOrder, toPositions, UnknownPieceError, UnsupportedError } from '../src/index.js'

const domain = (length: number | 'variable'): Domain => ({ length, components: 1, values: 2 })

/** Any order of 1 to 12 variables, with groups or without. */
const anyOrder = fc.integer({ min: 1, max: 12 }).chain((length) =>
  fc.tuple(fc.constant(length), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 0xffffffff }), fc.shuffledSubarray(Array.from({ length }, (_, i) => i), { minLength: length }), fc.array(fc.boolean(), { minLength: length, maxLength: length })).map(
    ([length, groupSize, seed, permutation, rises]): { length: number; orders: Order[] } => {
      let group = 0
      const groups = rises.map((rise, rank) => (rank > 0 && rise ? ++group : group))
      return { length, orders: [leftToRight({ groupSize }), reversed({ groupSize }), random({ seed, groupSize }), custom({ permutation }), custom({ permutation, groups })] }
    },
  ),
)

describe('every order', () => {
  it('is a permutation with its inverse, has groups in runs, and comes back from its name and options', () => {
    fc.assert(
      fc.property(anyOrder, ({ length, orders }) => {
        for (const order of orders) {
          const resolved = order.resolve(domain(length))
          expect([...resolved.permutation].sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i))
          resolved.permutation.forEach((position, rank) => expect(resolved.inverse[position]).toBe(rank))
          expect(resolved.isLeftToRight).toBe(resolved.permutation.every((position, rank) => position === rank))
          const group = groupOfPosition(resolved)
          resolved.permutation.forEach((position, rank) => expect(group[position]).toBe(resolved.groups ? resolved.groups[rank] : rank))
          expect(orderFromName(JSON.parse(JSON.stringify({ name: order.name, options: order.options }))).resolve(domain(length))).toEqual(resolved)
          const rows = Int32Array.from({ length: 3 * length }, (_, i) => i)
          const generated = toGenerationOrder(rows, 3, resolved)
          resolved.permutation.forEach((position, rank) => expect(generated[3 * rank]).toBe(3 * position))
          expect(toPositions(generated, 3, resolved)).toEqual(rows)
        }
      }),
      { seed: 1, numRuns: 60 },
    )
  })
})

describe('the library', () => {
  it('says what its names say', () => {
    expect([...leftToRight().resolve(domain(4)).permutation]).toEqual([0, 1, 2, 3])
    expect([...reversed().resolve(domain(4)).permutation]).toEqual([3, 2, 1, 0])
    expect([...reversed({ groupSize: 3 }).resolve(domain(4)).groups!]).toEqual([0, 0, 0, 1])
    expect(leftToRight({ groupSize: 1 }).resolve(domain(4)).groups).toBeUndefined()
    expect(custom({ permutation: [1, 0], groups: [0, 1] }).resolve(domain(2)).groups).toBeUndefined()
    const other = random({ seed: 2 }).resolve(domain(30)).permutation
    expect(other).not.toEqual(random({ seed: 3 }).resolve(domain(30)).permutation)
    expect(other).toEqual(random({ seed: 2 }).resolve(domain(30)).permutation)
  })
  it('knows one order of a variable length', () => {
    expect(leftToRight().resolve(domain('variable'))).toEqual({ permutation: new Int32Array(0), inverse: new Int32Array(0), isLeftToRight: true })
    expect(() => leftToRight({ groupSize: 2 }).resolve(domain('variable'))).toThrow(UnsupportedError)
    for (const order of [reversed(), random({ seed: 1 }), custom({ permutation: [0] })]) expect(() => order.resolve(domain('variable'))).toThrow(/fixed length/)
  })
})

describe('what is refused', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['a position twice', () => custom({ permutation: [0, 1, 1] }), /rank 2 holds 1, as rank 1 does/],
    ['a position outside', () => custom({ permutation: [0, 3, 1] }), /rank 1 holds 3/],
    ['a fraction', () => custom({ permutation: [0, 1.5] }), /permutation\[1\] must be a whole number .* got 1.5/],
    ['no list', () => custom({ permutation: 'abc' as never }), /must be a list/],
    ['no permutation', () => custom({} as never), /must be a list/],
    ['groups of another length', () => custom({ permutation: [0, 1], groups: [0] }), /groups has 1 entries/],
    ['groups that start at 1', () => custom({ permutation: [0, 1], groups: [1, 1] }), /rank 0 is in group 1/],
    ['groups that fall', () => custom({ permutation: [0, 1, 2], groups: [0, 1, 0] }), /rank 2 is in group 0/],
    ['groups that leap', () => custom({ permutation: [0, 1], groups: [0, 2] }), /rise by at most 1/],
    ['another length', () => custom({ permutation: [0, 1] }).resolve(domain(3)), /2 positions, the domain 3/],
    ['an unknown option', () => leftToRight({ size: 2 } as never), /unknown option "size". Known: groupSize/],
    ['a group size of 0', () => reversed({ groupSize: 0 }).resolve(domain(3)), /groupSize must be a whole number of at least 1, got 0/],
    ['no seed', () => random({} as never), /seed/],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(InvalidOptionError)
    expect(make).toThrow(message)
  })
  it('an unknown name', () => {
    expect(() => orderFromName({ name: 'sideways', options: {} })).toThrow(UnknownPieceError)
    expect(() => orderFromName({ name: 'toString', options: {} })).toThrow(UnknownPieceError)
  })
  it('a domain that is none', () => {
    for (const wrong of [{ length: 0 }, { length: 1.5 }, { length: 'any' }, { components: 0 }, { values: 1 }, { values: NaN }]) {
      expect(() => checkDomain({ length: 3, components: 1, values: 2, ...wrong } as Domain)).toThrow(InvalidOptionError)
    }
    expect(checkDomain(domain('variable'))).toEqual(domain('variable'))
  })
})
