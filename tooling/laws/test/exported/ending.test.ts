/** Exported models whose x has an end: Σ p = 1 through score.onnx, sample.onnx stops when every row has ended, the runtime fills the rest. */
import '@tensorflow/tfjs-backend-cpu'
import { allTuples, isPossible, shaken } from '@chainrule/conformance'
import { type DiscreteDomain, endedLength, graphFiles, InvalidDataError, leftToRight, weightsFile } from '@chainrule/core'
import { categorical, createModel, discretizedLogisticMixture, type Head, type Network } from '@chainrule/core/tensors'
import { recurrent, transformer } from '@chainrule/networks'
import { recordModel } from '@chainrule/onnx'
import { type OpenModel, openModel, openSession } from '@chainrule/runtime'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const domain: DiscreteDomain = { length: 'variable', components: 1, values: 4, end: 3 }
const end = 3
const cases: { title: string; network: Network; head: Head }[] = [
  { title: 'transformer', network: transformer({ layers: 1, heads: 2, width: 8, context: 4 }), head: categorical({ tied: true }) },
  { title: 'recurrent', network: recurrent({ layers: 1, width: 6 }), head: categorical({ tied: true }) },
  { title: 'recurrent, a mixture with an end beside it', network: recurrent({ layers: 1, width: 6 }), head: discretizedLogisticMixture({ components: 2 }) },
]

