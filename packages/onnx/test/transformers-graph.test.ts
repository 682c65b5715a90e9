/** The graph for transformers.js gives what the model itself gives: whole, in chunks, beyond the context, padded at either side. */
import { label, leftToRight, UnsupportedError } from '@chainrule/core'
import { categorical, createModel, type Model } from '@chainrule/core/tensors'
import { recurrent, transformer } from '@chainrule/networks'
import { openSession } from '@chainrule/runtime'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { Tensor } from 'onnxruntime-node'
import { beforeAll, describe, expect, it } from 'vitest'
import { recordCausalGraph } from '../src/index.js'

const values = 7
const context = 5
const layers = 2

const language = (network = transformer({ layers, heads: 2, width: 12, context }), end?: number): Model =>
  createModel({ domain: { length: 'variable', components: 1, values, ...(end !== undefined && { end }) }, order: leftToRight(), network, head: categorical({ tied: true }) })

/** Parameters far from their start, so that every token depends on many. */
const shaken = (model: Model) =>
  Object.fromEntries(Object.entries(model.initialize(3)).map(([name, { shape, data }]) => [name, { shape, data: data.map((value, i) => value * (name.includes('ormalization') ? 1 : 20) + 0.1 * Math.sin(i + 1)) }]))

const integers = (rows: readonly (readonly number[])[]) => new Tensor('int64', BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0].length])

/** The graph as a caller of transformers.js's conventions runs it. */
async function opened(model: Model, parameters: ReturnType<typeof shaken>) {
  const { bytes, start, heads, features } = recordCausalGraph(model, parameters)
  const session = await openSession(bytes, { provider: 'cpu' })
  const run = async (ids: number[][], mask: number[][], past?: Record<string, Tensor>) => {
    const empty = () => new Tensor('float32', new Float32Array(0), [ids.length, heads, 0, features])
    const cache = past ?? Object.fromEntries(session.inputNames.filter((name) => name.startsWith('past')).map((name) => [name, empty()]))
    const { logits, ...present } = await session.run({ input_ids: integers(ids), attention_mask: integers(mask), ...cache })
    const row = (b: number, s: number) => Array.from((logits.data as Float32Array).subarray((b * ids[0].length + s) * (values + 1), (b * ids[0].length + s + 1) * (values + 1)))
    return { row, past: Object.fromEntries(Object.entries(present).map(([name, value]) => [name.replace('present', 'past_key_values'), value as Tensor])) }
  }
  return { session, start, run }
}

/** log p of each value after each prefix of the tokens, eagerly, in one pass: [tokens + 1][V]. */
function eager(model: Model, parameters: ReturnType<typeof shaken>, tokens: readonly number[]): number[][] {
  return tf.tidy(() => {
    const given = Object.fromEntries(Object.entries(parameters).map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape])]))
    return Array.from({ length: tokens.length + 1 }, (_, at) =>
      Array.from({ length: values }, (_, value) => {
        const x = tf.tensor3d([...tokens.slice(0, at), value], [1, at + 1, 1], 'int32')
        return model.logProbability(given, x).arraySync() as number[][]
      }).map(([row]) => row[at]),
    )
  })
}

const close = (actual: readonly number[], expected: readonly number[]) => expected.forEach((value, v) => expect(actual[v]).toBeCloseTo(value, 4))
const ones = (length: number) => Array.from({ length }, () => 1)

describe('the graph for transformers.js', () => {
  const tokens = [3, 1, 4, 1, 5, 2, 6, 5, 3, 5, 0, 2, 4]
  const model = language()
  const parameters = shaken(model)
  let expected: number[][]
  beforeAll(async () => {
    await tf.setBackend('cpu')
    expected = eager(model, parameters, tokens)
  })

  it('gives the model’s log-probabilities at every place, far beyond the context; start cannot come', async () => {
    const { session, start, run } = await opened(model, parameters)
    const { row } = await run([[start, ...tokens]], [ones(tokens.length + 1)])
    expected.forEach((logits, s) => {
      close(row(0, s), logits)
      expect(row(0, s)[start]).toBe(-1e9)
    })
    await session.release()
  })

  it('goes on from keys and values of any length, which grow by what was read', async () => {
    const { session, start, run } = await opened(model, parameters)
    const ids = [start, ...tokens]
    let past: Record<string, Tensor> | undefined
    let at = 0
    for (const size of [4, 1, 1, 6, 1, 1]) {
      const result = await run([ids.slice(at, at + size)], [ones(at + size)], past)
      for (let s = 0; s < size; s++) close(result.row(0, s), expected[at + s])
      past = result.past
      at += size
      expect(past['past_key_values.0.key'].dims[2]).toBe(at)
    }
    await session.release()
  })

  it('does not see padding, at the left or at the right, nor later through the keys', async () => {
    const { session, start, run } = await opened(model, parameters)
    const long = [start, ...tokens]
    const short = [start, ...tokens.slice(0, 3)]
    const pad = long.length - short.length
    const padding = Array.from({ length: pad }, () => start)
    const left = await run([long, [...padding, ...short]], [ones(long.length), [...padding.map(() => 0), ...ones(short.length)]])
    short.forEach((_, s) => close(left.row(1, pad + s), expected[s]))
    close(left.row(0, long.length - 1), expected[tokens.length])
    const next = await run([[1], [tokens[3]]], [ones(long.length + 1), [...padding.map(() => 0), ...ones(short.length + 1)]], left.past)
    close(next.row(1, 0), expected[4])
    const right = await run([long, [...short, ...padding]], [ones(long.length), [...ones(short.length), ...padding.map(() => 0)]])
    short.forEach((_, s) => close(right.row(1, s), expected[s]))
    await session.release()
  })

  it('after the end only the end comes', async () => {
    const ended = language(undefined, values - 1)
    const { session, start, run } = await opened(ended, parameters)
    const { row } = await run([[start, 2, values - 1]], [ones(3)])
    expect(row(0, 2)).toEqual(Array.from({ length: values + 1 }, (_, value) => (value === values - 1 ? 0 : -1e9)))
    close(row(0, 1), eager(ended, parameters, [2])[1])
    await session.release()
  })

  it('refuses what carries something else, and learned positions', () => {
    const recurring = language(recurrent({ layers: 1, width: 8 }))
    expect(() => recordCausalGraph(recurring, recurring.initialize(1))).toThrow(UnsupportedError)
    expect(() => recordCausalGraph(recurring, recurring.initialize(1))).toThrow(/recurrent/)
    const told = createModel({ ...language(transformer({ layers: 1, heads: 2, width: 12, context: 20 })), condition: label({ values: 2 }) })
    expect(() => recordCausalGraph(told, told.initialize(1))).toThrow(/no place for this one's condition, label/)
    const learned = language(transformer({ layers: 1, heads: 2, width: 12, context: 20, positions: 'learned' }))
    expect(() => recordCausalGraph(learned, learned.initialize(1))).toThrow(/rotary/)
  })
})
