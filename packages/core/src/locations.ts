/**
 * Where variables stand, along axes that have names: rows and columns of pixels or of patches, time, … Plain data, part of the domain.
 */
import type { Domain } from './domain.js'
import { InvalidOptionError, UnsupportedError } from './errors.js'

/** Either a grid, whose cells are the positions with the last axis fastest, or one point for each position. */
export type Locations =
  | {
      readonly axes: readonly string[]
      /** Cells along each axis; their product is the length. */
      readonly shape: readonly number[]
    }
  | {
      readonly axes: readonly string[]
      /** For each position one number on each axis. */
      readonly points: readonly (readonly number[])[]
    }

/** Checks the locations of a domain of this length. @throws {InvalidOptionError} */
export function checkLocations(locations: Locations, length: Domain['length']): void {
  const fail = (what: string): never => {
    throw new InvalidOptionError(`domain: locations: ${what}.`)
  }
  if (length === 'variable') fail('they belong to a fixed length, this one is variable. Leave them out')
  if (typeof locations !== 'object' || locations === null) fail(`expected axes with a shape or points, got ${String(locations)}`)
  const { axes } = locations
  if (!Array.isArray(axes) || axes.length === 0 || new Set(axes).size < axes.length || !axes.every((axis) => typeof axis === 'string' && axis !== '')) {
    fail(`axes must be a list of different names, got ${JSON.stringify(axes)}`)
  }
  const isOnePerAxis = (list: unknown, test: (entry: unknown) => boolean) => Array.isArray(list) && list.length === axes.length && list.every(test)
  if ('shape' in locations === 'points' in locations) fail('expected either a shape or points')
  if ('shape' in locations) {
    const { shape } = locations
    if (!isOnePerAxis(shape, (cells) => Number.isSafeInteger(cells) && (cells as number) > 0)) fail(`shape must hold a whole number of at least 1 for each of the axes ${axes.join(', ')}, got ${JSON.stringify(shape)}`)
    const cells = shape.reduce((product, cells) => product * cells, 1)
    if (cells !== length) fail(`a grid of ${shape.join(' × ')} has ${cells} cells, the domain ${length} variables`)
  } else {
    const { points } = locations
    if (!Array.isArray(points) || points.length !== length) fail(`expected a point for each of the ${length} variables, got ${Array.isArray(points) ? points.length : String(points)}`)
    points.forEach((point, position) => {
      if (!isOnePerAxis(point, Number.isFinite)) fail(`point ${position} must hold a number for each of the axes ${axes.join(', ')}, got ${JSON.stringify(point)}`)
    })
  }
}

export interface Grid {
  readonly height: number
  readonly width: number
}

/** The grid of rows and columns on which the variables of a domain stand. @throws {UnsupportedError} where they stand on none */
export function gridOf({ locations }: Domain, owner: string): Grid {
  const isGrid = locations !== undefined && 'shape' in locations && locations.axes.length === 2 && locations.axes[0] === 'row' && locations.axes[1] === 'column'
  if (!isGrid) {
    const have = locations === undefined ? 'this domain has no locations' : `this domain's have ${'shape' in locations ? 'a grid' : 'points'} along ${locations.axes.join(', ')}`
    throw new UnsupportedError(`${owner}: needs variables on a grid with the axes row, column; ${have}. Give the domain a grid of locations, as the tokenizers of images do, or use an order or a network that needs none.`)
  }
  const [height, width] = locations.shape
  return { height, width }
}