describe.each(cases)('$title', ({ network, head }) => {
  let files: Record<string, Uint8Array>
  let opened: OpenModel
  beforeAll(async () => {
    await tf.setBackend('cpu')
    const model = createModel({ domain, order: leftToRight(), network, head })
    const card = { data: {}, results: {}, training: {}, exportedAt: new Date(0).toISOString() }
    files = recordModel({ model, parameters: shaken(model.initialize(4), 4), modality: 'law', tokenizer: { name: 'none', options: {} }, card })
    opened = await openModel(files, { provider: 'cpu' })
  })
  afterAll(() => opened.release())

  it('strings that end within L and unended prefixes of length L have Σ p = 1', async () => {
    const L = 5
    const tuples = allTuples(domain.values, L)
    const rows = Array.from({ length: tuples.length / L }, (_, which) => tuples.subarray(which * L, (which + 1) * L)).filter((row) => isPossible(row, domain))
    expect(rows).toHaveLength(1 + 3 + 9 + 27 + 81 + 243) // ended after 0 … 4 letters; of 5 letters none has
    const nats = await opened.score({ x: Int32Array.from(rows.flatMap((row) => [...row])), length: L })
    const total = rows.reduce((sum, _, which) => sum + Math.exp(-nats.subarray(which * L, (which + 1) * L).reduce((a, b) => a + b, 0)), 0)
    expect(total).toBeCloseTo(1, 5)
    rows.forEach((row, which) => row.forEach((_, at) => expect(Object.is(nats[which * L + at], 0)).toBe(at > 0 && row[at - 1] === end)))
  })

  it('sample.onnx stops when every row has ended, and not before', async () => {
    const session = await openSession(files[graphFiles.sample], { provider: 'cpu', externalData: [{ path: weightsFile, data: files[weightsFile] }] })
    const [B, steps] = [3, 40]
    /** Row b is given its end as variable number `at[b]`. */
    const lengthsOf = async (at: number[]) => {
      const given = Int32Array.from({ length: B * steps }, (_, i) => (i % steps === at[Math.floor(i / steps)] ? end : 0))
      const state = Object.fromEntries(opened.manifest.state.map(({ name, type, shape }) => {
        const dims = shape.map((axis) => (axis === 'batch' ? B : axis === 'past' ? 0 : axis))
        const size = dims.reduce((a, b) => a * b, 1)
        return [`state.${name}`, { type, dims, data: type === 'int32' ? new Int32Array(size) : new Float32Array(size) }]
      }))
      const filters = {
        topK: { type: 'int32', dims: [1], data: Int32Array.of(0) },
        topP: { type: 'float32', dims: [1], data: Float32Array.of(1) },
        minP: { type: 'float32', dims: [1], data: Float32Array.of(0) },
      } as const
      // Of what occurred before only the categorical head knows.
      const penalty = head.name === 'categorical' && {
        repetitionPenalty: { type: 'float32', dims: [1], data: Float32Array.of(1) },
        seen: { type: 'bool', dims: [B, domain.values], data: new Uint8Array(B * domain.values) },
      } as const
      const outputs = await session.run({
        previous: { type: 'int32', dims: [B, 1], data: new Int32Array(B) },
        isStart: { type: 'bool', dims: [B], data: new Uint8Array(B).fill(1) },
        uniforms: { type: 'float32', dims: [B, steps, 1, 1], data: new Float32Array(B * steps).fill(0.5) },
        given: { type: 'int32', dims: [B, steps, 1], data: given },
        isGiven: { type: 'bool', dims: [B, steps], data: new Uint8Array(B * steps).fill(1) },
        temperature: { type: 'float32', dims: [1], data: Float32Array.of(1) },
        ...filters,
        ...penalty,
        ...state,
      })
      return outputs.values.dims
    }
    expect(await lengthsOf([2, 7, 4])).toEqual([B, 8, 1])
    expect(await lengthsOf([0, 0, 0])).toEqual([B, 1, 1])
    expect(await lengthsOf([2, steps, 4])).toEqual([B, steps, 1])
    await session.release()
  })

  it('samples, streams and their lengths; the noise does not depend on how far one looks', async () => {
    const [count, length] = [40, 100]
    const samples = await opened.sample({ count, length, seed: 5, batchSize: 16 })
    const rows = Array.from({ length: count }, (_, which) => samples.values.subarray(which * length, (which + 1) * length))
    rows.forEach((row, which) => {
      const own = endedLength(row, end)
      expect(samples.lengths![which]).toBe(own)
      expect(row.subarray(own).every((value) => value === end)).toBe(true)
      expect(samples.nats.subarray(which * length + own, (which + 1) * length).every((nats) => nats === 0)).toBe(true)
    })
    expect(Math.min(...samples.lengths!)).toBeLessThan(Math.max(...samples.lengths!))
    for (const which of [0, 7]) {
      const streamed: number[] = []
      for await (const { values, nats } of opened.stream({ seed: 5, firstSample: which })) {
        expect(values).toHaveLength(nats.length)
        streamed.push(...values)
      }
      expect(streamed).toEqual([...rows[which].subarray(0, samples.lengths![which])])
    }
    const short = await opened.sample({ count, length: 2, seed: 5 })
    rows.forEach((row, which) => expect([...short.values.subarray(2 * which, 2 * which + 2)]).toEqual([...row.subarray(0, 2)]))
    let told = 0
    await opened.sample({ count, length, seed: 5, onProgress: ({ done, total }) => (told = done / total) })
    expect(told).toBe(1)
  })

  it('prompts go on, and what goes on after an end is refused', async () => {
    const prompt = Int32Array.of(0, 2, 1)
    const [fast, slow] = [await opened.sample({ prompt, length: 30, seed: 1, count: 4 }), await opened.sample({ prompt, length: 30, seed: 1, count: 4, sampler: 'steps' })]
    expect([...fast.values]).toEqual([...slow.values])
    expect(fast.lengths).toEqual(slow.lengths)
    await expect(opened.sample({ prompt: Int32Array.of(0, end), length: 3, seed: 1 })).rejects.toThrow(/prompt ends \(3\) at variable 1/)
    await expect(opened.score({ x: Int32Array.of(0, end, end, 1) })).rejects.toThrow(/holds 1 at variable 3, after its end/)
    await expect(opened.score({ x: Int32Array.of(0, 1), previous: Int32Array.of(end) })).rejects.toThrow(/holds 0 at variable 0, after its end/)
    expect((await opened.score({ x: Int32Array.of(end, end), previous: Int32Array.of(end) })).every((nats) => nats === 0)).toBe(true)
    await expect(opened.replay({ values: Int32Array.of(0, end, 1), length: 3, seed: 1 })).rejects.toThrow(InvalidDataError)
    // Given where the sample may have ended already: not a contradiction.
    const given = { values: Int32Array.of(0, 0, 0, 0, 0, 1), isGiven: Uint8Array.of(0, 0, 0, 0, 0, 1) }
    const { values, lengths } = await opened.sample({ count: 20, length: 6, seed: 2, given })
    expect(lengths!.some((own) => own < 6) && lengths!.some((own) => own === 6)).toBe(true)
    lengths!.forEach((own, which) => expect(values[which * 6 + 5]).toBe(own < 6 ? end : 1))
  })
})
