import { ChainruleError, InterruptedError, InvalidDataError, InvalidOptionError, manifestOrder, uniform, UnsupportedError } from '@chainrule/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openGraphs } from '../src/graphs.js'
import { type OpenModel, openModel, openSession, type Samples } from '../src/index.js'
import { openModelFiles } from '../src/model-files.js'
import { node } from '../src/platform/node.js'
import { sample, stream } from '../src/sampling.js'
import { chain, chainProbabilities, grid, gridPermutation, gridProbabilities, withManifest } from './fixture.js'
import { chainNats, chainSample, gridSample, outside, pick } from './oracle.js'

let chainModel: OpenModel
let gridModel: OpenModel
beforeAll(async () => {
  chainModel = await openModel(chain.files)
  gridModel = await openModel(grid.files)
})
afterAll(async () => {
  await chainModel.release()
  await gridModel.release()
})

const expectClose = (actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5) => {
  expect(actual.length).toBe(expected.length)
  for (let i = 0; i < actual.length; i++) expect(Math.abs(actual[i] - expected[i]), `entry ${i}: ${actual[i]} against ${expected[i]}`).toBeLessThanOrEqual(tolerance)
}
const isAllZero = (numbers: ArrayLike<number>) => Array.from(numbers).every((number) => number === 0)

