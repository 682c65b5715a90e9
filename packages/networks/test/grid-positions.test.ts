import '@tensorflow/tfjs-backend-cpu'
import { asTensors, networkLaws, shaken } from '@chainrule/conformance'
import { columnMajor, leftToRight, random, raster, UnsupportedError } from '@chainrule/core'
import { categorical } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { networkFromName, transformer } from '../src/index.js'
import { bindTo, grid, shapes } from './grids.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const network = transformer({ layers: 1, heads: 2, width: 8, context: 30, positions: 'learned2d' })

describe('a transformer with positions on a grid', () => {
  it.each([raster(), columnMajor(), random({ seed: 3 })])('obeys the laws: $name', (order) => {
    for (const [rows, columns] of shapes) networkLaws(network, { domain: grid(rows, columns), order, head: categorical() })
  })
  it('speaks of each variable with the vectors of its row and column, and of those of the one before, in any order', () => {
    const domain = grid(3, 4)
    const order = random({ seed: 5 })
    const { permutation } = order.resolve(domain)
    const bound = bindTo(network, domain, order)
    const parameters = shaken(bound.initialize(1), 1)
    const x = tf.zeros([1, 12, 1], 'int32')
    const features = (changed = parameters) => tf.tidy(() => Array.from(bound.forward(asTensors(changed), x).dataSync()))
    const original = features()
    /** The first rank whose features change with one vector of a table. */
    const firstChanged = (name: string, row: number) => {
      const { shape, data } = parameters[name]
      const other = features({ ...parameters, [name]: { shape, data: data.map((value, i) => (Math.floor(i / 8) === row ? value + 1 + (i % 3) : value)) } })
      return [...permutation].findIndex((p) => other.slice(p * 8, p * 8 + 8).some((value, i) => value !== original[p * 8 + i]))
    }
    const before = permutation.map((_, rank) => permutation[Math.max(0, rank - 1)])
    for (let row = 0; row < 3; row++) {
      expect(firstChanged('rows', row)).toBe(permutation.findIndex((p) => Math.floor(p / 4) === row))
      expect(firstChanged('rowsBefore', row)).toBe(before.findIndex((p) => Math.floor(p / 4) === row))
    }
    for (let column = 0; column < 4; column++) {
      expect(firstChanged('columns', column)).toBe(permutation.findIndex((p) => p % 4 === column))
      expect(firstChanged('columnsBefore', column)).toBe(before.findIndex((p) => p % 4 === column))
    }
  })
  it('ends where the grid does, is named by a file, and needs a grid', () => {
    expect(bindTo(network, grid(3, 4), raster()).longest).toBe(12)
    expect(networkFromName(network).options).toEqual(network.options)
    expect(() => bindTo(network, { length: 12, components: 1, values: 2 }, leftToRight())).toThrow(UnsupportedError)
    expect(() => bindTo(network, { length: 'variable', components: 1, values: 2 }, leftToRight())).toThrow(UnsupportedError)
  })
})
