/** Which pixels each variable stands for: the variables are the cells of a grid that is laid over the image. */
import { gridOf } from '@chainrule/core'
import type { ImageTokenizer } from './tokenizers/index.js'

/** For each position the indices of its pixels, row by row of the image: row · width + column. */
export function pixelsOfVariables({ domain, height, width }: ImageTokenizer): Int32Array[] {
  const { height: rows, width: columns } = gridOf(domain, 'image')
  const [cellHeight, cellWidth] = [height / rows, width / columns]
  return Array.from({ length: rows * columns }, (_, position) => {
    const [top, left] = [Math.floor(position / columns) * cellHeight, (position % columns) * cellWidth]
    return Int32Array.from({ length: cellHeight * cellWidth }, (_, i) => (top + Math.floor(i / cellWidth)) * width + left + (i % cellWidth))
  })
}