describe.each(['graph', 'steps'] as const)('sampler %s', (sampler) => {
  test('a variable length: the values that the noise at their addresses picks, and their nats', async () => {
    const length = 70 // more than one stretch
    const { values, nats, drawn, distance } = await chainModel.sample({ seed: 3, count: 5, length, firstSample: 11, batchSize: 2, sampler })
    for (let b = 0; b < 5; b++) {
      const expected = chainSample({ seed: 3, sample: 11 + b, length })
      expect(Array.from(values.subarray(b * length, (b + 1) * length))).toEqual(expected.values)
      expectClose(nats.subarray(b * length, (b + 1) * length), expected.nats)
    }
    expect(drawn).toEqual(values)
    expect(isAllZero(distance)).toBe(true)
  })

  test('a fixed length in another order: everything comes back by position', async () => {
    const { values, nats, distance } = await gridModel.sample({ seed: 9, count: 7, firstSample: 2, batchSize: 3, sampler })
    for (let b = 0; b < 7; b++) {
      const expected = gridSample({ seed: 9, sample: 2 + b })
      expect(Array.from(values.subarray(b * 8, (b + 1) * 8))).toEqual(expected.values)
      expectClose(nats.subarray(b * 4, (b + 1) * 4), expected.nats)
    }
    expect(isAllZero(distance)).toBe(true)
  })

  test('temperature changes what is drawn, nats stay those of the model', async () => {
    const { values, nats } = await chainModel.sample({ seed: 4, length: 60, temperature: 0.4, sampler })
    const expected = chainSample({ seed: 4, sample: 0, length: 60, temperature: 0.4 })
    expect(Array.from(values)).toEqual(expected.values)
    expectClose(nats, expected.nats)
    expect(expected.values).not.toEqual(chainSample({ seed: 4, sample: 0, length: 60 }).values)
  })

  test('given values stay, by position, and the others follow from them', async () => {
    const isGiven = Uint8Array.of(0, 1, 0, 1)
    const given = Int32Array.of(-7, 99, 2, 0, -7, 99, 1, 1)
    const { values, drawn, distance, nats } = await gridModel.sample({ seed: 5, count: 20, given: { values: given, isGiven }, sampler })
    let before: number[] | undefined
    for (let b = 0; b < 20; b++) {
      before = undefined
      gridPermutation.forEach((position, rank) => {
        const u = [0, 1].map((component) => uniform(5, 'sampling', b, position, component))
        const p = [0, 1].map((component) => gridProbabilities(rank, component, before))
        const picked = p.map((probabilities, component) => pick(probabilities, u[component]))
        const kept = isGiven[position] ? Array.from(given.subarray(position * 2, position * 2 + 2)) : picked
        expect(Array.from(values.subarray(b * 8 + position * 2, b * 8 + position * 2 + 2))).toEqual(kept)
        expect(Array.from(drawn.subarray(b * 8 + position * 2, b * 8 + position * 2 + 2))).toEqual(picked)
        expectClose([distance[b * 4 + position]], [Math.max(...p.map((probabilities, component) => outside(probabilities, kept[component], u[component])))])
        expectClose([nats[b * 4 + position]], [-Math.log(p[0][kept[0]]) - Math.log(p[1][kept[1]])])
        before = kept
      })
    }
    expect(Math.max(...distance)).toBeGreaterThan(0.1)
  })

  test('given values may differ between samples', async () => {
    const values = Int32Array.from({ length: 3 * 8 }, (_, at) => Math.floor(at / 8))
    const result = await gridModel.sample({ seed: 1, count: 3, given: { values, isGiven: Uint8Array.of(1, 1, 1, 1) }, batchSize: 2, sampler })
    expect(result.values).toEqual(values)
  })

  test('a prompt is continued as given values are, and as the chain itself would', async () => {
    const prompt = chainModelPrompt(300) // more than one chunk of reading
    const length = 70
    const continued = await chainModel.sample({ seed: 6, count: 3, prompt, length, firstSample: 4, sampler })
    const given = { values: new Int32Array(370), isGiven: new Uint8Array(370).fill(1, 0, 300) }
    given.values.set(prompt)
    const whole = await chainModel.sample({ seed: 6, count: 3, given, length: 370, firstSample: 4, sampler })
    for (let b = 0; b < 3; b++) {
      const expected = chainSample({ seed: 6, sample: 4 + b, length, prompt: Array.from(prompt) })
      expect(Array.from(continued.values.subarray(b * length, (b + 1) * length))).toEqual(expected.values)
      expect(whole.values.subarray(b * 370 + 300, (b + 1) * 370)).toEqual(continued.values.subarray(b * length, (b + 1) * length))
      expect(whole.values.subarray(b * 370, b * 370 + 300)).toEqual(prompt)
      expectClose(continued.nats.subarray(b * length, (b + 1) * length), expected.nats)
      expectClose(whole.nats.subarray(b * 370, b * 370 + 300), chainNats(prompt))
    }
    expect(await chainModel.sample({ seed: 6, prompt: new Int32Array(0), length: 9, sampler })).toEqual(await chainModel.sample({ seed: 6, length: 9, sampler }))
  })

  test('replay: its own samples fit exactly, an altered one shows where', async () => {
    const own = await chainModel.sample({ seed: 8, count: 2, length: 80, firstSample: 5, temperature: 1.3 })
    const again = await chainModel.replay({ values: own.values, seed: 8, count: 2, length: 80, firstSample: 5, temperature: 1.3, sampler })
    expect(isAllZero(again.distance)).toBe(true)
    expect(again.drawn).toEqual(own.values)
    expectClose(again.nats, own.nats)
    const altered = own.values.slice()
    altered[75] = (altered[75] + 1) % 3
    const replayed = await chainModel.replay({ values: altered, seed: 8, count: 2, length: 80, firstSample: 5, temperature: 1.3, sampler })
    expect(replayed.values).toEqual(altered)
    expect(replayed.drawn[75]).toBe(own.values[75])
    expect(replayed.distance[75]).toBeGreaterThan(0)
    expect(isAllZero(replayed.distance.subarray(0, 75))).toBe(true)
    expect(isAllZero(replayed.distance.subarray(80))).toBe(true)
    const ofGrid = await gridModel.sample({ seed: 8, count: 4 })
    expect(isAllZero((await gridModel.replay({ values: ofGrid.values, seed: 8, count: 4, sampler })).distance)).toBe(true)
    expect(isAllZero((await gridModel.replay({ values: ofGrid.values, seed: 9, count: 4, sampler })).distance)).toBe(false)
  })
})

