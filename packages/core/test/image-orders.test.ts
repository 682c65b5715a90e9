import { describe, expect, it } from 'vitest'
import {
  checkDomain,
  checkerboard,
  columnMajor,
  diagonal,
  type Domain,
  groupOfPosition,
  hilbert,
  InvalidOptionError,
  type Locations,
  morton,
  type Order,
  orderFromName,
  raster,
  serpentine,
  spiral,
  UnsupportedError,
} from '../src/index.js'

const grid = (height: number, width: number): Domain => ({ length: height * width, components: 1, values: 2, locations: { axes: ['row', 'column'], shape: [height, width] } })
const orders = (): Order[] => [raster(), columnMajor(), serpentine(), diagonal(), spiral(), spiral({ from: 'center' }), hilbert(), morton(), checkerboard(), checkerboard({ groups: true })]

/** Every size up to 13 × 13 (1 × n, odd, prime), and some larger ones. */
const sizes = [...Array.from({ length: 13 * 13 }, (_, i) => [1 + (i % 13), 1 + Math.floor(i / 13)]), [28, 28], [1, 50], [50, 1], [17, 40], [40, 17], [31, 64], [33, 2], [2, 33]]

/** The largest of |Δrow|, |Δcolumn| over all steps, and of their sum. */
function longestSteps(order: Order, height: number, width: number): { diagonal: number; straight: number } {
  const { permutation } = order.resolve(grid(height, width))
  let [diagonal, straight] = [0, 0]
  for (let rank = 1; rank < permutation.length; rank++) {
    const rows = Math.abs(Math.floor(permutation[rank] / width) - Math.floor(permutation[rank - 1] / width))
    const columns = Math.abs((permutation[rank] % width) - (permutation[rank - 1] % width))
    diagonal = Math.max(diagonal, rows, columns)
    straight = Math.max(straight, rows + columns)
  }
  return { diagonal, straight }
}

describe('every image order, on every size', () => {
  it.each(orders().map((order): [string, Order] => [`${order.name} ${JSON.stringify(order.options)}`, order]))('%s', (_, order) => {
    for (const [height, width] of sizes) {
      const resolved = order.resolve(grid(height, width))
      expect([...resolved.permutation].sort((a, b) => a - b)).toEqual(Array.from({ length: height * width }, (_, i) => i))
      resolved.permutation.forEach((position, rank) => expect(resolved.inverse[position]).toBe(rank))
      expect(resolved.isLeftToRight).toBe(resolved.permutation.every((position, rank) => position === rank))
      expect(orderFromName(JSON.parse(JSON.stringify({ name: order.name, options: order.options }))).resolve(grid(height, width))).toEqual(resolved)
    }
  })
})

describe('neighbours', () => {
  it('follow each other: serpentine, spiral, Hilbert; diagonally: diagonal', () => {
    for (const [height, width] of sizes) {
      if (height * width === 1) continue
      for (const order of [serpentine(), spiral(), spiral({ from: 'center' }), hilbert()]) expect(longestSteps(order, height, width).straight, `${order.name} ${height}×${width}`).toBe(1)
      expect(longestSteps(diagonal(), height, width).diagonal, `diagonal ${height}×${width}`).toBe(1)
    }
  })
  it('are near each other by Hilbert: blocks of 4 × 4 are filled one after the other', () => {
    const { permutation } = hilbert().resolve(grid(16, 16))
    for (let block = 0; block < 16; block++) {
      const cells = permutation.subarray(16 * block, 16 * (block + 1))
      expect(new Set([...cells].map((position) => `${Math.floor(position / 64)} ${(position % 16) >> 2}`)).size).toBe(1)
    }
  })
})

