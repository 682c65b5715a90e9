/** Convolutions in blocks of channels give what Gather and product give, and stay in blocks; where a machine has none, everything else does. */
import { conditional, neighborhood, neighborLinear, type Program, type Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'
import { blockedDomain } from '../src/blocked-layout.js'
import { blockSizes, channelBlock, obstacleTo } from '../src/channel-block.js'
import { onnx } from '../src/engine.js'
import type { Graph } from '../src/graph.js'
import { gridKernelOf } from '../src/grid-kernel.js'
import { record } from '../src/recorder.js'
import { type Givens, specificationsOf, withGradients } from './law.js'

type Offset = readonly [number, number]
const [height, width] = [4, 5]
const earlier: Offset[] = [[-1, -1], [-1, 0], [-1, 1], [0, -1], [0, 0]]
const later: Offset[] = [[0, 0], [1, 1], [0, 1], [2, 0]]
const above: Offset[] = [[-2, -1], [-2, 0], [-1, 0], [-1, 2]]

/** Who reads whom on a grid; `leavesOut`: where a tap reads nothing for once. */
function grid(offsets: readonly Offset[], leavesOut?: number) {
  const reads = Array.from({ length: height * width }, (_, p) =>
    offsets.map(([down, right]) => {
      const [row, column] = [Math.floor(p / width) + down, (p % width) + right]
      return p !== leavesOut && row >= 0 && row < height && column >= 0 && column < width ? row * width + column : -1
    }),
  )
  return neighborhood(Int32Array.from(reads.flat()), offsets.length)
}

const floats = (shape: readonly number[], seed: number) => ({ shape, type: 'float32' as const, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(seed + 1.7 * i)) })
const map = [2, height * width, 16]
/** As many examples as fill two blocks of any size. */
const many = [32, height * width, 16]
const [causal, upper, lower] = [grid(earlier), grid(above), grid(later)]
const layer = (taps: number, inputs: number, outputs: number, seed: number) => ({ weight: floats([taps, inputs, outputs], seed), bias: floats([outputs], seed + 1) })
const flat = (layers: Record<string, ReturnType<typeof layer>>) => Object.fromEntries(Object.entries(layers).flatMap(([name, { weight, bias }]) => [[`${name}/weight`, weight], [`${name}/bias`, bias]]))
const convolve = (given: Tensors, x: tf.Tensor, name: string, neighbors = causal) => neighborLinear(x, given[`${name}/weight`], given[`${name}/bias`], neighbors)
const gate = (x: tf.Tensor) => {
  const [value, gate] = tf.split(x, 2, -1)
  return tf.mul(tf.tanh(value), tf.sigmoid(gate))
}

/** Several layers each, with what networks do between them. */
const programs: Record<string, { run: (given: Tensors) => tf.Tensor; given: Givens }> = {
  residual: {
    run: (given) => ['a', 'b', 'c'].reduce((h, name) => tf.add(h, tf.relu(convolve(given, h, name))), tf.relu(given.x) as tf.Tensor),
    given: { x: floats(map, 1), ...flat({ a: layer(5, 16, 16, 2), b: layer(5, 16, 16, 4), c: layer(5, 16, 16, 6) }) },
  },
  gated: {
    run: (given) => tf.add(given.x, gate(convolve(given, tf.elu(gate(convolve(given, given.x, 'a'))), 'b', upper))),
    given: { x: floats(map, 1), ...flat({ a: layer(5, 16, 32, 2), b: layer(4, 16, 32, 4) }) },
  },
  'examples that fill blocks': {
    run: (given) => tf.add(given.x, gate(convolve(given, tf.relu(convolve(given, given.x, 'a')), 'b', lower))),
    given: { x: floats(many, 1), ...flat({ a: layer(5, 16, 16, 2), b: layer(4, 16, 32, 4) }) },
  },
  ...Object.fromEntries(
    [2, 32].map((batch) => [
      `a first layer of two channels, ${batch} examples`,
      {
        run: (given: Tensors) => ['b', 'c'].reduce((h, name) => tf.add(h, tf.relu(convolve(given, h, name))), tf.relu(convolve(given, given.x, 'a', lower)) as tf.Tensor),
        given: { x: floats([batch, height * width, 2], 1), ...flat({ a: layer(4, 2, 16, 2), b: layer(5, 16, 16, 4), c: layer(5, 16, 16, 6) }) },
      },
    ]),
  ),
  'wide to narrow, masked, with products and other layers between': {
    run: (given) => {
      const wide = tf.mul(tf.relu(convolve(given, given.x, 'a')), given.mask)
      const product = tf.reshape(tf.matMul(tf.reshape(wide, [-1, 32]), given.between), map)
      const odd = convolve(given, tf.sub(product, given.x), 'b', grid(earlier, 7))
      return tf.add(convolve(given, tf.div(odd, 2), 'c'), tf.relu(convolve(given, wide, 'd')))
    },
    given: { x: floats(map, 1), mask: floats([2, height * width, 32], 9), between: floats([32, 16], 3), ...flat({ a: layer(5, 16, 32, 2), b: layer(5, 16, 16, 4), c: layer(5, 16, 16, 6), d: layer(5, 32, 16, 8) }) },
  },
}

