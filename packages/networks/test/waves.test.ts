/** Waves of masked convolutions and row LSTMs: the schedules that geometry asks for, the laws in any order, and schedules that are wrong on purpose. */
import '@tensorflow/tfjs-backend-cpu'
import { LawViolation, waveLaws } from '@chainrule/conformance'
import { checkerboard, columnMajor, type Domain, hilbert, leftToRight, type Order, random, raster, reversed, serpentine } from '@chainrule/core'
import { bernoulli, planSampling } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { diagonalLstm, maskedConvolution, type MaskedConvolutionOptions, multilayerPerceptron, rowLstm, type RowLstmOptions } from '../src/index.js'

const [rows, columns] = [5, 6]
const domain: Domain = { length: rows * columns, components: 1, values: 2, locations: { axes: ['row', 'column'], shape: [rows, columns] } }
const bound = (options: MaskedConvolutionOptions, order: Order) => maskedConvolution(options).bind({ domain, order: order.resolve(domain), parametersPerVariable: bernoulli().parametersPerVariable(domain) })
const lawOptions = (order: Order) => ({ law: 'waves', domain, order: order.resolve(domain), seed: 1, tolerance: 1e-5 })

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('waves of masked convolutions', () => {
  it.each([
    [3, 2],
    [5, 3],
    [7, 4],
  ])('in raster order with a first kernel of %i: column + %i · row', (firstKernel, slope) => {
    const { waves } = bound({ layers: 2, width: 4, firstKernel }, raster()).waves!()
    expect([...waves.waveOf]).toEqual(Array.from({ length: rows * columns }, (_, p) => (p % columns) + slope * Math.floor(p / columns)))
    expect(waves.count).toBe(columns + slope * (rows - 1))
  })

  const settings: [string, MaskedConvolutionOptions, Order][] = [
    ['raster, residual relu', { layers: 2, width: 4, firstKernel: 3 }, raster()],
    ['raster, a wide first kernel', { layers: 2, width: 4, firstKernel: 7 }, raster()],
    ['no layer after the first', { layers: 0, width: 3, firstKernel: 3 }, raster()],
    ['reversed, gated, embedding', { layers: 1, width: 4, firstKernel: 3, activation: 'gated', input: 'embedding' }, reversed()],
    ['serpentine, bottleneck', { layers: 2, width: 4, firstKernel: 3, activation: 'elu', bottleneck: true }, serpentine()],
    ['Hilbert', { layers: 1, width: 4, firstKernel: 3 }, hilbert()],
    ['a random order', { layers: 1, width: 4, firstKernel: 3 }, random({ seed: 3 })],
    ['a checkerboard in groups', { layers: 2, width: 4, firstKernel: 3 }, checkerboard({ groups: true })],
    ['groups of consecutive ranks', { layers: 1, width: 4, firstKernel: 5 }, random({ seed: 4, groupSize: 4 })],
  ]
  it.each(settings)('obey the laws: %s', (_, options, order) => {
    const network = bound(options, order)
    waveLaws(network, network.waves!(), lawOptions(order))
  })

  it('both stacks: each layer of the vertical one reaches a place further to the right of the line above', () => {
    const { waves } = bound({ layers: 2, width: 4, firstKernel: 3, kind: 'gated' }, raster()).waves!()
    expect([...waves.waveOf].slice(0, columns)).toEqual([0, 1, 2, 3, 4, 5])
    expect(waves.waveOf[columns]).toBe(1 + waves.waveOf[1 + 2])
    expect(waves.count).toBe(columns + 4 * (rows - 1))
  })

  it.each([
    ['raster', raster()],
    ['reversed', reversed()],
    ['column by column', columnMajor()],
  ])('both stacks obey the laws: %s', (_, order) => {
    for (const options of [{ layers: 2, width: 4, firstKernel: 3 }, { layers: 0, width: 3 }, { layers: 3, width: 3, firstKernel: 3, kernel: 1 }, { layers: 1, width: 3, kernel: 5 }]) {
      const network = bound({ ...options, kind: 'gated' }, order)
      waveLaws(network, network.waves!(), lawOptions(order))
    }
  })

  it('two groups of a checkerboard are two waves', () => {
    expect(bound({ layers: 2, width: 4, firstKernel: 3 }, checkerboard({ groups: true })).waves!().waves.count).toBe(2)
  })

  it('the laws find a schedule that is too early, one that is too late, and places that are off by one', () => {
    const network = bound({ layers: 1, width: 4, firstKernel: 3 }, raster())
    const steps = network.waves!()
    const withWaves = (slope: number) => {
      const waveOf = Int32Array.from({ length: rows * columns }, (_, p) => (p % columns) + slope * Math.floor(p / columns))
      return { ...steps, waves: { ...steps.waves, waveOf, slotOf: waveOf.map((_, p) => Math.floor(p / columns)), widest: rows, count: columns + slope * (rows - 1) } }
    }
    const run = (changed: typeof steps) => () => waveLaws(network, changed, lawOptions(raster()))
    // column + row: what stands above and to the right would be drawn at the same time as what depends on it.
    expect(run(withWaves(1))).toThrow(/depends on 1, which is drawn in wave 1/)
    expect(run(withWaves(3))).toThrow(/there are 18, 14 would do/)
  })

  it.each([
    ['one stack', maskedConvolution({ layers: 1, width: 4, firstKernel: 3 }), ['rows0', 'rows1']],
    ['two stacks', maskedConvolution({ layers: 1, width: 4, firstKernel: 3, kind: 'gated' }), ['vertical0', 'across0', 'horizontal0', 'vertical1', 'across1', 'horizontal1']],
    ['a row LSTM', rowLstm({ layers: 1, width: 4, firstKernel: 3 }), ['rows', 'layer1/inputs', 'layer1/carried']],
  ])('the laws find any places that are off by one: %s', (_, { bind }, names) => {
    const network = bind({ domain, order: raster().resolve(domain), parametersPerVariable: 1 })
    const steps = network.waves!()
    expect(Object.keys(steps.places)).toEqual(names)
    for (const name of names) {
      const indices = steps.places[name].indices.map((index) => (index > 1 ? index - 1 : index))
      expect(() => waveLaws(network, { ...steps, places: { ...steps.places, [name]: { ...steps.places[name], indices } } }, lawOptions(raster())), name).toThrow(LawViolation)
    }
  })
})