const chainModelPrompt = (length: number) => Int32Array.from({ length }, (_, i) => (i * i + Math.floor(i / 7)) % 3)

describe('frequencies', () => {
  const [count, length] = [20_000, 3]
  /** χ² of the 27 strings of three values: 26 degrees of freedom. */
  const chiSquare = ({ values }: Samples) => {
    const counts = new Array<number>(27).fill(0)
    for (let b = 0; b < count; b++) counts[values[b * 3] * 9 + values[b * 3 + 1] * 3 + values[b * 3 + 2]]++
    return counts.reduce((sum, seen, string) => {
      const expected = count * Math.exp(-chainNats([Math.floor(string / 9), Math.floor(string / 3) % 3, string % 3]).reduce((total, nats) => total + nats, 0))
      return sum + (seen - expected) ** 2 / expected
    }, 0)
  }
  /** A right sampler exceeds it once in a million seeds. */
  const bound = 74.9

  test('agree with the probabilities', async () => {
    expect(chiSquare(await chainModel.sample({ seed: 1, count, length, batchSize: 5_000 }))).toBeLessThan(bound)
  })

  test('do not at temperature 1.1', async () => {
    expect(chiSquare(await chainModel.sample({ seed: 1, count, length, batchSize: 5_000, temperature: 1.1 }))).toBeGreaterThan(bound)
  })
})

describe('seeds', () => {
  test('the same seed gives the same bits, another one other samples', async () => {
    const first = await chainModel.sample({ seed: 1, count: 4, length: 50 })
    expect(await chainModel.sample({ seed: 1, count: 4, length: 50 })).toEqual(first)
    expect((await chainModel.sample({ seed: 2, count: 4, length: 50 })).values).not.toEqual(first.values)
    expect(first.values.subarray(0, 50)).not.toEqual(first.values.subarray(50, 100))
  })

  test('calls may overlap', async () => {
    const alone = await chainModel.sample({ seed: 1, length: 200 })
    const [one, steps, nats] = await Promise.all([
      chainModel.sample({ seed: 1, length: 200 }),
      chainModel.sample({ seed: 1, length: 200, sampler: 'steps' }),
      chainModel.score({ x: alone.values }),
    ])
    expect(one).toEqual(alone)
    expect(steps.values).toEqual(alone.values)
    expectClose(nats, alone.nats)
  })
})

