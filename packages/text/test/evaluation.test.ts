import { InvalidDataError, InvalidOptionError, type ParameterArrays, UnsupportedError } from '@chainrule/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bytePair, byte, categorical, character, evaluate, type EvaluationProtocol, fit, type LoadedText, openTrained, type TextTokenizer, textModel, trainBytePair, transformer, type TrainedText } from '../src/index.js'
import { scoredExamples } from '../src/evaluation-protocol.js'

const tokens = Int32Array.from({ length: 23 }, (_, i) => 100 + i)

/** For each token scored: its value and how many tokens are before it where the network can see them. */
function scored(protocol: EvaluationProtocol, first: number): [value: number, before: number][] {
  const examples = scoredExamples(protocol, [{ tokens, first }], false)
  return Array.from({ length: examples.length }, (_, which) => examples.at(which)).flatMap(({ x, previous, scoredFrom }) => {
    expect(previous?.[0]).toBe(x[0] === 100 ? undefined : x[0] - 1)
    return Array.from(x, (value, at): [number, number] => [value, at + (previous ? 1 : 0)]).slice(scoredFrom)
  })
}

describe('what each protocol scores', () => {
  test.each([0, 1, 4, 9, 22])('windows and sliding score each token from %i on once', (first) => {
    const wanted = [...tokens.subarray(first)]
    for (const size of [1, 3, 5, 23, 40]) {
      expect(scored({ windows: size }, first).map(([value]) => value)).toEqual(wanted)
      for (let stride = 1; stride <= size; stride += 2) {
        const pairs = scored({ sliding: size, stride }, first)
        expect(pairs.map(([value]) => value)).toEqual(wanted)
        // All that the text has, or at least size − stride + 1.
        for (const [value, before] of pairs) expect(before).toBeGreaterThanOrEqual(Math.min(value - 100, size - stride + 1))
      }
    }
  })

  test('windows see as much as fits, sliding by one always all of it', () => {
    expect(scored({ windows: 5 }, 4).slice(0, 7)).toEqual([[104, 1], [105, 2], [106, 3], [107, 4], [108, 5], [109, 1], [110, 2]])
    expect(scored({ sliding: 5, stride: 1 }, 4).slice(0, 3)).toEqual([[104, 4], [105, 5], [106, 5]])
    expect(scored({ sliding: 5, stride: 1 }, 0).map(([, before]) => before)).toEqual(Array.from(tokens, (_, i) => Math.min(i, 5)))
    const examples = scoredExamples({ sliding: 5, stride: 2 }, [{ tokens, first: 4 }], false)
    for (let i = 0; i < examples.length; i++) expect(examples.at(i).x.length).toBe(5) // one program for all
  })

  test('random windows lie anywhere in the part, each with a token before it', () => {
    const windows = (seed: number, count = 400, first = 4) => {
      const examples = scoredExamples({ random: 5, count, seed }, [{ tokens, first }], false)
      return Array.from({ length: examples.length }, (_, which) => examples.at(which))
    }
    expect(new Set(windows(1).map(({ x }) => x[0] - 100))).toEqual(new Set(Array.from({ length: 15 }, (_, i) => 4 + i)))
    for (const { x, previous, scoredFrom } of windows(1, 400, 0)) expect([previous![0], x.length, scoredFrom]).toEqual([x[0] - 1, 5, 0])
    expect(windows(1)).toEqual(windows(1))
    expect(windows(2)).not.toEqual(windows(1))
    expect(windows(1, 7)).toHaveLength(7)
  })

  test('documents are cut one by one', () => {
    const documents = [Int32Array.of(1, 2, 3, 9), Int32Array.of(4, 9)].map((each) => ({ tokens: each, first: 0 }))
    const examples = scoredExamples({ windows: 3 }, documents, true)
    expect(Array.from({ length: examples.length }, (_, i) => examples.at(i))).toEqual([
      { x: Int32Array.of(1, 2, 3), scoredFrom: 0 },
      { x: Int32Array.of(9), previous: Int32Array.of(3), scoredFrom: 0 },
      { x: Int32Array.of(4, 9), scoredFrom: 0 },
    ])
    expect(examples.description).toMatch(/each document by itself/)
    expect(() => scoredExamples({ random: 2, count: 4, seed: 0 }, documents, true)).toThrow(UnsupportedError)
  })

  test.each<[unknown, RegExp]>([
    [{}, /must be \{ windows \}/],
    [{ windows: 0 }, /protocol\.windows/],
    [{ windows: 4, stride: 2 }, /unknown option "stride"/],
    [{ sliding: 4 }, /protocol\.stride/],
    [{ sliding: 4, stride: 5 }, /from 1 to 4/],
    [{ random: 4, count: 1, seed: 0 }, /protocol\.count/],
    [{ random: 4, count: 2, seed: -1 }, /seed/],
  ])('%j is refused', (protocol, message) => {
    const cut = () => scoredExamples(protocol as EvaluationProtocol, [{ tokens, first: 0 }], false)
    expect(cut).toThrow(InvalidOptionError)
    expect(cut).toThrow(message)
  })

  test('a random window must fit', () => expect(() => scoredExamples({ random: 20, count: 2, seed: 0 }, [{ tokens, first: 4 }], false)).toThrow(InvalidDataError))
})

