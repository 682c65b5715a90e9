/**
 * Orders that go over a grid line by line, every line in the same direction: the raster, the reversed one, columns in place of rows, and
 * their mirror images, eight in all. By rank such a grid is always the same: lines, one after the other, each from its first place to
 * its last. So a network made for lines reads x in the order of generation and needs no other case.
 */
import { type Domain, type Grid, gridOf, type ResolvedOrder, UnsupportedError } from '@chainrule/core'

/** The order of ranks themselves. */
export function byRank(length: number): ResolvedOrder {
  const ranks = Int32Array.from({ length }, (_, rank) => rank)
  return { permutation: ranks, inverse: ranks, isLeftToRight: true }
}

/**
 * The grid by rank: as many rows as there are lines, as wide as a line.
 * @throws {UnsupportedError} for other orders, and for groups
 */
export function linesOf(owner: string, domain: Domain, order: ResolvedOrder): Grid {
  const grid = gridOf(domain, owner)
  const { height, width } = grid
  const fits = (lines: Grid, position: (line: number, place: number) => number) => order.permutation.every((at, rank) => at === position(Math.floor(rank / lines.width), rank % lines.width))
  const directions = (steps: number) => [(at: number) => at, (at: number) => steps - 1 - at]
  for (const row of directions(height)) {
    for (const column of directions(width)) {
      if (order.groups) break
      if (fits(grid, (line, place) => row(line) * width + column(place))) return grid
      const turned = { height: width, width: height }
      if (fits(turned, (line, place) => row(place) * width + column(line))) return turned
    }
  }
  throw new UnsupportedError(`${owner}: needs an order that goes line by line, every line in the same direction, without groups, such as raster(), columnMajor() or reversed(). For other orders use maskedConvolution({ kind: 'plain' }).`)
}