describe('stream', () => {
  const collect = async (options: Parameters<OpenModel['stream']>[0]) => {
    const chunks: ArrayLike<number>[] = []
    const nats: number[] = []
    for await (const chunk of chainModel.stream(options)) {
      chunks.push(chunk.values)
      nats.push(...chunk.nats)
    }
    return { chunks, values: chunks.flatMap((chunk) => Array.from(chunk)), nats }
  }

  test.each(['graph', 'steps'] as const)('yields what sample returns, a little first (%s)', async (sampler) => {
    const options = { seed: 12, length: 150, prompt: Int32Array.of(1, 2), temperature: 0.8, firstSample: 3, sampler }
    const { chunks, values, nats } = await collect(options)
    const whole = await chainModel.sample(options)
    expect(values).toEqual(Array.from(whole.values))
    expectClose(nats, whole.nats)
    expect(chunks.map((chunk) => chunk.length)).toEqual([4, 8, 16, 32, 64, 26])
  })

  test.each(['graph', 'steps'] as const)('several grow side by side, by %s', async (sampler) => {
    const options = { seed: 4, count: 3, length: 20, prompt: Int32Array.of(1, 2), firstSample: 2, sampler }
    const rows: number[][] = [[], [], []]
    for await (const { values, nats } of chainModel.stream(options)) {
      expect(values.length).toBe(nats.length)
      const steps = nats.length / 3
      rows.forEach((row, b) => row.push(...values.subarray(b * steps, (b + 1) * steps)))
    }
    expect(rows.flat()).toEqual(Array.from((await chainModel.sample(options)).values))
  })

  test('without a length goes on until the consumer stops', async () => {
    const values: number[] = []
    for await (const chunk of chainModel.stream({ seed: 1 })) {
      values.push(...chunk.values)
      if (values.length > 300) break
    }
    expect(values).toEqual(chainSample({ seed: 1, sample: 0, length: values.length }).values)
  })

  test('stops with its signal', async () => {
    const controller = new AbortController()
    const taken: number[] = []
    const run = async () => {
      for await (const chunk of chainModel.stream({ seed: 1, signal: controller.signal })) {
        taken.push(chunk.values.length)
        if (taken.length === 2) controller.abort()
      }
    }
    await expect(run()).rejects.toThrow(InterruptedError)
    expect(taken).toEqual([4, 8])
  })

  test.each(['graph', 'steps'] as const)('of a fixed length: what sample returns, rank by rank, given values among them (%s)', async (sampler) => {
    const { length: n, components: C } = gridModel.manifest.domain as { length: number; components: number }
    const given = { values: new Int32Array(n * C).fill(1), isGiven: Uint8Array.from({ length: n }, (_, position) => position % 3 === 0 ? 1 : 0) }
    for (const request of [{ seed: 5, count: 2, sampler }, { seed: 5, count: 2, sampler, given }]) {
      const whole = await gridModel.sample(request)
      const seen = new Int32Array(2 * n * C)
      let ranks = 0
      for await (const { firstRank, values, nats } of gridModel.stream(request)) {
        const steps = nats.length / 2
        expect(firstRank).toBe(ranks)
        for (let row = 0; row < 2; row++) {
          for (let step = 0; step < steps; step++) {
            const position = gridModel.order.permutation[firstRank + step]
            seen.set(values.subarray((row * steps + step) * C, (row * steps + step + 1) * C), (row * n + position) * C)
          }
        }
        ranks += steps
      }
      expect(ranks).toBe(n)
      expect(seen).toEqual(whole.values)
    }
    expect((await gridModel.sample({ seed: 5, count: 2, given })).values).not.toEqual((await gridModel.sample({ seed: 5, count: 2 })).values)
  })

  test('a length belongs to a variable one, given values to a fixed one', () => {
    expect(() => gridModel.stream({ seed: 1, length: 3 })).toThrow(InvalidOptionError)
    expect(() => chainModel.stream({ seed: 1, length: 3, given: { values: new Int32Array(3), isGiven: new Uint8Array(3) } })).toThrow(UnsupportedError)
  })
})

describe('progress and interruption', () => {
  test('progress counts variables of all samples', async () => {
    const seen: number[] = []
    await chainModel.sample({ seed: 1, count: 3, length: 100, batchSize: 2, onProgress: ({ done, total }) => seen.push(done, total) })
    expect(seen.filter((_, i) => i % 2 === 0)).toEqual([8, 24, 56, 120, 200, 204, 212, 228, 260, 300])
    expect(new Set(seen.filter((_, i) => i % 2))).toEqual(new Set([300]))
  })

  test('waves are for models that have them', async () => {
    await expect(chainModel.sample({ seed: 1, length: 5, sampler: 'waves' })).rejects.toThrow(/sampler 'waves' cannot be used: this model draws one variable after the other/)
  })

  test('a signal ends sampling between two stretches', async () => {
    const controller = new AbortController()
    const seen: number[] = []
    const onProgress = ({ done }: { done: number }) => {
      seen.push(done)
      if (done >= 128) controller.abort()
    }
    await expect(chainModel.sample({ seed: 1, length: 10_000, signal: controller.signal, onProgress })).rejects.toThrow(InterruptedError)
    expect(seen).toEqual([4, 12, 28, 60, 124, 188])
    await expect(chainModel.sample({ seed: 1, length: 10, signal: AbortSignal.abort() })).rejects.toThrow('sample was interrupted')
    await expect(chainModel.sample({ seed: 1, length: 10, prompt: Int32Array.of(1), signal: AbortSignal.abort() })).rejects.toThrow(InterruptedError)
  })
})

