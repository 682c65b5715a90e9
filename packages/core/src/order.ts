/**
 * The order π: which variable comes next. x_π(0), x_π(1), …: `permutation` maps rank to position, `inverse` position to rank.
 *
 * Groups: consecutive ranks may form a group, whose members are assumed conditionally independent given all earlier groups.
 * That changes p; a plain chain has groups of one.
 */
import type { Domain } from './domain.js'
import { InvalidOptionError, wholeNumber } from './errors.js'
import type { Piece } from './piece.js'

export interface Order extends Piece {
  /** Binds the order to a domain. @throws {InvalidOptionError | UnsupportedError} where it does not fit */
  resolve(domain: Domain): ResolvedOrder
}

/** An order as data. A variable length allows left-to-right only: both arrays are then empty and `isLeftToRight` is true. */
export interface ResolvedOrder {
  readonly permutation: Int32Array
  readonly inverse: Int32Array
  /** The group of each rank, from 0, never falling. Absent: a plain chain. */
  readonly groups?: Int32Array
  readonly isLeftToRight: boolean
}

/** The order that a permutation (rank → position) and groups (by rank) stand for, checked. @throws {InvalidOptionError} */
export function resolvedOrder(owner: string, permutation: Int32Array, groups?: Int32Array): ResolvedOrder {
  const inverse = new Int32Array(permutation.length).fill(-1)
  permutation.forEach((position, rank) => {
    if (position < 0 || position >= permutation.length || inverse[position] !== -1) {
      throw new InvalidOptionError(
        `${owner}: not a permutation of 0 … ${permutation.length - 1}: rank ${rank} holds ${position}${inverse[position] >= 0 ? `, as rank ${inverse[position]} does` : ''}.`,
      )
    }
    inverse[position] = rank
  })
  if (groups) {
    if (groups.length !== permutation.length) {
      throw new InvalidOptionError(`${owner}: groups has ${groups.length} entries, expected one for each of the ${permutation.length} ranks.`)
    }
    groups.forEach((group, rank) => {
      const before = rank === 0 ? 0 : groups[rank - 1]
      if (group !== before && !(rank > 0 && group === before + 1)) {
        throw new InvalidOptionError(`${owner}: groups must start at 0 and rise by at most 1 with the rank; rank ${rank} is in group ${group}, the one before in ${before}.`)
      }
    })
  }
  const isLeftToRight = permutation.every((position, rank) => position === rank)
  const isChain = groups === undefined || groups.every((group, rank) => group === rank)
  return isChain ? { permutation, inverse, isLeftToRight } : { permutation, inverse, groups, isLeftToRight }
}

/** Groups of `groupSize` consecutive ranks; undefined for groups of one. */
export function groupsOfSize(owner: string, groupSize: number, length: number): Int32Array | undefined {
  wholeNumber(owner, 'groupSize', groupSize)
  return groupSize === 1 ? undefined : Int32Array.from({ length }, (_, rank) => Math.floor(rank / groupSize))
}

/** The group of each position, in a fixed-length order; for a plain chain the rank of the position. */
export function groupOfPosition(order: ResolvedOrder): Int32Array {
  return order.groups ? order.inverse.map((rank) => order.groups![rank]) : order.inverse
}

/** Rows of `width` numbers by position, rearranged into the order in which they are generated. */
export function toGenerationOrder<A extends Float32Array | Int32Array | Uint8Array>(rows: A, width: number, order: ResolvedOrder): A {
  if (order.isLeftToRight) return rows
  const result = rows.slice() as A
  order.permutation.forEach((position, rank) => result.set(rows.subarray(position * width, (position + 1) * width), rank * width))
  return result
}

/** The inverse of `toGenerationOrder`: rows in the order of generation, put back at their positions. */
export function toPositions<A extends Float32Array | Int32Array | Uint8Array>(rows: A, width: number, order: ResolvedOrder): A {
  if (order.isLeftToRight) return rows
  const result = rows.slice() as A
  order.permutation.forEach((position, rank) => result.set(rows.subarray(rank * width, (rank + 1) * width), position * width))
  return result
}
