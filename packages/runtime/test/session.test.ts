import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { graphFiles, InvalidModelError, InvalidOptionError, type ModelManifest, UnavailableError, weightsFile } from '@chainrule/core'
import { describe, expect, test, vi } from 'vitest'
import { openGraphs } from '../src/graphs.js'
import { loadOnnxRuntime, openModel, openSession } from '../src/index.js'
import { type ModelFiles, openModelFiles } from '../src/model-files.js'
import { node } from '../src/platform/node.js'
import { chain, grid } from './fixture.js'
import { Graph } from './onnx-writer.js'

/** y = x + a, z = x + 2. */
function adder(a = 1): Uint8Array {
  const g = new Graph([{ name: 'x', type: 'float32', shape: ['n'] }])
  g.node('Add', ['x', g.constant('float32', [1], [a])], {}, ['y'])
  g.node('Add', ['x', g.constant('float32', [1], [2])], {}, ['z'])
  g.outputs = ['y', 'z'].map((name) => ({ name, type: 'float32', shape: ['n'] }))
  return g.file()
}

const hasCuda = existsSync(join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node')), '..', 'bin', 'napi-v6', process.platform, process.arch, 'libonnxruntime_providers_cuda.so'))

describe('a session', () => {
  test('runs, returns all outputs, or those named, or writes into arrays', async () => {
    const { Tensor } = await loadOnnxRuntime()
    const session = await openSession(adder(), { provider: 'cpu' })
    expect(session).toMatchObject({ provider: 'cpu', reason: 'cpu, as asked', inputNames: ['x'], outputNames: ['y', 'z'] })
    const feeds = { x: new Tensor('float32', Float32Array.of(1, 2), [2]) }
    const all = await session.run(feeds)
    expect([all.y.data, all.z.data]).toEqual([Float32Array.of(2, 3), Float32Array.of(3, 4)])
    expect(Object.keys(await session.run(feeds, ['z']))).toEqual(['z'])
    const y = new Float32Array(2)
    await session.run(feeds, { y: new Tensor('float32', y, [2]) })
    expect(y).toEqual(Float32Array.of(2, 3))
    await session.release()
  })

  test('flushes denormals, in whatever order sessions are opened', async () => {
    const { Tensor } = await loadOnnxRuntime()
    const [first, second] = [await openSession(adder(0), { provider: 'cpu' }), await openSession(adder(0), { provider: 'cpu' })]
    for (const session of [first, second]) {
      const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(1e-39, 2e-38), [2]) })
      expect(y.data).toEqual(Float32Array.of(0, 2e-38))
      await session.release()
    }
  })

  test('telemetry is off', async () => {
    await loadOnnxRuntime()
    expect(process.env.ORT_DISABLE_TELEMETRY).toBe('1')
  })

  test('bytes that are no model, and a path that is none', async () => {
    for (const provider of ['cpu', 'auto'] as const) {
      await expect(openSession(Uint8Array.of(1, 2, 3), { provider })).rejects.toThrow(InvalidModelError)
      await expect(openSession('/nowhere/model.onnx', { provider })).rejects.toThrow(/onnxruntime cannot open \/nowhere\/model.onnx/)
    }
  })

  test('unknown options and providers', async () => {
    await expect(openSession(adder(), { provider: 'gpu' as never })).rejects.toThrow(InvalidOptionError)
    await expect(openSession(adder(), { thread: 2 } as never)).rejects.toThrow(/unknown option "thread"/)
    await expect(openSession(adder(), { threads: 1.5 })).rejects.toThrow(/threads must be a whole number/)
  })
})

describe.runIf(!hasCuda)('without CUDA', () => {
  test('cuda is an error that says what to do', async () => {
    const attempt = openModel(chain.files, { provider: 'cuda' })
    await expect(attempt).rejects.toThrow(UnavailableError)
    await expect(attempt).rejects.toThrow(/provider cuda was asked for, but .*(no CUDA provider for|not installed).*Use the provider 'cpu' or 'auto'/)
  })

  test('auto falls back and says why', async () => {
    const model = await openModel(chain.files, { provider: 'auto' })
    expect(model.provider).toBe('cpu')
    expect(model.reason).toMatch(/^cpu: (the CUDA provider is not installed|onnxruntime-node has no CUDA provider)/)
    await model.release()
    const asked = await openModel(chain.files, { provider: 'cpu', threads: 2 })
    expect(asked).toMatchObject({ provider: 'cpu', reason: 'cpu, as asked' })
    await asked.release()
  })
})

