import '@tensorflow/tfjs-backend-cpu'
import { asTensors, networkLaws, randomValues, shaken } from '@chainrule/conformance'
import { checkerboard, columnMajor, custom, type DiscreteDomain, groupOfPosition, hilbert, InvalidOptionError, leftToRight, type Order, type ParameterArrays, random, raster, reversed, serpentine, UnsupportedError } from '@chainrule/core'
import { bernoulli, createModel, negativeLogLikelihood } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { maskedConvolution, type MaskedConvolutionOptions, networkFromName } from '../src/index.js'
import { bindTo, example, gate, grid, plus, scaled, shapes, times, wants } from './grids.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

type Read = (position: number, neighbor: number) => boolean

/** Masked convolution by its definition: for each position, each offset of the kernel in turn. Offsets that nobody reads have no weight. */
function convolve(map: number[][], [rows, columns]: [number, number], kernel: number, mayRead: Read, parameters: ParameterArrays, name: string, keep = (_down: number, _right: number) => true): number[][] {
  const reach = (kernel - 1) / 2
  const result = map.map(() => [...parameters[`${name}/bias`].data])
  let tap = 0
  for (let down = -reach; down <= reach; down++) {
    for (let right = -reach; right <= reach; right++) {
      if (!keep(down, right)) continue
      const pairs = map.flatMap((_, p) => {
        const [row, column] = [Math.floor(p / columns) + down, (p % columns) + right]
        const q = row * columns + column
        return row >= 0 && row < rows && column >= 0 && column < columns && mayRead(p, q) ? [[p, q]] : []
      })
      for (const [p, q] of pairs) result[p] = plus(result[p], times(map[q], parameters[`${name}/weight`], tap))
      if (pairs.length > 0) tap++
    }
  }
  return result
}

describe('plain: as it is defined, position by position', () => {
  const orders = [raster(), random({ seed: 3 }), random({ seed: 4, groupSize: 2 }), serpentine()]
  const settings: [string, MaskedConvolutionOptions][] = [
    ['relu', { layers: 2, width: 4, firstKernel: 5 }],
    ['gated', { layers: 1, width: 4, kernel: 5, firstKernel: 3, activation: 'gated' }],
    ['bottleneck', { layers: 2, width: 4, firstKernel: 3, activation: 'elu', bottleneck: true }],
  ]
  it.each(settings.flatMap(([title, options]) => orders.map((order) => [title, order.name, options, order] as const)))('%s, %s', (_, __, options, order) => {
    const domain = grid(4, 3, 5, 2)
    const { parameters, x, features } = example(bindTo(maskedConvolution(options), domain, order), domain)
    const { inverse } = order.resolve(domain)
    const group = groupOfPosition(order.resolve(domain))
    const { kernel = 3, firstKernel = 7, activation = 'relu', bottleneck } = options
    const activate = (z: number[]) => (activation === 'gated' ? gate(z) : z.map((a) => (a > 0 ? a : activation === 'elu' ? Math.expm1(a) : 0)))
    let h = convolve(scaled(domain, x), [4, 3], firstKernel, (p, q) => group[q] < group[p], parameters, 'layer0').map(activate)
    for (let l = 1; l <= options.layers; l++) {
      const product = (z: number[], name: string) => plus(times(z, parameters[`layer${l}/${name}/weight`]), [...parameters[`layer${l}/${name}/bias`].data])
      const inner = bottleneck ? h.map((z) => activate(product(z, 'narrow'))) : h
      const added = convolve(inner, [4, 3], kernel, (p, q) => inverse[q] <= inverse[p], parameters, `layer${l}`).map(activate)
      h = h.map((z, p) => plus(z, bottleneck ? product(added[p], 'wide') : added[p]))
    }
    features.forEach((feature, p) => feature.forEach((value, i) => expect(Math.abs(value - h[p][i]), `position ${p}`).toBeLessThan(1e-4 * Math.max(1, Math.abs(value)))))
  })
})

