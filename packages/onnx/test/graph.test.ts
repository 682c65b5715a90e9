/** Graphs as data: sub-graphs, external data, checks. onnxruntime is the judge of what is written. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadOnnxRuntime, openSession } from '@chainrule/runtime'
import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'
import { checkGraph, type Graph, namesCaptured, renamed, withWeights } from '../src/graph.js'
import { GraphBuilder } from '../src/graph-builder.js'
import { record } from '../src/recorder.js'
import { serialize } from '../src/serialize.js'
import { finish } from '../src/simplify.js'
import { runGraph } from './law.js'

/** y = x · 2ⁿ by a Loop whose body reads a value from outside. */
function powersOfTwo(): Graph {
  const inner = new GraphBuilder('body.')
  inner.input({ name: 'body.i', type: 'int64', shape: [] })
  inner.input({ name: 'body.c', type: 'bool', shape: [] })
  inner.input({ name: 'body.x', type: 'float32', shape: [2] })
  const outer = new GraphBuilder()
  outer.input({ name: 'x', type: 'float32', shape: [2] })
  outer.input({ name: 'n', type: 'int32', shape: [] })
  const [two, again] = [outer.node('Add', [outer.float(1), outer.float(1)]), outer.node('Add', [outer.float(1), outer.float(1)])]
  const doubled = inner.node('Mul', ['body.x', again])
  const go = inner.node('Identity', ['body.c'])
  const body: Graph = {
    name: 'body',
    inputs: inner.inputs,
    outputs: [{ name: go, type: 'bool', shape: [] }, { name: doubled, type: 'float32', shape: [2] }],
    initializers: [],
    nodes: inner.nodes,
  }
  expect(namesCaptured(body)).toEqual([again])
  const count = outer.node('Cast', ['n'], { to: 7 })
  const looped = outer.node('Loop', [count, outer.constant('bool', [], Uint8Array.of(1)), 'x'], { body: { graph: body } })
  const results = [{ name: 'y', type: 'float32', shape: [2], value: looped }, { name: 'two', type: 'float32', shape: [], value: two }] as const
  return finish('powers', { inputs: outer.inputs, initializers: outer.initializers.values(), nodes: outer.nodes }, results)
}

describe('graphs', () => {
  it('with a sub-graph that reads from outside, whose value was shared and renamed', async () => {
    const graph = powersOfTwo()
    expect(graph.nodes.filter(({ operator }) => operator === 'Add')).toHaveLength(1)
    const givens = { x: { shape: [2], type: 'float32', data: Float32Array.of(3, -1) }, n: { shape: [], type: 'int32', data: Int32Array.of(4) } } as const
    expect((await runGraph(graph, givens)).y.data).toEqual([48, -16])
    const again = renamed(graph, (name) => `again.${name}`)
    checkGraph(again)
    expect(again.outputs[0].name).toBe('again.y')
  })

  it('with weights in a file beside the model', async () => {
    const graph = record(({ x, weight }) => ({ y: tf.matMul(x, weight) }), { x: { shape: [1, 2], type: 'float32' }, weight: { shape: [2, 2], type: 'float32' } }, { target: 'standard' })
    const external = withWeights(graph, { weight: { external: { file: 'weights.bin', offset: 8, length: 16 } } })
    expect(external.inputs.map(({ name }) => name)).toEqual(['x'])
    const directory = await mkdtemp(join(tmpdir(), 'graph-'))
    try {
      await writeFile(join(directory, 'weights.bin'), new Uint8Array(Float32Array.of(9, 9, 1, 2, 3, 4).buffer))
      await writeFile(join(directory, 'model.onnx'), serialize(external))
      const session = await openSession(join(directory, 'model.onnx'), { provider: 'cpu' })
      const { Tensor } = await loadOnnxRuntime()
      const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(1, 10), [1, 2]) })
      expect(Array.from(y.data as Float32Array)).toEqual([31, 42])
      await session.release()
    } finally {
      await rm(directory, { recursive: true })
    }
    expect(() => withWeights(graph, { bias: { data: new Float32Array(1) } })).toThrow(/no input "bias"/)
  })

  it('are refused where a name is defined twice, or read before it is defined', () => {
    const value = { name: 'x', type: 'float32', shape: [1] } as const
    const node = (inputs: string[], outputs: string[]) => ({ operator: 'Neg', domain: '', inputs, outputs, attributes: {} })
    const graph = { name: 'g', inputs: [value], outputs: [{ ...value, name: 'z' }], initializers: [], nodes: [node(['x'], ['y']), node(['y'], ['z'])] }
    expect(() => serialize(graph)).not.toThrow()
    expect(() => serialize({ ...graph, nodes: [...graph.nodes].reverse() })).toThrow(/reads "y" in Neg \(z\) before/)
    expect(() => serialize({ ...graph, nodes: [...graph.nodes, node(['x'], ['y'])] })).toThrow(/defines "y" twice/)
  })
})