const engineProgram = ({ run, given }: (typeof programs)[string]): Program => {
  const all = withGradients(run, Object.keys(given))
  return (_, inputs) => ({ outputs: all(inputs) })
}
const arraysOf = (given: Givens) => Object.fromEntries(Object.entries(given).map(([name, { data }]) => [name, data]))
const blockedNodes = (graph: Graph, operator: string) => graph.nodes.filter((node) => node.domain === blockedDomain && node.operator === operator)
const recorded = (name: string, size?: number) => {
  const { run, given } = programs[name]
  return record(withGradients(run, Object.keys(given)), specificationsOf(given), { target: 'onnxruntime', ...(size && { channelBlock: size }) })
}

describe('convolutions in blocks of channels', () => {
  it.each(Object.keys(programs))('%s: values and gradients are those of Gather and product', async (name) => {
    const program = programs[name]
    const specification = { carried: {}, inputs: specificationsOf(program.given) }
    const [blocked, gathered] = await Promise.all([{}, { blockedConvolutions: false }].map((options) => onnx({ threads: 1, ...options }).compile(engineProgram(program), specification)))
    const block = await channelBlock()
    expect(blocked.description).toContain('size' in block ? `convolutions in blocks of ${block.size} channels` : 'convolutions by Gather and product')
    expect(gathered.description).not.toContain('convolutions')
    const [found, expected] = [await blocked.run(arraysOf(program.given)), await gathered.run(arraysOf(program.given))]
    expect(Object.keys(found)).toEqual(Object.keys(expected))
    for (const [output, values] of Object.entries(expected)) {
      const largest = Math.max(...Array.from(values, Math.abs))
      expect(largest, output).toBeGreaterThan(0.1)
      Array.from(values, (value, i) => expect(Math.abs(found[output][i] - value), `${output}[${i}]`).toBeLessThan(1e-5 * largest))
    }
    await Promise.all([blocked.release(), gathered.release()])
  })

  it('are in the graph only where blocks are asked for', () => {
    expect(blockedNodes(recorded('residual', 16), 'Conv')).toHaveLength(6)
    expect(recorded('residual').nodes.filter(({ domain }) => domain === blockedDomain)).toHaveLength(0)
    expect(() => record(({ x }) => ({ y: x }), { x: { shape: [1], type: 'float32' } }, { target: 'standard', channelBlock: 16 })).toThrow(/a standard graph knows no blocks/)
  })

  it('stay in blocks between layers, and take in the relu before the residual and the sum of its gradient', () => {
    const graph = recorded('residual', 16)
    // In: relu(x) and the weight of the gradient. Out: the result, dx, and for each weight's gradient both of what it is made of.
    expect(blockedNodes(graph, 'ReorderInput')).toHaveLength(2)
    expect(blockedNodes(graph, 'ReorderOutput')).toHaveLength(2 + 3 * 2)
    const convolutions = blockedNodes(graph, 'Conv')
    expect(convolutions.filter(({ attributes }) => attributes.activation === 'Relu')).toHaveLength(3)
    expect(convolutions.filter(({ inputs }) => inputs.length === 4)).toHaveLength(3)
  })

  it('sum the gradients of a filter and of a bias over the examples where those fill blocks, and else by products', () => {
    const acrossExamples = (name: string) => blockedNodes(recorded(name, 16), 'Conv').filter(({ attributes }) => String(attributes.kernel_shape) === String([height, width]))
    expect(acrossExamples('examples that fill blocks')).toHaveLength(2 * 2)
    expect(acrossExamples('a first layer of two channels, 32 examples')).toHaveLength(3 * 2)
    expect(acrossExamples('residual')).toHaveLength(0)
  })

  it('take inputs fewer than a block as they are', () => {
    const [first] = blockedNodes(recorded('a first layer of two channels, 2 examples', 16), 'Conv').filter(({ inputs }) => inputs.length === 3)
    expect(blockedNodes(recorded('a first layer of two channels, 2 examples', 16), 'ReorderInput').map(({ outputs }) => outputs[0])).not.toContain(first.inputs[0])
    expect(blockedNodes(recorded('a first layer of two channels, 2 examples', 16), 'Conv')).toHaveLength(3 + 2)
  })

  it('are tried for where they stand in a branch only', async () => {
    const given = { x: floats(map, 1), flag: { shape: [], type: 'bool' as const, data: Uint8Array.of(1) }, ...flat({ a: layer(5, 16, 16, 2) }) }
    const program: Program = (_, all) => ({ outputs: { y: conditional(all.flag, () => convolve(all, all.x, 'a'), () => all.x) } })
    const [blocked, gathered] = await Promise.all([true, false].map((blockedConvolutions) => onnx({ threads: 1, blockedConvolutions }).compile(program, { carried: {}, inputs: specificationsOf(given) })))
    expect(blocked.description).toContain('convolutions')
    const [{ y }, { y: expected }] = [await blocked.run(arraysOf(given)), await gathered.run(arraysOf(given))]
    y.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 4))
    await Promise.all([blocked.release(), gathered.release()])
  })

  it('are left to Gather and product where channels fill no blocks, or a position reads otherwise', () => {
    const { run, given } = programs['wide to narrow, masked, with products and other layers between']
    const operators = record((all) => ({ y: run(all) }), specificationsOf(given), { target: 'onnxruntime', channelBlock: 16 })
    expect(blockedNodes(operators, 'Conv')).toHaveLength(3)
    const narrow = record((all) => ({ y: run(all) }), specificationsOf(given), { target: 'onnxruntime', channelBlock: 64 })
    expect(blockedNodes(narrow, 'Conv')).toHaveLength(0)
  })

  it('refuses an option that is neither true nor false', () => {
    expect(() => onnx({ blockedConvolutions: 'yes' as unknown as boolean })).toThrow(/blockedConvolutions must be true or false/)
  })
})

