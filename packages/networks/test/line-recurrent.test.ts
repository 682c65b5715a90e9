import '@tensorflow/tfjs-backend-cpu'
import { asTensors, networkLaws } from '@chainrule/conformance'
import { columnMajor, type DiscreteDomain, InvalidOptionError, leftToRight, type Order, type ParameterArrays, random, raster, reversed, serpentine, UnsupportedError } from '@chainrule/core'
import type { Network } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { diagonalLstm, networkFromName, rowLstm, type RowLstmOptions } from '../src/index.js'
import { bindTo, columnTimes, example, grid, lstm, plus, scaled, shapes, times, wants } from './grids.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const [Y, M] = [3, 4]
const zeros = (size: number) => Array<number>(size).fill(0)
const relu = (z: number[]) => z.map((a) => Math.max(0, a))

/** h₀ by its definition, for a first kernel of 3 × 3 whose four taps are all live, of 3 rows of 4. */
function firstMap(domain: DiscreteDomain, x: Int32Array, parameters: ParameterArrays): number[][] {
  const rows = scaled(domain, x)
  return rows.map((_, p) => {
    const [y, place] = [Math.floor(p / M), p % M]
    return [[-1, -1], [-1, 0], [-1, 1], [0, -1]].reduce((sum, [down, right], tap) => {
      const isThere = y + down >= 0 && place + right >= 0 && place + right < M
      return isThere ? plus(sum, times(rows[(y + down) * M + place + right], parameters['first/weight'], tap)) : sum
    }, [...parameters['first/bias'].data])
  })
}

/** One layer as it is defined, place by place. */
const layers: Record<string, (h: number[][], parameters: (name: string) => ParameterArrays[string], H: number) => number[][]> = {
  rowLstm(h, parameter, H) {
    const states: { hidden: number[]; cell: number[] }[] = []
    const hiddenAt = (y: number, x: number) => (y >= 0 && x >= 0 && x < M ? states[y * M + x].hidden : zeros(H))
    return h.map((z, p) => {
      const [y, x] = [Math.floor(p / M), p % M]
      const input = plus(columnTimes(parameter('input/weight'), [...(x > 0 ? h[p - 1] : zeros(H)), ...z]), [...parameter('bias').data])
      const above = columnTimes(parameter('recurrent/weight'), [-1, 0, 1].flatMap((right) => hiddenAt(y - 1, x + right)))
      states.push(lstm(plus(input, above), y > 0 ? states[p - M].cell : zeros(H)))
      return plus(columnTimes(parameter('output/weight'), states[p].hidden), [...parameter('output/bias').data])
    })
  },
  diagonalLstm(h, parameter, H) {
    const sweep = (way: 'fromLeft' | 'fromRight') => {
      const states: { hidden: number[]; cell: number[] }[] = []
      const back = way === 'fromLeft' ? -1 : 1
      for (let y = 0; y < Y; y++) {
        for (let k = 0; k < M; k++) {
          const x = way === 'fromLeft' ? k : M - 1 - k
          const beside = k > 0 ? states[y * M + x + back] : { hidden: zeros(H), cell: zeros(H) }
          const above = y > 0 ? states[(y - 1) * M + x].hidden : zeros(H)
          const input = plus(times(h[y * M + x], parameter(`${way}/input/weight`)), [...parameter(`${way}/bias`).data])
          states[y * M + x] = lstm(plus(input, columnTimes(parameter(`${way}/recurrent/weight`), [...above, ...beside.hidden])), beside.cell)
        }
      }
      return states
    }
    const [fromLeft, fromRight] = [sweep('fromLeft'), sweep('fromRight')]
    return h.map((_, p) =>
      plus(times(fromLeft[p].hidden, parameter('fromLeft/output/weight')), p >= M ? times(fromRight[p - M].hidden, parameter('fromRight/output/weight')) : zeros(H), [...parameter('output/bias').data]),
    )
  },
}

describe('forward, as it is defined, place by place', () => {
  it.each([rowLstm, diagonalLstm].flatMap((make) => [1, 2].map((count) => [make.name, count, make({ layers: count, width: 4, firstKernel: 3 })] as const)))('%s, %d layers', (name, count, network) => {
    const domain = grid(Y, M, 5, 2)
    const { parameters, x, features } = example(bindTo(network, domain, raster()), domain)
    let h = firstMap(domain, x, parameters)
    for (let l = 1; l <= count; l++) h = layers[name](h, (each) => parameters[`layer${l}/${each}`], 4).map((added, p) => plus(added, h[p]))
    features.forEach((feature, p) => {
      const expected = relu(plus(times(relu(h[p]), parameters['features/weight']), [...parameters['features/bias'].data]))
      feature.forEach((value, i) => expect(Math.abs(value - expected[i]), `position ${p}`).toBeLessThan(1e-4 * Math.max(1, Math.abs(value))))
    })
  })
})

