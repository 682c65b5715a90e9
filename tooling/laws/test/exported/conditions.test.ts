/** The verbs of exported conditional models: whose condition is whose, in batches, after a prompt, as a stream, in a thread; and what is refused. */
import '@tensorflow/tfjs-backend-cpu'
import { randomConditions, shaken } from '@chainrule/conformance'
import { controlSequence, InvalidDataError, InvalidOptionError, label, leftToRight, UnsupportedError } from '@chainrule/core'
import { categorical, createModel, tabular } from '@chainrule/core/tensors'
import { mixture, nade, ngram, recurrent, transformer } from '@chainrule/networks'
import { recordModel, singleFileOf } from '@chainrule/onnx'
import { type OpenModel, openModel } from '@chainrule/runtime'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'

const pieces = { domain: { length: 'variable', components: 1, values: 4 }, order: leftToRight(), network: transformer({ layers: 1, heads: 2, width: 8, context: 6 }), head: categorical() } as const
const conditions = { label: label({ values: 3 }), 'control sequence': controlSequence({ channels: 2 }), categories: controlSequence({ values: 3 }) }
const card = { data: {}, results: {}, training: {}, exportedAt: '' }
const filesOf = (condition: (typeof conditions)[keyof typeof conditions]) => {
  const model = createModel({ ...pieces, condition })
  return recordModel({ model, parameters: shaken(model.initialize(2), 2, 1.5), modality: 'law', tokenizer: { name: 'none', options: {} }, card })
}
const prompt = Int32Array.of(1, 3, 0)

describe.each(Object.keys(conditions) as (keyof typeof conditions)[])('%s', (kind) => {
  const condition = conditions[kind]
  const [N, n] = [5, 7]
  const given = randomConditions(4, condition, N, prompt.length + n)
  const width = given.length / N
  const of = (which: number) => given.slice(which * width, (which + 1) * width)
  const files = filesOf(condition)
  let opened: OpenModel
  beforeAll(async () => void (opened = await openModel(files, { provider: 'cpu' })))
  afterAll(() => opened.release())

  it.each(['graph', 'steps'] as const)('each sample has its own, however they are drawn: %s', async (sampler) => {
    const request = { seed: 3, length: n, prompt, sampler } as const
    const all = await opened.sample({ ...request, count: N, condition: given })
    const inBatches = await opened.sample({ ...request, count: N, condition: given, batchSize: 2 })
    expect(inBatches.values).toEqual(all.values)
    for (let which = 0; which < N; which++) {
      const alone = await opened.sample({ ...request, count: 1, firstSample: which, condition: of(which) })
      expect(alone.values).toEqual(all.values.slice(which * n, (which + 1) * n))
    }
    // One for all is the same one for each.
    const shared = await opened.sample({ ...request, count: 3, condition: of(0) })
    const repeated = new (given.constructor as new (size: number) => Float32Array)(3 * width)
    for (let row = 0; row < 3; row++) repeated.set(of(0), row * width)
    expect((await opened.sample({ ...request, count: 3, condition: repeated })).values).toEqual(shared.values)
    const others = await opened.sample({ ...request, count: 3, condition: of(1) })
    expect(others.values).not.toEqual(shared.values)
  })

  test('the score knows it, chunk by chunk; samplers and score agree', async () => {
    const { values, nats } = await opened.sample({ seed: 3, count: N, length: n, prompt, condition: given })
    const whole = new Int32Array(N * (prompt.length + n))
    for (let which = 0; which < N; which++) {
      whole.set(prompt, which * 10)
      whole.set(values.subarray(which * n, (which + 1) * n), which * 10 + 3)
    }
    const scored = await opened.score({ x: whole, length: 10, condition: given, batchSize: 2 })
    nats.forEach((value, i) => expect(Math.abs(value - scored[Math.floor(i / n) * 10 + 3 + (i % n)])).toBeLessThan(1e-4))
    // More than one chunk of the score's graph.
    const [long, told] = [new Int32Array(600).fill(2), randomConditions(5, condition, 1, 600)]
    const { nats: steps } = await opened.replay({ seed: 1, values: long, length: 600, condition: told, sampler: 'steps' })
    ;(await opened.score({ x: long, condition: told })).forEach((value, i) => expect(Math.abs(value - steps[i])).toBeLessThan(1e-3))
  })

  test('a stream is the sample, growing; a thread and a single file draw the same', async () => {
    const all = await opened.sample({ seed: 3, count: N, length: n, prompt, condition: given })
    const grown: number[][] = Array.from({ length: N }, () => [])
    for await (const { values, nats } of opened.stream({ seed: 3, count: N, length: n, prompt, condition: given })) {
      const steps = nats.length / N
      values.forEach((value, i) => grown[Math.floor(i / steps)].push(value))
    }
    expect(grown.flat()).toEqual([...all.values])
    for (const open of [() => openModel(files, { provider: 'cpu', worker: true }), () => openModel(singleFileOf(files), { provider: 'cpu' })]) {
      const other = await open()
      expect((await other.sample({ seed: 3, count: N, length: n, prompt, condition: given })).values).toEqual(all.values)
      await other.release()
    }
  })

  test('what is missing or wrong is said by every verb', async () => {
    const x = new Int32Array(n)
    await expect(opened.sample({ seed: 1, length: n })).rejects.toThrow(/sample: the model's condition is missing/)
    await expect(opened.score({ x })).rejects.toThrow(/score: the model's condition is missing/)
    await expect(opened.replay({ seed: 1, values: x, length: n })).rejects.toThrow(/replay: the model's condition is missing/)
    expect(() => opened.stream({ seed: 1, length: n })).toThrow(/stream: the model's condition is missing/)
    await expect(opened.sample({ seed: 1, length: n, count: 3, condition: given.slice(0, 2 * width) })).rejects.toThrow(InvalidDataError)
    if (condition.isSequence) expect(() => opened.stream({ seed: 1, condition: given })).toThrow(InvalidOptionError)
  })
})

test('a model without a condition refuses one, a network that takes none refuses to have one', async () => {
  const model = createModel(pieces)
  const opened = await openModel(recordModel({ model, parameters: model.initialize(1), modality: 'law', tokenizer: { name: 'none', options: {} }, card }), { provider: 'cpu' })
  await expect(opened.sample({ seed: 1, length: 2, condition: Int32Array.of(1) })).rejects.toThrow(/the model takes none/)
  await opened.release()
  const domain = { length: 4, components: 1, values: 2 } as const
  expect(() => createModel({ ...pieces, domain, network: tabular(), condition: label({ values: 2 }) })).toThrow(/tabular: does not take the condition label; it takes none/)
  expect(() => createModel({ ...pieces, network: ngram(), condition: label({ values: 2 }) })).toThrow(UnsupportedError)
  expect(() => createModel({ ...pieces, network: mixture({ networks: [recurrent({ layers: 1, width: 3 }), ngram()] }), condition: label({ values: 2 }) })).toThrow(/mixture: does not take the condition label; it takes none/)
  expect(() => createModel({ ...pieces, domain, network: nade(), condition: controlSequence({ channels: 2 }) })).toThrow(/nade: does not take the condition controlSequence; it takes label/)
})
