/**
 * Networks with blocks of steps: whatever the number of steps, the loop over blocks and the steps after them are the steps one by one; sampling
 * filters, an end and a condition are no exception, and sample.onnx says which values occurred and where it stands as the steps do.
 */
import '@tensorflow/tfjs-backend-cpu'
import { replayLaw, shaken } from '@chainrule/conformance'
import { type Condition, controlSequence, type DiscreteDomain, graphFiles, label, leftToRight, weightsFile } from '@chainrule/core'
import { categorical, createModel, discretizedLogisticMixture } from '@chainrule/core/tensors'
import { causalConvolution } from '@chainrule/networks'
import { recordModel } from '@chainrule/onnx'
import { openModel, openSession } from '@chainrule/runtime'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const text: DiscreteDomain = { length: 'variable', components: 1, values: 7 }
const waveNet = causalConvolution({ layers: 5, width: 4, dilations: [1, 2, 4, 8, 3] })
const recordedOf = (domain: DiscreteDomain, network = waveNet, head = categorical(), condition?: Condition) => {
  const model = createModel({ domain, order: leftToRight(), network, head, condition })
  const files = recordModel({ model, parameters: shaken(model.initialize(2), 2), modality: 'law', tokenizer: { name: 'none', options: {} }, card: { data: {}, results: {}, training: {}, exportedAt: new Date(0).toISOString() } })
  return { files, blockLength: model.boundNetwork.blocks!.length }
}
const count = 3