describe('gated: as it is defined, position by position', () => {
  it.each([[2, 3, 3], [1, 3, 5], [1, 5, 3]])('%d layers, kernels of %d after %d', (layers, kernel, firstKernel) => {
    const domain = grid(4, 5, 3)
    const { parameters, x, features } = example(bindTo(maskedConvolution({ layers, width: 4, kernel, firstKernel, kind: 'gated' }), domain, raster()), domain)
    const all: Read = () => true
    let [v, h] = [scaled(domain, x), scaled(domain, x)]
    let skip = v.map(() => [...parameters['skip/bias'].data])
    for (let l = 0; l <= layers; l++) {
      const side = l === 0 ? firstKernel : kernel
      const down = convolve(v, [4, 5], side, all, parameters, `vertical${l}`, (down) => (l === 0 ? down < 0 : down <= 0))
      const along = convolve(h, [4, 5], side, all, parameters, `horizontal${l}`, (down, right) => down === 0 && (l === 0 ? right < 0 : right <= 0))
      const value = along.map((z, p) => gate(plus(z, times(down[p], parameters[`across${l}/weight`]))))
      skip = skip.map((z, p) => plus(z, times(value[p], parameters[`skip${l}/weight`])))
      if (l < layers) {
        const out = value.map((z) => plus(times(z, parameters[`out${l}/weight`]), [...parameters[`out${l}/bias`].data]))
        h = l === 0 ? out : h.map((z, p) => plus(z, out[p]))
      }
      v = down.map(gate)
    }
    const relu = (z: number[]) => z.map((a) => Math.max(0, a))
    features.forEach((feature, p) => {
      const expected = relu(plus(times(relu(skip[p]), parameters['features/weight']), [...parameters['features/bias'].data]))
      feature.forEach((value, i) => expect(Math.abs(value - expected[i]), `position ${p}`).toBeLessThan(1e-4 * Math.max(1, Math.abs(value))))
    })
  })
})

describe('the laws', () => {
  const plain = [{ layers: 2, width: 8, firstKernel: 3 }, { layers: 1, width: 8, firstKernel: 5, kernel: 5, activation: 'gated', input: 'embedding' }, { layers: 0, width: 8 }] as const
  const anyOrder: Order[] = [raster(), random({ seed: 3 }), random({ seed: 4, groupSize: 3 }), checkerboard(), hilbert()]
  it.each(anyOrder.flatMap((order) => plain.map((options) => [order.name, JSON.stringify(order.options), options, order] as const)))('plain, %s %s, %j', (_, __, options, order) => {
    for (const [rows, columns] of shapes) networkLaws(maskedConvolution(options), { domain: grid(rows, columns), order, head: wants(3), attempts: 30 })
  })
  const gated = [{ layers: 2, width: 6, firstKernel: 3 }, { layers: 0, width: 6, firstKernel: 5 }, { layers: 1, width: 6, kernel: 5, input: 'embedding' }] as const
  it.each([raster(), reversed(), columnMajor()].flatMap((order) => gated.map((options) => [order.name, options, order] as const)))('gated, %s, %j', (_, options, order) => {
    for (const [rows, columns] of shapes) networkLaws(maskedConvolution({ ...options, kind: 'gated' }), { domain: grid(rows, columns), order, head: wants(3), attempts: 30 })
  })
  it('of several components and values', () => {
    for (const kind of ['plain', 'gated'] as const) for (const input of ['scaled', 'embedding'] as const) networkLaws(maskedConvolution({ layers: 1, width: 6, firstKernel: 3, kind, input }), { domain: grid(2, 3, 3, 2), order: raster(), head: wants(3) })
  })
})