describe('the size of a block', () => {
  it('is found on every x64 processor, and no other size passes for it', async () => {
    const obstacles = await Promise.all(blockSizes.map(obstacleTo))
    const fitting = blockSizes.filter((_, i) => obstacles[i] === undefined)
    expect(fitting).toHaveLength(process.arch === 'x64' ? 1 : fitting.length)
    expect(await channelBlock()).toEqual(fitting.length > 0 ? { size: fitting[0] } : { obstacle: obstacles.join('; ') })
  })
})

describe('a neighborhood as a kernel', () => {
  it('is found where each tap reads at one offset, and only there', () => {
    expect(gridKernelOf(causal)).toEqual({ height, width, offsets: earlier })
    expect(gridKernelOf(upper)?.offsets).toEqual(above)
    const upright: Offset[] = [[-1, 0], [0, 0]]
    expect(gridKernelOf(grid(upright)), 'of one column it would be the offset −5').toEqual({ height, width, offsets: upright })
    expect(gridKernelOf(grid(earlier, 7))).toBeUndefined()
    expect(gridKernelOf(neighborhood(Int32Array.of(0, 1, 2), 1, 4))).toBeUndefined()
    expect(gridKernelOf(neighborhood(Int32Array.of(3, 1, 0, 2), 1))).toBeUndefined()
  })
})