describe('the laws', () => {
  const networks = [rowLstm({ layers: 2, width: 6, firstKernel: 3 }), rowLstm({ layers: 1, width: 6, kernel: 5, input: 'embedding' }), diagonalLstm({ layers: 2, width: 6, firstKernel: 3 })]
  it.each(networks.flatMap((network) => [raster(), reversed(), columnMajor()].map((order) => [network.name, JSON.stringify(network.options), order.name, network, order] as [string, string, string, Network, Order])))('%s %s, %s', (_, __, ___, network, order) => {
    for (const [rows, columns] of shapes) networkLaws(network, { domain: grid(rows, columns), order, head: wants(3), attempts: 30 })
  })
  it('of several components and values', () => {
    for (const network of networks) networkLaws(network, { domain: grid(2, 3, 3, 2), order: raster(), head: wants(3) })
  })
})

describe('what a variable sees', () => {
  const seen = (network: Network, position: number) => bindTo(network, grid(4, 9), raster()).dependencies(position)
  it('the row LSTM: a triangle, as wide as its kernels and layers make it', () => {
    // Row 3, column 4: by U one place a line, by Z two to the left, by the first kernel one more each way.
    expect(seen(rowLstm({ layers: 1, width: 2, firstKernel: 3 }), 31)).toEqual(
      Array.from({ length: 36 }, (_, q) => q).filter((q) => {
        const [up, right] = [3 - Math.floor(q / 9), (q % 9) - 4]
        return (up === 0 && (right === -1 || right === -2)) || (up > 0 && right >= -2 - up && right <= up)
      }),
    )
  })
  it('the diagonal LSTM: with one layer everything earlier, but for the end of the line above', () => {
    for (const [position, unseen] of [[8, -1], [9, 8], [31, 26], [34, -1], [35, -1]]) {
      expect(seen(diagonalLstm({ layers: 1, width: 2, firstKernel: 3 }), position)).toEqual(Array.from({ length: position }, (_, q) => q).filter((q) => q !== unseen))
    }
  })
})

describe('options', () => {
  it('are what they were, with the defaults said; a file names the networks', () => {
    expect(rowLstm({ layers: 2, width: 4 }).options).toEqual({ layers: 2, width: 4, firstKernel: 7, kernel: 3, input: 'scaled' })
    expect(diagonalLstm({ layers: 2, width: 4 }).options).toEqual({ layers: 2, width: 4, firstKernel: 7, input: 'scaled' })
    for (const network of [rowLstm({ layers: 2, width: 4, kernel: 5 }), diagonalLstm({ layers: 1, width: 3 })]) expect(networkFromName(network).options).toEqual(network.options)
  })
  it('each changes the result', () => {
    const domain = grid(4, 4, 4)
    const featuresOf = (options: Partial<RowLstmOptions>) => JSON.stringify(example(bindTo(rowLstm({ layers: 1, width: 4, firstKernel: 3, ...options }), domain, raster()), domain).features)
    const all = [{}, { layers: 2 }, { width: 6 }, { kernel: 5 }, { firstKernel: 5 }, { input: 'embedding' }] as const
    expect(new Set(all.map(featuresOf)).size).toBe(all.length)
  })
  it.each<[string, object, RegExp]>([
    ['a name', { layers: 1, width: 4, cells: 2 }, /unknown option "cells"/],
    ['an even kernel', { layers: 1, width: 4, kernel: 2 }, /kernel must be odd/],
    ['an even first kernel', { layers: 1, width: 4, firstKernel: 6 }, /firstKernel must be odd/],
    ['a first kernel of one', { layers: 1, width: 4, firstKernel: 1 }, /firstKernel must be a whole number of at least 3, got 1/],
    ['no layer', { layers: 0, width: 4 }, /layers must be a whole number of at least 1/],
  ])('%s is refused', (_, options, message) => {
    expect(() => rowLstm(options as RowLstmOptions)).toThrow(InvalidOptionError)
    expect(() => rowLstm(options as RowLstmOptions)).toThrow(message)
    if (!('kernel' in options)) expect(() => diagonalLstm(options as RowLstmOptions)).toThrow(message)
  })
  it('diagonalLstm has no kernel', () => {
    expect(() => diagonalLstm({ layers: 1, width: 4, kernel: 3 } as never)).toThrow(/unknown option "kernel"/)
  })
  it.each([rowLstm({ layers: 1, width: 2 }), diagonalLstm({ layers: 1, width: 2 })])('other orders, other domains and a variable before the first are refused: $name', (network) => {
    for (const order of [serpentine(), random({ seed: 1 }), leftToRight({ groupSize: 2 })]) expect(() => bindTo(network, grid(3, 3), order)).toThrow(UnsupportedError)
    expect(() => bindTo(network, { length: 9, components: 1, values: 2 }, leftToRight())).toThrow(UnsupportedError)
    const bound = bindTo(network, grid(3, 3), raster())
    const before = { values: tf.zeros([1, 1], 'int32'), isStart: tf.zeros([1], 'bool') }
    expect(() => bound.forward(asTensors(bound.initialize(1)), tf.zeros([1, 9, 1], 'int32'), before)).toThrow(UnsupportedError)
  })
})