describe('the library', () => {
  const ranks = (order: Order, height: number, width: number) => {
    const { inverse } = order.resolve(grid(height, width))
    return Array.from({ length: height }, (_, row) => [...inverse.subarray(row * width, (row + 1) * width)])
  }
  it('says what its names say', () => {
    expect(ranks(raster(), 2, 3)).toEqual([[0, 1, 2], [3, 4, 5]])
    expect(ranks(columnMajor(), 2, 3)).toEqual([[0, 2, 4], [1, 3, 5]])
    expect(ranks(serpentine(), 2, 3)).toEqual([[0, 1, 2], [5, 4, 3]])
    expect(ranks(diagonal(), 3, 3)).toEqual([[0, 1, 5], [2, 4, 6], [3, 7, 8]])
    expect(ranks(spiral(), 3, 3)).toEqual([[0, 1, 2], [7, 8, 3], [6, 5, 4]])
    expect(ranks(spiral({ from: 'center' }), 3, 3)).toEqual([[8, 7, 6], [1, 0, 5], [2, 3, 4]])
    expect(ranks(hilbert(), 4, 4)).toEqual([[0, 1, 14, 15], [3, 2, 13, 12], [4, 7, 8, 11], [5, 6, 9, 10]])
    expect(ranks(morton(), 4, 3)).toEqual([[0, 1, 4], [2, 3, 5], [6, 7, 10], [8, 9, 11]])
    expect(ranks(checkerboard(), 2, 3)).toEqual([[0, 3, 1], [4, 2, 5]])
  })
  it('a checkerboard is a plain chain, or two groups', () => {
    expect(checkerboard().resolve(grid(3, 3)).groups).toBeUndefined()
    expect([...groupOfPosition(checkerboard({ groups: true }).resolve(grid(3, 3)))]).toEqual([0, 1, 0, 1, 0, 1, 0, 1, 0])
  })
  it('needs a grid of rows and columns', () => {
    const others: Domain[] = [
      { length: 4, components: 1, values: 2 },
      { length: 4, components: 1, values: 2, locations: { axes: ['time'], shape: [4] } },
      { length: 2, components: 1, values: 2, locations: { axes: ['row', 'column'], points: [[0, 0], [0.5, 2]] } },
      { length: 'variable', components: 1, values: 2 },
    ]
    for (const order of orders()) for (const domain of others) expect(() => order.resolve(checkDomain(domain))).toThrow(UnsupportedError)
    expect(() => hilbert().resolve(others[1])).toThrow(/this domain's have a grid along time. Give the domain a grid/)
  })
  it('refuses options that it does not know', () => {
    for (const make of [raster, columnMajor, serpentine, diagonal, spiral, hilbert, morton, checkerboard]) expect(() => make({ size: 2 } as never)).toThrow(InvalidOptionError)
    expect(() => spiral({ from: 'top' as never })).toThrow(/'edge' or 'center', got "top"/)
    expect(() => checkerboard({ groups: 1 as never })).toThrow(/groups must be true or false/)
  })
})

describe('locations', () => {
  const domain = (locations: unknown, length: number | 'variable' = 4): Domain => ({ length, components: 1, values: 2, locations: locations as Locations })
  it('are a grid or points', () => {
    for (const locations of [{ axes: ['row', 'column'], shape: [2, 2] }, { axes: ['time'], shape: [4] }, { axes: ['time', 'pitch'], points: [[0, 1], [0, 2.5], [1, -1], [3, 0]] }]) {
      expect(checkDomain(domain(locations))).toEqual(domain(locations))
    }
  })
  it.each<[string, Domain, RegExp]>([
    ['a variable length', domain({ axes: ['time'], shape: [4] }, 'variable'), /belong to a fixed length/],
    ['nothing', domain(null), /expected axes with a shape or points/],
    ['no axes', domain({ shape: [4] }), /axes must be a list of different names, got undefined/],
    ['an axis twice', domain({ axes: ['row', 'row'], shape: [2, 2] }), /different names/],
    ['neither', domain({ axes: ['time'] }), /either a shape or points/],
    ['both', domain({ axes: ['time'], shape: [4], points: [[0], [1], [2], [3]] }), /either a shape or points/],
    ['a shape of another length', domain({ axes: ['row', 'column'], shape: [2, 3] }), /a grid of 2 × 3 has 6 cells, the domain 4 variables/],
    ['a shape of other axes', domain({ axes: ['row', 'column'], shape: [4] }), /for each of the axes row, column, got \[4\]/],
    ['a fraction', domain({ axes: ['row', 'column'], shape: [8, 0.5] }), /got \[8,0.5\]/],
    ['too few points', domain({ axes: ['time'], points: [[0]] }), /a point for each of the 4 variables, got 1/],
    ['a point of other axes', domain({ axes: ['time'], points: [[0], [1], [2, 3], [4]] }), /point 2 must hold a number for each of the axes time, got \[2,3\]/],
    ['a point that is none', domain({ axes: ['time'], points: [[0], [1], [2], [NaN]] }), /point 3/],
  ])('refuses %s', (_, domain, message) => {
    expect(() => checkDomain(domain)).toThrow(InvalidOptionError)
    expect(() => checkDomain(domain)).toThrow(message)
  })
})