describe('waves of the row LSTM', () => {
  const bind = (options: RowLstmOptions, order: Order) => rowLstm(options).bind({ domain, order: order.resolve(domain), parametersPerVariable: 1 })

  it.each([
    ['raster', { layers: 2, width: 4, firstKernel: 3 }, raster()],
    ['reversed, a wide first kernel', { layers: 1, width: 3, firstKernel: 7 }, reversed()],
    ['column by column, wide kernels', { layers: 2, width: 3, firstKernel: 5, kernel: 5, input: 'embedding' }, columnMajor()],
    ['a kernel of one place', { layers: 1, width: 3, firstKernel: 3, kernel: 1 }, raster()],
  ] as [string, RowLstmOptions, Order][])('obey the laws: %s', (_, options, order) => {
    const network = bind(options, order)
    waveLaws(network, network.waves!(), lawOptions(order))
  })

  it('there are none where a layer reads more of the line above than the first kernel, nor where a line depends on all of the one above', () => {
    expect(bind({ layers: 1, width: 4, firstKernel: 3, kernel: 5 }, raster()).waves).toBeUndefined()
    expect(diagonalLstm({ layers: 1, width: 4 }).bind({ domain, order: raster().resolve(domain), parametersPerVariable: 1 }).waves).toBeUndefined()
  })
})

describe('the plan', () => {
  const plan = (network: Parameters<typeof planSampling>[0]['network'], order: Order, within = domain) =>
    planSampling({ domain: within, network, boundNetwork: network.bind({ domain: within, order: order.resolve(within), parametersPerVariable: 1 }) })

  it('takes waves where they are wide enough, and says why', () => {
    const { steps, reason } = plan(maskedConvolution({ layers: 1, width: 4, firstKernel: 3 }), raster())
    expect(steps?.waves.count).toBe(14)
    expect(reason).toBe('waves: 14 in place of 30 steps, up to 3 variables that do not depend on each other at once')
    // One row only: each pixel depends on the one before.
    const line: Domain = { length: 6, components: 1, values: 2, locations: { axes: ['row', 'column'], shape: [1, 6] } }
    expect(plan(maskedConvolution({ layers: 1, width: 4, firstKernel: 3 }), raster(), line)).toEqual({ reason: 'one variable after the other: what depends on what leaves 6 waves for 6 variables, fewer than two in each' })
    expect(plan(multilayerPerceptron({ hidden: [4] }), leftToRight())).toEqual({ reason: 'one variable after the other: multilayerPerceptron carries a state from each variable to the next' })
  })
})
