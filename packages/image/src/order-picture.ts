/**
 * A picture of an order: each cell has the colour of its rank, from dark blue (first) over magenta to yellow (last), and a white line goes
 * from centre to centre in the order of generation. Where the order has groups, whose cells have no order among them, there is no line.
 */
import { type Order, refuseUnknownOptions, wholeNumber } from '@chainrule/core'
import type { Image } from './image.js'
import { rampColor } from './ramp.js'
import { gridDomain } from './tokenizers/tokenizer.js'

export interface OrderPictureOptions {
  height: number
  width: number
  /** Pixels of a cell's side (16). */
  scale?: number
  /** The line from cell to cell (true). */
  path?: boolean
}

/** @throws {InvalidOptionError | UnsupportedError} where the order does not fit the grid */
export function orderPicture(order: Order, options: OrderPictureOptions): Image {
  refuseUnknownOptions('orderPicture', options, ['height', 'width', 'scale', 'path'])
  const [height, width] = [wholeNumber('orderPicture', 'height', options.height), wholeNumber('orderPicture', 'width', options.width)]
  const scale = wholeNumber('orderPicture', 'scale', options.scale ?? 16)
  const { permutation, groups } = order.resolve(gridDomain(height, width, 1, 2))
  const size = { height: height * scale, width: width * scale, channels: 3 }
  const data = new Uint8Array(size.height * size.width * 3)
  const put = (row: number, column: number, color: ArrayLike<number>) => data.set(color, (row * size.width + column) * 3)
  const last = groups ? groups[groups.length - 1] : permutation.length - 1
  permutation.forEach((position, rank) => {
    const color = rampColor(last === 0 ? 0 : (groups ? groups[rank] : rank) / last)
    const [top, left] = [Math.floor(position / width) * scale, (position % width) * scale]
    for (let row = 0; row < scale; row++) for (let column = 0; column < scale; column++) put(top + row, left + column, color)
  })
  if ((options.path ?? true) && !groups) {
    const center = (position: number) => [Math.floor(position / width), position % width].map((cell) => cell * scale + Math.floor(scale / 2))
    for (let rank = 1; rank < permutation.length; rank++) {
      const [from, to] = [center(permutation[rank - 1]), center(permutation[rank])]
      const steps = Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]))
      for (let step = 0; step <= steps; step++) put(Math.round(from[0] + ((to[0] - from[0]) * step) / steps), Math.round(from[1] + ((to[1] - from[1]) * step) / steps), [255, 255, 255])
    }
  }
  return { ...size, data }
}