describe('by a trained and by an opened model', () => {
  const text = 'the cat sat on the mat; the dog sat on the log. '.repeat(8)
  let trained: TrainedText
  let loaded: LoadedText
  beforeAll(async () => {
    trained = await fit(textModel({ tokenizer: character({ characters: text }), network: transformer({ layers: 1, heads: 2, width: 16, context: 8 }) }), text, { steps: 60, batchSize: 8, seed: 1, learningRate: 1e-2, threads: 1 })
    loaded = await openTrained(trained, { provider: 'cpu', threads: 1 })
  })
  afterAll(() => loaded.release())

  test.each<[EvaluationProtocol]>([[{ windows: 8 }], [{ windows: 3 }], [{ sliding: 8, stride: 3 }], [{ sliding: 5, stride: 1 }], [{ random: 8, count: 40, seed: 3 }]])('%j gives the same', async (protocol) => {
    const options = { protocol, begin: 300 }
    const [ours, theirs] = [await evaluate(trained, text, { ...options, threads: 1 }), await evaluate(loaded, text, options)]
    expect(theirs.natsPerToken).toBeCloseTo(ours.natsPerToken, 5)
    expect({ ...theirs, totalNats: 0, natsPerToken: 0, natsPerCharacter: 0, natsPerByte: 0, bitsPerByte: 0, bitsPerCharacter: 0, natsPerTokenStandardError: 0 }).toEqual({ ...ours, totalNats: 0, natsPerToken: 0, natsPerCharacter: 0, natsPerByte: 0, bitsPerByte: 0, bitsPerCharacter: 0, natsPerTokenStandardError: 0 })
  })

  /** −log p of one token, given at most `before` tokens before it. */
  const natsAt = async (at: number, before: number) => {
    const all = trained.tokenizer.encode(text)
    const from = Math.max(0, at - before + 1)
    const x = all.slice(from, at + 1)
    const nats = await loaded.opened.score({ x, length: x.length, ...(from > 0 && { previous: all.slice(from - 1, from) }) })
    return nats[nats.length - 1]
  }

  test('sliding by one is each token given all that the window holds', async () => {
    let total = 0
    for (let at = 340; at < text.length; at++) total += await natsAt(at, 6)
    expect((await evaluate(loaded, text, { begin: 340, protocol: { sliding: 6, stride: 1 } })).totalNats).toBeCloseTo(total, 3)
  })

  test('more context is a better model; the number depends on the protocol', async () => {
    const nats = async (protocol: EvaluationProtocol) => (await evaluate(loaded, text, { begin: 200, protocol })).natsPerToken
    expect(await nats({ sliding: 8, stride: 1 })).toBeLessThan(await nats({ windows: 8 }))
    expect(await nats({ windows: 8 })).toBeLessThan(await nats({ windows: 2 }))
    expect(await nats({ sliding: 8, stride: 8 })).toBeCloseTo(await nats({ windows: 8 }), 6)
    expect((await evaluate(loaded, text, { begin: 200 })).natsPerToken).toBe(await nats({ windows: 8 })) // the window of training
  })

  test('random windows estimate the mean over all windows, within their standard error', async () => {
    const all = await evaluate(loaded, text, { begin: 200, protocol: { windows: 8 } })
    let [sum, windows] = [0, 0]
    for (let begin = 200; begin + 8 <= text.length; begin++, windows++) sum += (await evaluate(loaded, text, { begin, end: begin + 8, protocol: { windows: 8 } })).natsPerToken
    const estimate = await evaluate(loaded, text, { begin: 200, protocol: { random: 8, count: 300, seed: 4 } })
    const error = estimate.natsPerTokenStandardError!
    expect(error).toBeGreaterThan(0)
    expect(Math.abs(estimate.natsPerToken - sum / windows)).toBeLessThan(4 * error)
    expect(Math.abs(estimate.natsPerToken - sum / windows)).toBeGreaterThan(0)
    const larger = await evaluate(loaded, text, { begin: 200, protocol: { random: 8, count: 1200, seed: 4 } })
    expect(error / larger.natsPerTokenStandardError!).toBeCloseTo(2, 0)
    expect([estimate.characters, estimate.tokens]).toEqual([all.characters, all.tokens])
    expect(all.natsPerTokenStandardError).toBeUndefined()
  })

  test('options of one kind of model are refused by the other, unknown ones by both', async () => {
    await expect(evaluate(loaded, text, { threads: 1 })).rejects.toThrow(/engine and threads are for trained models/)
    await expect(evaluate(trained, text, { window: 8 } as object)).rejects.toThrow(/unknown option "window"/)
    await expect(evaluate(trained, [text], {})).rejects.toThrow(InvalidOptionError)
  })
})