describe('blocks', () => {
  it.each([
    ['alone', recordedOf.bind(undefined, text), {}],
    ['with filters', recordedOf.bind(undefined, text), { topK: 4, repetitionPenalty: 1.7 }],
    ['of logistics, with a filter', recordedOf.bind(undefined, { ...text, values: 64 }, waveNet, discretizedLogisticMixture({ components: 2 })), { minP: 0.9 }],
    ['that may end', recordedOf.bind(undefined, { ...text, end: 6 }), {}],
    ['three taps', recordedOf.bind(undefined, text, causalConvolution({ layers: 2, width: 4, dilations: [3, 5], kernel: 3 })), {}],
    ['with a prediction', recordedOf.bind(undefined, { ...text, values: 64 }, causalConvolution({ layers: 2, width: 4, dilations: [1, 6], prediction: { filter: [0.5, 0.2], lags: 3, unit: 0.5 } }), discretizedLogisticMixture({ components: 2 })), {}],
  ] as const)('%s: any number of steps', async (_, record, options) => {
    const { files, blockLength } = record()
    const opened = await openModel(files, { provider: 'cpu' })
    try {
      for (let length = 1; length <= 2 * blockLength + 1; length++) {
        const drawn = await opened.sample({ count, length, seed: 5, ...options, sampler: 'graph' })
        const replayed = await opened.replay({ values: drawn.values, count, length, seed: 5, ...options, sampler: 'steps' })
        replayLaw({ ...replayed, logProbability: replayed.nats.map((nats) => -nats) }, drawn)
        expect([...drawn.distance].every((distance) => distance === 0)).toBe(true)
      }
    } finally {
      await opened.release()
    }
  })

  it.each([
    [20, 'steps of fewer than 400 nodes'],
    [26, 'longer steps, which go one by one'],
  ])('%d layers: %s', async (layers) => {
    const { files, blockLength } = recordedOf(text, causalConvolution({ layers, width: 4, dilations: [1, 2] }))
    // Blocks hold their steps several times over.
    const copies = files[graphFiles.sample].length / files[graphFiles.step].length
    if (layers === 20) expect(copies).toBeGreaterThan(blockLength)
    else expect(copies).toBeLessThan(2)
    const opened = await openModel(files, { provider: 'cpu' })
    try {
      const drawn = await opened.sample({ count, length: 2 * blockLength + 1, seed: 5, sampler: 'graph' })
      const replayed = await opened.replay({ values: drawn.values, count, length: 2 * blockLength + 1, seed: 5, sampler: 'steps' })
      replayLaw({ ...replayed, logProbability: replayed.nats.map((nats) => -nats) }, drawn)
    } finally {
      await opened.release()
    }
  })

  it.each([
    ['a label', label({ values: 3 }), (n: number) => Int32Array.from({ length: count }, (_, b) => (b + n) % 3)],
    ['a control sequence', controlSequence({ channels: 2 }), (n: number) => Float32Array.from({ length: count * n * 2 }, (_, i) => Math.sin(i * i))],
  ] as const)('%s is that of each step', async (_, condition, valuesOf) => {
    const { files, blockLength } = recordedOf(text, waveNet, categorical(), condition)
    const opened = await openModel(files, { provider: 'cpu' })
    try {
      const length = 2 * blockLength + 1
      const told = { condition: valuesOf(length) }
      const drawn = await opened.sample({ count, length, seed: 5, ...told, sampler: 'graph' })
      const replayed = await opened.replay({ values: drawn.values, count, length, seed: 5, ...told, sampler: 'steps' })
      replayLaw({ ...replayed, logProbability: replayed.nats.map((nats) => -nats) }, drawn)
    } finally {
      await opened.release()
    }
  })

  it('leaves the state, and which values occurred, as the steps do', async () => {
    const { files, blockLength } = recordedOf(text)
    const externalData = [{ path: weightsFile, data: files[weightsFile] }]
    const [loop, single] = await Promise.all([graphFiles.sample, graphFiles.step].map((file) => openSession(files[file], { provider: 'cpu', externalData })))
    const S = 2 * blockLength + 1
    const tensor = (data: Float32Array | Int32Array | Uint8Array, dims: number[]) => ({ type: data instanceof Float32Array ? 'float32' as const : data instanceof Int32Array ? 'int32' as const : 'bool' as const, data, dims })
    const rows = 1 + 2 + 4 + 8 + 3
    const start = {
      previous: tensor(new Int32Array(1), [1, 1]),
      isStart: tensor(Uint8Array.of(1), [1]),
      seen: tensor(Uint8Array.of(0, 0, 0, 0, 0, 0, 1), [1, 7]),
      'state.index': tensor(new Int32Array(1), [1]),
      'state.rows': tensor(new Float32Array(rows * 4), [rows, 1, 4]),
    }
    const settings = { temperature: tensor(Float32Array.of(1), [1]), topK: tensor(Int32Array.of(0), [1]), topP: tensor(Float32Array.of(1), [1]), minP: tensor(Float32Array.of(0), [1]), repetitionPenalty: tensor(Float32Array.of(1), [1]) }
    const uniforms = Float32Array.from({ length: S }, (_, i) => ((i * 5) % 11 + 0.5) / 11)
    const whole = await loop.run({ ...start, ...settings, uniforms: tensor(uniforms, [1, S, 1, 1]), given: tensor(new Int32Array(S), [1, S, 1]), isGiven: tensor(new Uint8Array(S), [1, S]) })
    let carried: Record<string, unknown> = start
    for (let step = 0; step < S; step++) {
      const made = await single.run({ ...(carried as typeof start), ...settings, uniforms: tensor(uniforms.slice(step, step + 1), [1, 1, 1]), given: tensor(new Int32Array(1), [1, 1]), isGiven: tensor(new Uint8Array(1), [1]) })
      expect((whole.values.data as Int32Array)[step]).toBe((made.value.data as Int32Array)[0])
      carried = { previous: made.value, isStart: tensor(new Uint8Array(1), [1]), seen: made['next.seen'], 'state.index': made['next.index'], 'state.rows': made['next.rows'] }
    }
    const end = carried as typeof start
    expect([...(whole['next.seen'].data as Uint8Array)]).toEqual([...end.seen.data])
    expect([...(whole['next.index'].data as Int32Array)]).toEqual([S])
    ;(whole['next.rows'].data as Float32Array).forEach((value, i) => expect(value).toBeCloseTo(end['state.rows'].data[i], 5))
    await Promise.all([loop.release(), single.release()])
  })
})