describe('what a variable sees', () => {
  const seen = (options: MaskedConvolutionOptions, domain: DiscreteDomain, position: number, order: Order = raster()) => bindTo(maskedConvolution(options), domain, order).dependencies(position)

  it('plain, raster: a kernel that grows by a layer up, left, and to the right by one column for each row; the blind spot stays', () => {
    // 5 rows of 9; the position is row 3, column 3. Seven more layers see everything to the left and nothing more to the right of the slope.
    const expected = (deep: boolean) =>
      Array.from({ length: 45 }, (_, q) => q).filter((q) => {
        const [up, right] = [3 - Math.floor(q / 9), (q % 9) - 3]
        return (up === 0 && right < 0 && (deep || right >= -2)) || (up > 0 && right <= up && (deep || (up <= 2 && right >= -2)))
      })
    expect(seen({ layers: 1, width: 2, firstKernel: 3 }, grid(5, 9), 30)).toEqual(expected(false))
    expect(seen({ layers: 8, width: 2, firstKernel: 3 }, grid(5, 9), 30)).toEqual(expected(true))
  })
  it('gated: with enough layers everything earlier', () => {
    for (const position of [0, 8, 30, 44]) expect(seen({ layers: 7, width: 2, firstKernel: 3, kind: 'gated' }, grid(5, 9), position)).toEqual(Array.from({ length: position }, (_, q) => q))
    expect(seen({ layers: 1, width: 2, firstKernel: 3, kind: 'gated' }, grid(5, 9), 30)).toEqual([10, 11, 12, 13, 14, 19, 20, 21, 22, 23, 28, 29])
  })
  it('in another order, what is earlier there: nothing of its own group', () => {
    const order = custom({ permutation: [4, 0, 2, 6, 8, 1, 3, 5, 7], groups: [0, 0, 0, 0, 0, 1, 1, 1, 1] })
    expect(seen({ layers: 0, width: 2, firstKernel: 3 }, grid(3, 3), 1, order)).toEqual([0, 2, 4])
    expect(seen({ layers: 0, width: 2, firstKernel: 3 }, grid(3, 3), 4, order)).toEqual([])
    // By way of the features of 3 and 5, of the same group but of lower rank.
    expect(seen({ layers: 1, width: 2, firstKernel: 3 }, grid(3, 3), 7, order)).toEqual([0, 2, 4, 6, 8])
  })
})

describe('a step', () => {
  it('remembers one line and one pixel in raster order, whatever the height', () => {
    const rows = (height: number) => bindTo(maskedConvolution({ layers: 1, width: 4, firstKernel: 3 }), grid(height, 6), raster()).state.map(({ shape }) => shape)
    expect(rows(5)).toEqual([[1], ['batch', 6, 2], ['batch', 7, 4]])
    expect(rows(50)).toEqual(rows(5))
  })
})