describe('units', () => {
  const text = 'Naïve? 日本語 – the cat, the mat, the hat. '.repeat(6)
  const bytes = new TextEncoder().encode(text).length
  const characters = [...text].length

  /** A model that gives each token a probability, whatever came before: every embedding is the same, no layer adds to it, and the head reads its first feature, √2. */
  async function memoryless(tokenizer: TextTokenizer, logProbability: (token: number) => number, training = text): Promise<TrainedText> {
    const trained = await fit(textModel({ tokenizer, network: transformer({ layers: 1, heads: 1, width: 4, context: 8 }), head: categorical() }), training, { steps: 1, batchSize: 1, seed: 0, threads: 1 })
    const values = tokenizer.domain.values
    const changed = (name: string, data: Float32Array) => {
      if (name === 'network/embedding') return Float32Array.from(data, (_, at) => [100, -100, 0, 0][at % 4])
      if (name === 'head/weight') return Float32Array.from(data, (_, at) => (at < values ? logProbability(at) / Math.SQRT2 : 0))
      return name === 'network/normalization' ? data.map(() => 1) : new Float32Array(data.length)
    }
    const parameters: ParameterArrays = Object.fromEntries(Object.entries(trained.parameters).map(([name, { shape, data }]) => [name, { shape, data: changed(name, data) }]))
    return { ...trained, parameters }
  }

  test('a uniform model needs log₂ V bits for each token, whatever a token is', async () => {
    for (const tokenizer of [byte(), character({ characters: text }), trainBytePair(text, { vocabulary: 280 })]) {
      const bits = Math.log2(tokenizer.domain.values)
      const tokens = tokenizer.encode(text).length
      const result = await evaluate(await memoryless(tokenizer, () => 0), text, { threads: 1 })
      expect(result).toMatchObject({ bytes, characters, tokens })
      expect(result.natsPerToken).toBeCloseTo(bits * Math.LN2, 5)
      expect(result.bitsPerByte).toBeCloseTo((bits * tokens) / bytes, 5)
      expect(result.natsPerByte).toBeCloseTo((bits * tokens * Math.LN2) / bytes, 5)
      expect(result.bitsPerCharacter).toBeCloseTo((bits * tokens) / characters, 5)
    }
  })

  test('two tokenizers, one distribution: the same bits per byte, those of its entropy', async () => {
    // Bytes are drawn independently; a pair of bytes that is one token has the product of their probabilities.
    const ascii = 'abacabad'.repeat(16)
    const probability: Record<string, number> = { a: 1 / 2, b: 1 / 4, c: 1 / 8, d: 1 / 8 }
    const ofToken = (tokenizer: TextTokenizer) => (token: number) => {
      const spelled = tokenizer.decode([token])
      return [...spelled].reduce((sum, letter) => sum + Math.log(probability[letter] ?? 1e-30), 0)
    }
    const bits = [...ascii].reduce((sum, letter) => sum - Math.log2(probability[letter]), 0) / ascii.length
    expect(bits).toBe(1.75)
    const letters = character({ characters: 'abcd' })
    expect((await evaluate(await memoryless(letters, ofToken(letters), ascii), ascii, { threads: 1 })).bitsPerByte).toBeCloseTo(1.75, 5)
    expect((await evaluate(await memoryless(byte(), ofToken(byte()), ascii), ascii, { threads: 1 })).bitsPerByte).toBeCloseTo(1.75, 5)
    // All pairs of letters as tokens: their probabilities sum to 1 without the single bytes.
    const merges = [...'abcd'].flatMap((left) => [...'abcd'].map((right) => `${left} ${right}`))
    const pairs = bytePair({ merges, pattern: String.raw`\p{L}{2}` })
    const onlyPairs = (token: number) => (token < 256 ? -60 : ofToken(pairs)(token))
    const result = await evaluate(await memoryless(pairs, onlyPairs, ascii), ascii, { threads: 1 })
    expect(result.tokens).toBe(ascii.length / 2)
    expect(result.bitsPerByte).toBeCloseTo(1.75, 5)
  })

  test('a part has its own bytes, and no token lies across its beginning', async () => {
    const pairs = bytePair({ merges: ['t h', 'th e'], pattern: null })
    const uniform = await memoryless(pairs, () => 0)
    const begin = text.indexOf('the') + 1
    const { bytes, tokens, totalNats } = await evaluate(uniform, text, { begin, end: begin + 6, threads: 1 })
    expect([bytes, tokens]).toEqual([6, pairs.encode(text.slice(begin, begin + 6)).length])
    expect(totalNats).toBeCloseTo(tokens * Math.log(258), 4)
  })
})
