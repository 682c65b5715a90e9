/**
 * The Hilbert curve for a grid of any size: cells that are near in the order are near in the picture, and every step goes to a
 * neighbour. After Červený's generalisation ("gilbert"): a block is walked from one corner to the other end of its side a, by
 *
 *   two halves along a, where it is long;   else three parts: up b on one side, along a above, back down on the other side.
 *
 * Cut lengths are made even where they can be, which keeps every step straight, provided that a is even or a and b are both odd: hence
 * the choice of the first a. (Always walking along the longer side would need one diagonal step where it is odd and the other even.)
 */
import { refuseUnknownOptions } from '../errors.js'
import type { Order } from '../order.js'
import { type Cell, gridOrder } from './grid-order.js'

export function hilbert(options: Record<never, never> = {}): Order {
  refuseUnknownOptions('hilbert', options, [])
  return gridOrder('hilbert', {}, ({ height, width }) => {
    const isAlongRow = width % 2 === height % 2 ? width >= height : width % 2 === 0
    const [row, column] = [{ direction: [1, 0] as const, length: height }, { direction: [0, 1] as const, length: width }]
    return isAlongRow ? walk([0, 0], column, row) : walk([0, 0], row, column)
  })
}

interface Side {
  /** One step: [rows, columns]. */
  readonly direction: Cell
  /** Cells. */
  readonly length: number
}

const stepped = ([row, column]: Cell, { direction }: Side, steps: number): Cell => [row + direction[0] * steps, column + direction[1] * steps]
const shortened = ({ direction }: Side, length: number): Side => ({ direction, length })
const turned = ({ direction, length }: Side): Side => ({ direction: [-direction[0], -direction[1]], length })

/** Half of a length, rounded to an even number where there is one. */
function evenHalf(length: number): number {
  const half = Math.floor(length / 2)
  return half % 2 === 1 && length > 2 ? half + 1 : half
}

/** The cells of a block that has `corner` and the sides a and b, from the corner to the last cell of a (of b, where a is one cell). */
function* walk(corner: Cell, a: Side, b: Side): Generator<Cell> {
  if (a.length === 1 || b.length === 1) {
    const line = b.length === 1 ? a : b
    for (let i = 0; i < line.length; i++) yield stepped(corner, line, i)
  } else if (2 * a.length > 3 * b.length) {
    const half = evenHalf(a.length)
    yield* walk(corner, shortened(a, half), b)
    yield* walk(stepped(corner, a, half), shortened(a, a.length - half), b)
  } else {
    const [half, up] = [Math.floor(a.length / 2), evenHalf(b.length)]
    yield* walk(corner, shortened(b, up), shortened(a, half))
    yield* walk(stepped(corner, b, up), a, shortened(b, b.length - up))
    yield* walk(stepped(stepped(corner, a, a.length - 1), b, up - 1), turned(shortened(b, up)), turned(shortened(a, a.length - half)))
  }
}