describe('the sessions of a model', () => {
  /** The chain, as if its weights had so many bytes; counts how often each graph is opened. */
  async function counting(bytes: number) {
    const files = await openModelFiles(chain.files, node)
    const opened: string[] = []
    const listed = { ...files.manifest.files, [weightsFile]: { ...files.manifest.files[weightsFile], bytes } }
    const manifest: ModelManifest = { ...files.manifest, files: listed }
    const counted: ModelFiles = { ...files, manifest, graph: (name) => (opened.push(name), files.graph(name)) }
    const graphs = await openGraphs(counted, { provider: 'cpu', threads: 1 }, openSession)
    const { Tensor } = await loadOnnxRuntime()
    const feeds = (steps: number[]) => ({
      previous: new Tensor('int32', new Int32Array(1), [1, 1]),
      isStart: new Tensor('bool', Uint8Array.of(1), [1]),
      uniforms: new Tensor('float32', new Float32Array(1).fill(0.5), [1, ...steps, 1, 1]),
      temperature: new Tensor('float32', Float32Array.of(1), [1]),
      given: new Tensor('int32', new Int32Array(1), [1, ...steps, 1]),
      isGiven: new Tensor('bool', new Uint8Array(1), [1, ...steps]),
      'state.index': new Tensor('int32', new Int32Array(1), [1]),
      'state.context': new Tensor('int32', new Int32Array(1), [1]),
      'state.seen': new Tensor('float32', new Float32Array(0), [1, 0]),
    })
    const { uniforms: _, temperature: __, given: x, isGiven: ___, ...cursor } = feeds([1])
    const score = () => graphs.run('score', { ...cursor, x }, ['nats'])
    const sample = () => graphs.run('sample', feeds([1]), ['nats'])
    const step = () => graphs.run('step', feeds([]), ['nats'])
    return { graphs, opened, score, sample, step }
  }

  test('stay open while all copies of the weights are small', async () => {
    const { graphs, opened, sample, step } = await counting(1_000)
    await Promise.all([sample(), step(), sample(), step()])
    expect(opened).toEqual(['score', 'sample', 'step'])
    await graphs.release()
  })

  test('give way to each other where the weights are large, under overlapping runs', async () => {
    const { graphs, opened, sample, step } = await counting(100 * 2 ** 20)
    const results = await Promise.all([sample(), step(), step(), sample()])
    expect(opened).toEqual(['score', 'sample', 'step', 'sample'])
    expect(results[0].nats.data).toEqual(results[3].nats.data)
    expect(results[1].nats.data[0]).toBeCloseTo(results[0].nats.data[0] as number, 5)
    await graphs.release()
  })

  test('are all released: none keeps its memory', async () => {
    const { InferenceSession } = await loadOnnxRuntime()
    const released = vi.spyOn((InferenceSession as unknown as { prototype: { release(): Promise<void> } }).prototype, 'release')
    const { graphs, opened, sample, step } = await counting(100 * 2 ** 20)
    await sample()
    await step()
    expect(released).toHaveBeenCalledTimes(2)
    await graphs.release()
    expect(released).toHaveBeenCalledTimes(opened.length)
    released.mockRestore()
  })

  test('the one used longest ago gives way first', async () => {
    const { graphs, opened, score, sample, step } = await counting(60 * 2 ** 20)
    await sample()
    await step()
    await sample()
    expect(opened).toEqual(['score', 'sample', 'step'])
    await score()
    await sample()
    expect(opened).toEqual(['score', 'sample', 'step', 'score'])
    await graphs.release()
  })

  test('a run that fails says which graph', async () => {
    const files = await openModelFiles(grid.files, node)
    const graphs = await openGraphs(files, { provider: 'cpu', threads: 1 }, openSession)
    const { Tensor } = await loadOnnxRuntime()
    const attempt = graphs.run('score', { x: new Tensor('int32', new Int32Array(3), [1, 3, 1]) }, ['nats'])
    await expect(attempt).rejects.toThrow(new RegExp(`${graphFiles.score} failed while running`))
    await expect(attempt).rejects.toThrow(InvalidModelError)
    await graphs.release()
  })
})