describe('refuses', () => {
  test.each([
    [{ length: 5 }, /seed must be a whole number/],
    [{ seed: 2 ** 32, length: 5 }, /seed/],
    [{ seed: 1 }, /length must be a whole number/],
    [{ seed: 1, length: 0 }, /length/],
    [{ seed: 1, length: 5, count: 1.5 }, /count/],
    [{ seed: 1, length: 5, firstSample: 2 ** 32 }, /firstSample/],
    [{ seed: 1, length: 5, batchSize: 0 }, /batchSize/],
    [{ seed: 1, length: 5, temperature: 0 }, /temperature must be a finite number above 0/],
    [{ seed: 1, length: 5, temperature: Infinity }, /temperature/],
    [{ seed: 1, length: 5, temperature: 1e-60 }, /temperature/],
    [{ seed: 1, length: 5, top: 3 }, /unknown option "top"/],
    [{ seed: 1, length: 5, sampler: 'toString' }, /sampler must be one of waves, graph, steps/],
    [{ seed: 1, length: 5, prompt: [1] }, /prompt must be an Int32Array/],
    [{ seed: 1, length: 5, given: { values: new Int32Array(4), isGiven: new Uint8Array(5) } }, /given.values must be an Int32Array of 5/],
    [{ seed: 1, length: 5, given: { values: new Int32Array(5), isGiven: new Uint8Array(4) } }, /given.isGiven must be a Uint8Array of 5/],
  ])('sample(%j)', async (options, message) => {
    const attempt = chainModel.sample(options as never)
    await expect(attempt).rejects.toThrow(InvalidOptionError)
    await expect(attempt).rejects.toThrow(message)
  })

  test('values outside the domain, with their place', async () => {
    await expect(chainModel.sample({ seed: 1, length: 5, prompt: Int32Array.of(0, 3) })).rejects.toThrow(/prompt holds 3 \(sequence 0, variable 1, component 0\), expected whole numbers from 0 to 2/)
    const values = new Int32Array(8).fill(-1)
    await expect(gridModel.sample({ seed: 1, given: { values, isGiven: Uint8Array.of(0, 1, 0, 0) } })).rejects.toThrow(InvalidDataError)
    await expect(chainModel.replay({ seed: 1, length: 2, values: Int32Array.of(1, 5) })).rejects.toThrow(InvalidDataError)
  })

  test('filters that the head does not know', async () => {
    await expect(chainModel.sample({ seed: 1, length: 5, topK: 3 })).rejects.toThrow(UnsupportedError)
    expect(() => chainModel.stream({ seed: 1, minP: 0.1 })).toThrow(/does not know minP/)
  })

  test('a prompt or another length where the length is fixed', async () => {
    await expect(gridModel.sample({ seed: 1, prompt: Int32Array.of(1, 1) })).rejects.toThrow(UnsupportedError)
    await expect(gridModel.sample({ seed: 1, length: 5 })).rejects.toThrow(/have 4 variables, got length 5/)
  })

  test('unknown options of stream and replay', async () => {
    expect(() => chainModel.stream({ seed: 1, batchSize: 2 } as never)).toThrow(/unknown option "batchSize"/)
    await expect(chainModel.replay({ seed: 1, length: 1, values: Int32Array.of(0), given: {} } as never)).rejects.toThrow(/unknown option "given"/)
  })

  test('work after release', async () => {
    const model = await openModel(chain.files)
    const running = model.sample({ seed: 1, length: 20 })
    await expect(running).resolves.toBeDefined()
    await model.release()
    await model.release()
    const message = /was released and cannot be used again/
    await expect(model.sample({ seed: 1, length: 2 })).rejects.toThrow(ChainruleError)
    await expect(model.sample({ seed: 1, length: 2 })).rejects.toThrow(message)
    await expect(model.score({ x: Int32Array.of(1) })).rejects.toThrow(message)
    await expect(model.replay({ seed: 1, length: 1, values: Int32Array.of(1) })).rejects.toThrow(message)
    await expect(model.parameters()).rejects.toThrow(message)
    await expect(model.stream({ seed: 1 }).next()).rejects.toThrow(message)
  })
})