describe('options', () => {
  it('are what they were, with the defaults said; a file names the network', () => {
    const { name, options } = maskedConvolution({ layers: 3, width: 8 })
    expect(options).toEqual({ layers: 3, width: 8, kernel: 3, firstKernel: 7, kind: 'plain', activation: 'relu', bottleneck: false, input: 'scaled', dropout: 0 })
    expect(networkFromName({ name, options }).options).toEqual(options)
    const gated = maskedConvolution({ layers: 3, width: 8, kind: 'gated' })
    expect(networkFromName(gated).options).toEqual(gated.options)
  })
  it('each changes the result', () => {
    const domain = grid(4, 4, 4)
    const featuresOf = (options: Partial<MaskedConvolutionOptions>) => JSON.stringify(example(bindTo(maskedConvolution({ layers: 1, width: 4, firstKernel: 3, ...options }), domain, raster()), domain).features)
    const all = [{}, { layers: 2 }, { width: 6 }, { kernel: 5 }, { firstKernel: 5 }, { kind: 'gated' }, { activation: 'elu' }, { activation: 'gated' }, { bottleneck: true }, { input: 'embedding' }] as const
    expect(new Set(all.map(featuresOf)).size).toBe(all.length)
  })
  it.each(['plain', 'gated'] as const)('dropout drops in training only, by its masks: %s', (kind) => {
    const domain = grid(3, 3)
    const bound = bindTo(maskedConvolution({ layers: 2, width: 4, firstKernel: 3, kind, dropout: 0.25 }), domain, raster())
    const { rate, masks } = bound.dropout!
    expect([rate, masks(2, 9)]).toEqual([0.25, { layer1: [2, 9, 4], layer2: [2, 9, 4] }])
    const parameters = asTensors(shaken(bound.initialize(1), 1))
    const x = tf.tensor(randomValues(1, 2, 18), [2, 9, 1], 'int32')
    const given = (value: number) => Object.fromEntries(Object.entries(masks(2, 9)).map(([name, shape]) => [name, tf.cast(tf.fill([...shape], value), 'bool')]))
    const [without, kept, none] = [undefined, given(1), given(0)].map((masks) => JSON.stringify(Array.from(bound.forward(parameters, x, undefined, masks).dataSync())))
    expect(new Set([without, kept, none]).size).toBe(3)
    expect(bindTo(maskedConvolution({ layers: 2, width: 4, kind }), domain, raster()).dropout).toBeUndefined()
  })
  it.each<[string, object, RegExp]>([
    ['a name', { layers: 1, width: 4, depth: 2 }, /unknown option "depth"/],
    ['an even kernel', { layers: 1, width: 4, kernel: 4 }, /kernel must be odd/],
    ['a first kernel of one', { layers: 1, width: 4, firstKernel: 1 }, /firstKernel must be a whole number of at least 3, got 1/],
    ['dropout without layers', { layers: 0, width: 4, dropout: 0.5 }, /nothing to drop/],
    ['a kind', { layers: 1, width: 4, kind: 'B' }, /kind must be 'plain' or 'gated', got "B"/],
    ['an activation', { layers: 1, width: 4, activation: 'tanh' }, /activation must be one of relu, elu, gated/],
    ['an activation for two stacks', { layers: 1, width: 4, kind: 'gated', activation: 'relu' }, /belong to kind 'plain'/],
    ['an odd width', { layers: 1, width: 5, bottleneck: true }, /width must be even, got 5/],
    ['an input', { layers: 1, width: 4, input: 'raw' }, /input must be 'scaled' or 'embedding'/],
    ['a rate', { layers: 1, width: 4, dropout: 1 }, /dropout must be a number from 0 to 0.9/],
  ])('%s is refused', (_, options, message) => {
    expect(() => maskedConvolution(options as MaskedConvolutionOptions)).toThrow(InvalidOptionError)
    expect(() => maskedConvolution(options as MaskedConvolutionOptions)).toThrow(message)
  })
  it('variables that stand nowhere, orders that two stacks cannot follow, and a variable before the first are refused', () => {
    const network = maskedConvolution({ layers: 1, width: 4 })
    expect(() => bindTo(network, { length: 9, components: 1, values: 2 }, leftToRight())).toThrow(UnsupportedError)
    const gated = maskedConvolution({ layers: 1, width: 4, kind: 'gated' })
    for (const order of [serpentine(), random({ seed: 1 }), leftToRight({ groupSize: 2 })]) expect(() => bindTo(gated, grid(3, 3), order)).toThrow(/line by line/)
    const bound = bindTo(network, grid(3, 3), raster())
    const before = { values: tf.zeros([1, 1], 'int32'), isStart: tf.zeros([1], 'bool') }
    expect(() => bound.forward(asTensors(bound.initialize(1)), tf.zeros([1, 9, 1], 'int32'), before)).toThrow(UnsupportedError)
  })
})

describe('training', () => {
  it.each(['plain', 'gated'] as const)('begins at log V: %s', (kind) => {
    const model = createModel({ domain: grid(10, 10), order: raster(), network: maskedConvolution({ layers: 3, width: 8, kind }), head: bernoulli() })
    const loss = negativeLogLikelihood(model, asTensors(model.initialize(1)), tf.tensor(randomValues(1, 2, 400), [4, 100, 1], 'int32')).dataSync()[0]
    expect(Math.abs(loss - Math.log(2))).toBeLessThan(0.03)
  })
})
