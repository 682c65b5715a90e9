import { InterruptedError, InvalidDataError, InvalidModelError, InvalidOptionError, UnsupportedError, weightsFile } from '@chainrule/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type OpenModel, openModel } from '../src/index.js'
import { chain, grid, gridPermutation, gridProbabilities, listing, withManifest } from './fixture.js'
import { chainNats } from './oracle.js'

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

const sum = (numbers: Iterable<number>) => Array.from(numbers).reduce((total, number) => total + number, 0)
const someValues = (length: number, factor = 1) => Int32Array.from({ length }, (_, i) => (factor * i * i + Math.floor(i / 5)) % 3)
const expectClose = (actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5) => {
  expect(actual.length).toBe(expected.length)
  for (let i = 0; i < actual.length; i++) expect(Math.abs(actual[i] - expected[i]), `entry ${i}`).toBeLessThanOrEqual(tolerance)
}

describe('a variable length', () => {
  test.each([1, 255, 256, 257, 700])('%i variables, chunk by chunk: the nats of the whole', async (n) => {
    const x = someValues(2 * n)
    const nats = await chainModel.score({ x, length: n })
    for (let b = 0; b < 2; b++) expectClose(nats.subarray(b * n, (b + 1) * n), chainNats(x.subarray(b * n, (b + 1) * n)))
  })

  test('without a length x is one sequence', async () => {
    expectClose(await chainModel.score({ x: someValues(20) }), chainNats(someValues(20)))
  })

  test('the probabilities of all strings sum to 1', async () => {
    const x = Int32Array.from({ length: 243 * 5 }, (_, at) => Math.floor(Math.floor(at / 5) / 3 ** (at % 5)) % 3)
    const nats = await chainModel.score({ x, length: 5 })
    const total = sum(Array.from({ length: 243 }, (_, string) => Math.exp(-sum(nats.subarray(string * 5, string * 5 + 5)))))
    expect(total).toBeCloseTo(1, 5)
  })

  test('a sequence cut from a longer one starts with the variable before it', async () => {
    // The chain's row also reads the state, zeros here: after the value 2 with nothing known before it.
    const nats = await chainModel.score({ x: Int32Array.of(0, 0), length: 1, previous: Int32Array.of(2, 1) })
    const row = (previous: number) => Array.from(chain.table.subarray((1 + 9 * (previous % 2) + previous) * 3, (1 + 9 * (previous % 2) + previous) * 3 + 3))
    const expected = [2, 1].map((previous) => Math.log(sum(row(previous).map(Math.exp))) - row(previous)[0])
    expectClose(nats, expected)
    const mixed = await chainModel.score({ x: Int32Array.of(0, 0), length: 1, previous: Int32Array.of(2, 1), isStart: Uint8Array.of(1, 0) })
    expectClose(mixed, [chainNats([0])[0], expected[1]])
  })

  test('batches make no difference', async () => {
    const x = someValues(5 * 30, 2)
    const whole = await chainModel.score({ x, length: 30 })
    expectClose(await chainModel.score({ x, length: 30, batchSize: 2 }), whole, 1e-6)
    const previous = Int32Array.of(0, 1, 2, 1, 0)
    const isStart = Uint8Array.of(0, 1, 0, 0, 1)
    expectClose(await chainModel.score({ x, length: 30, batchSize: 2, previous, isStart }), await chainModel.score({ x, length: 30, previous, isStart }), 1e-6)
  })

  test('scores what was sampled, as it was sampled', async () => {
    const { values, nats } = await chainModel.sample({ seed: 1, count: 3, length: 400 })
    expectClose(await chainModel.score({ x: values, length: 400 }), nats)
  })
})

describe('a fixed length', () => {
  test('nats by position', async () => {
    const x = someValues(6 * 8)
    const nats = await gridModel.score({ x, batchSize: 4 })
    for (let b = 0; b < 6; b++) {
      const at = (position: number) => Array.from(x.subarray(b * 8 + position * 2, b * 8 + position * 2 + 2))
      gridPermutation.forEach((position, rank) => {
        const before = rank > 0 ? at(gridPermutation[rank - 1]) : undefined
        const expected = -sum(at(position).map((value, component) => Math.log(gridProbabilities(rank, component, before)[value])))
        expectClose([nats[b * 4 + position]], [expected])
      })
    }
  })

  test('the probabilities of all x sum to 1', async () => {
    const x = Int32Array.from({ length: 6561 * 8 }, (_, at) => Math.floor(Math.floor(at / 8) / 3 ** (at % 8)) % 3)
    const nats = await gridModel.score({ x })
    const total = sum(Array.from({ length: 6561 }, (_, which) => Math.exp(-sum(nats.subarray(which * 4, which * 4 + 4)))))
    expect(total).toBeCloseTo(1, 5)
  })
})