describe('a model that takes at most 10 variables', () => {
  let limited: OpenModel
  beforeAll(async () => {
    limited = await openModel(withManifest(chain.files, (manifest) => ({ ...manifest, longest: 10 })))
  })
  afterAll(() => limited.release())
  const prompt = Int32Array.of(0, 1, 2)

  test('goes that far', async () => {
    expect((await limited.sample({ seed: 1, length: 7, prompt })).values.length).toBe(7)
    expect((await limited.score({ x: new Int32Array(10) })).length).toBe(10)
    const streamed: number[] = []
    for await (const { values } of limited.stream({ seed: 1, prompt })) streamed.push(...values)
    expect(streamed).toEqual(Array.from((await limited.sample({ seed: 1, length: 7, prompt })).values))
  })

  test('and no farther', async () => {
    await expect(limited.sample({ seed: 1, length: 8, prompt })).rejects.toThrow(UnsupportedError)
    await expect(limited.sample({ seed: 1, length: 8, prompt })).rejects.toThrow(/at most 10 variables, a prompt included; 11 were asked for/)
    await expect(limited.score({ x: new Int32Array(11) })).rejects.toThrow(UnsupportedError)
    expect(() => limited.stream({ seed: 1, length: 8, prompt })).toThrow(UnsupportedError)
    expect(() => limited.stream({ seed: 1, prompt: new Int32Array(10) })).toThrow(UnsupportedError)
  })
})

test('the twin leans on no other graph than the step, its prompt included', async () => {
  const files = await openModelFiles(chain.files, node)
  const graphs = await openGraphs(files, { provider: 'cpu', threads: 1 }, openSession)
  const runs: string[] = []
  const noting = { ...graphs, run: (...args: Parameters<typeof graphs.run>) => (runs.push(args[0]), graphs.run(...args)) }
  const options = { seed: 1, length: 4, prompt: Int32Array.of(1, 2) }
  await sample(noting, files.manifest, manifestOrder(files.manifest), { ...options, sampler: 'steps' })
  expect(runs).toEqual(new Array(6).fill('step'))
  runs.length = 0
  await sample(noting, files.manifest, manifestOrder(files.manifest), { ...options, count: 3, batchSize: 2 })
  expect(runs, 'a prompt is read once for all samples').toEqual(['score', 'sample', 'sample'])
  await graphs.release()
})

test('a stream that is aborted, or left, keeps no session: once the model is released none is open', async () => {
  for (const leave of ['abort', 'break'] as const) {
    let open = 0
    const counting: typeof openSession = async (...given) => {
      const session = await openSession(...given)
      open++
      return { ...session, release: () => (open--, session.release()) }
    }
    const files = await openModelFiles(chain.files, node)
    const graphs = await openGraphs(files, { provider: 'cpu', threads: 1 }, counting)
    const controller = new AbortController()
    const grow = async () => {
      for await (const _ of stream(graphs, files.manifest, manifestOrder(files.manifest), { seed: 1, signal: controller.signal })) {
        if (leave === 'break') break
        controller.abort()
      }
    }
    if (leave === 'abort') await expect(grow()).rejects.toThrow(InterruptedError)
    else await grow()
    expect(open, 'the scoring and the sampling graph').toBe(2)
    await graphs.release()
    expect([open, graphs.open]).toEqual([0, []])
  }
})

test('the fixture is a distribution with a long memory', () => {
  expect(chainProbabilities([1, 0, 0]).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12)
  expect(chainProbabilities([1, 0, 0])).not.toEqual(chainProbabilities([0, 0, 0]))
})
