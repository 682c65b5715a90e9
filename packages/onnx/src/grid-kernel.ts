/**
 * Which neighborhoods are a convolution on a grid: every tap reads at one offset, wherever that lies within the grid.
 *
 *   n(p,t) = p + dₜ W + rₜ for each p whose row + dₜ and column + rₜ lie in the grid, else none
 *
 * Axes: P positions, T taps, H and W rows and columns of the grid.
 */
import type { Neighborhood } from '@chainrule/core/tensors'

export interface GridKernel {
  readonly height: number
  readonly width: number
  /** [rows down, columns to the right] of each tap. */
  readonly offsets: readonly (readonly [down: number, right: number])[]
}

const found = new WeakMap<Neighborhood, { readonly kernel?: GridKernel }>()

/** The smallest rectangle of offsets with all of these and the centre in it, and how far it reaches up, left, down and right. */
export function rectangleOf(offsets: GridKernel['offsets']): { first: number[]; sizes: number[]; pads: number[] } {
  const along = [0, 1].map((axis) => offsets.map((offset) => offset[axis]))
  const first = along.map((list) => Math.min(0, ...list))
  const last = along.map((list) => Math.max(0, ...list))
  return { first, sizes: first.map((from, axis) => last[axis] - from + 1), pads: [...first.map((from) => -from), ...last] }
}

const areaOf = ({ offsets }: GridKernel) => rectangleOf(offsets).sizes.reduce((area, size) => area * size, 1)

/** The convolution that a neighborhood is, the most compact one where grids of several widths have it; undefined where it is none. */
export function gridKernelOf(neighbors: Neighborhood): GridKernel | undefined {
  const known = found.get(neighbors)
  if (known) return known.kernel
  const { reads, readBy, taps } = neighbors
  const P = reads.length / taps
  const widths = readBy.length === reads.length ? Array.from({ length: P }, (_, i) => i + 1).filter((width) => P % width === 0) : []
  const kernels = widths.flatMap((width) => kernelOfWidth(neighbors, P / width, width) ?? [])
  const kernel = kernels.length > 0 ? kernels.reduce((best, each) => (areaOf(each) < areaOf(best) ? each : best)) : undefined
  found.set(neighbors, { kernel })
  return kernel
}

function kernelOfWidth({ reads, taps }: Neighborhood, height: number, width: number): GridKernel | undefined {
  const isTapOf = (tap: number, down: number, right: number) => {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const [there, across] = [row + down, column + right]
        const expected = there >= 0 && there < height && across >= 0 && across < width ? there * width + across : -1
        if (reads[(row * width + column) * taps + tap] !== expected) return false
      }
    }
    return true
  }
  const offsets: (readonly [number, number])[] = []
  for (let tap = 0; tap < taps; tap++) {
    const reader = Array.from({ length: height * width }, (_, p) => p).find((p) => reads[p * taps + tap] >= 0)
    if (reader === undefined) return undefined
    const source = reads[reader * taps + tap]
    const [down, right] = [Math.floor(source / width) - Math.floor(reader / width), (source % width) - (reader % width)]
    if (!isTapOf(tap, down, right)) return undefined
    offsets.push([down, right])
  }
  return { height, width, offsets }
}