describe('progress and interruption', () => {
  test('progress counts variables', async () => {
    const seen: number[] = []
    await chainModel.score({ x: someValues(600), length: 300, batchSize: 1, onProgress: ({ done, total }) => seen.push(done, total) })
    expect(seen).toEqual([256, 600, 300, 600, 556, 600, 600, 600])
    seen.length = 0
    await gridModel.score({ x: someValues(24), batchSize: 2, onProgress: ({ done }) => seen.push(done) })
    expect(seen).toEqual([8, 12])
  })

  test('a signal ends it between two chunks', async () => {
    const controller = new AbortController()
    const seen: number[] = []
    const attempt = chainModel.score({ x: someValues(5_000), signal: controller.signal, onProgress: ({ done }) => seen.push(done) > 1 && controller.abort() })
    await expect(attempt).rejects.toThrow(InterruptedError)
    expect(seen).toEqual([256, 512])
    await expect(gridModel.score({ x: someValues(8), signal: AbortSignal.abort() })).rejects.toThrow(InterruptedError)
  })
})

describe('refuses', () => {
  test.each([
    [{ x: [1, 2] }, /x must be an Int32Array/],
    [{ x: new Int32Array(0) }, /length must be a whole number/],
    [{ x: new Int32Array(5), length: 2 }, /x has 5 numbers, expected a multiple of 2/],
    [{ x: new Int32Array(4), length: 2, previous: new Int32Array(1) }, /previous must be an Int32Array of 2 sequences/],
    [{ x: new Int32Array(4), length: 2, isStart: Uint8Array.of(1, 0) }, /sequence 1 continues something, but previous is missing/],
    [{ x: new Int32Array(4), length: 2, previous: new Int32Array(2), isStart: new Uint8Array(3) }, /isStart must be a Uint8Array of 2/],
    [{ x: new Int32Array(4), batchSize: 0 }, /batchSize/],
    [{ x: new Int32Array(4), seed: 1 }, /unknown option "seed"/],
  ])('score(%j)', async (options, message) => {
    const attempt = chainModel.score(options as never)
    await expect(attempt).rejects.toThrow(InvalidOptionError)
    await expect(attempt).rejects.toThrow(message)
  })

  test('what does not suit a fixed length', async () => {
    await expect(gridModel.score({ x: new Int32Array(8), previous: new Int32Array(2) })).rejects.toThrow(UnsupportedError)
    await expect(gridModel.score({ x: new Int32Array(10) })).rejects.toThrow(/x has 10 numbers, expected a multiple of 4 variables × 2 components/)
    await expect(gridModel.score({ x: new Int32Array(8), length: 2 })).rejects.toThrow(/have 4 variables, got length 2/)
  })

  test('values outside the domain, with their place', async () => {
    await expect(gridModel.score({ x: Int32Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0) })).rejects.toThrow(/sequence 1, variable 1, component 1/)
    await expect(chainModel.score({ x: Int32Array.of(0, -1) })).rejects.toThrow(InvalidDataError)
    await expect(chainModel.score({ x: Int32Array.of(0), previous: Int32Array.of(7) })).rejects.toThrow(/previous holds 7/)
  })
})

test('weights that are no numbers are said to be damaged, by every verb, instead of NaN or texts of nothing', async () => {
  const weights = chain.files[weightsFile].slice()
  weights.fill(0xff, weights.length - chain.table.byteLength)
  const model = await openModel(withManifest({ ...chain.files, [weightsFile]: weights }, (manifest) => ({ ...manifest, files: { ...manifest.files, [weightsFile]: listing(weights) } })))
  const attempts = [
    model.score({ x: Int32Array.of(0, 1) }),
    model.sample({ seed: 1, length: 2 }),
    model.sample({ seed: 1, length: 2, sampler: 'steps' }),
    model.sample({ seed: 1, length: 2, prompt: Int32Array.of(1) }),
    model.stream({ seed: 1, length: 2 }).next(),
  ]
  const errors = await Promise.all(attempts.map((attempt) => attempt.catch((error: unknown) => error)))
  for (const [which, graph] of ['score', 'sample', 'step', 'score', 'sample'].entries()) {
    expect(errors[which]).toBeInstanceOf(InvalidModelError)
    expect((errors[which] as Error).message).toMatch(new RegExp(`${graph}\\.onnx gives NaN for −log p: the weights are damaged`))
  }
  await model.release()
})
