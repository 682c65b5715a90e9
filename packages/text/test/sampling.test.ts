/** Sampling options of texts: filters, stop strings, streams and interruption. */
import { InterruptedError, InvalidOptionError } from '@chainrule/core'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { byte, categorical, character, fit, type LoadedText, openTrained, sample, stream, textModel, transformer, type TrainedText } from '../src/index.js'
import { checkStop, stopping } from '../src/stop.js'

const text = 'abcdefghijklmnopqrstuvwxyz\n'.repeat(30)
const network = () => transformer({ layers: 1, heads: 2, width: 16, context: 8 })
let trained: TrainedText
let model: LoadedText
/** Untrained, of bytes: what it generates is mostly no valid UTF-8. */
let noise: LoadedText
beforeAll(async () => {
  trained = await fit(textModel({ tokenizer: character({ characters: text }), network: network(), head: categorical({ tied: true }) }), text, { steps: 150, batchSize: 8, seed: 1, learningRate: 2e-2, threads: 1 })
  model = await openTrained(trained)
  noise = await openTrained(await fit(textModel({ tokenizer: byte(), network: network(), head: categorical() }), 'é日本😀'.repeat(40), { steps: 60, batchSize: 8, seed: 1, learningRate: 2e-2, threads: 1 }))
})
afterAll(async () => {
  await model.release()
  await noise.release()
})

const collect = async (pieces: AsyncIterable<string>) => {
  const all: string[] = []
  for await (const piece of pieces) all.push(piece)
  return all
}

describe('stopping', () => {
  /** What a text is cut to, by the definition. */
  const cut = (whole: string, stops: readonly string[]) => {
    const places = stops.map((stop) => whole.indexOf(stop)).filter((at) => at >= 0)
    return places.length ? whole.slice(0, Math.min(...places)) : whole
  }
  test('cuts before the first stop string, whatever pieces the text comes in, and tells none of it before', () =>
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 4 }), { maxLength: 8 }), fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 }), { maxLength: 3 }), (pieces, stops) => {
        const whole = pieces.join('')
        const stop = stopping(stops)
        let told = ''
        for (const piece of pieces) {
          told += stop.push(piece)
          expect(cut(whole, stops).startsWith(told)).toBe(true)
        }
        expect(told + stop.end()).toBe(cut(whole, stops))
        expect(stop.isStopped).toBe(cut(whole, stops) !== whole)
      }),
      { numRuns: 2000, seed: 1 },
    ))
  test('tells at once what cannot become one', () => {
    const stop = stopping(['###', '\n\n'])
    expect(['ab#', '#c', '\n', 'd', '##', '#e'].map((piece) => stop.push(piece))).toEqual(['ab', '##c', '', '\nd', '', ''])
    expect(stop.isStopped).toBe(true)
    expect(stop.push('more') + stop.end()).toBe('')
  })
  test('refuses what is no stop string', () => {
    expect(checkStop('sample', undefined)).toEqual([])
    expect(checkStop('sample', 'a')).toEqual(['a'])
    for (const stop of ['', ['a', ''], 3, [null], ['\ud83d']]) expect(() => checkStop('sample', stop)).toThrow(InvalidOptionError)
  })
})

describe('filters', () => {
  test('each changes what is drawn, also in a stream', async () => {
    const options = { prompt: 'a', length: 60, seed: 3, temperature: 4 }
    const [plain] = await sample(model, options)
    for (const filters of [{ topK: 2 }, { topP: 0.5 }, { minP: 0.2 }, { repetitionPenalty: 3 }]) {
      const [filtered] = await sample(model, { ...options, ...filters })
      expect(filtered, JSON.stringify(filters)).not.toBe(plain)
      expect(`a${(await collect(stream(model, { ...options, ...filters }))).join('')}`).toBe(filtered)
    }
  })
  test('of the likeliest value alone: the alphabet, at any temperature', async () => {
    const alphabet = 'bcdefghijklmnopqrstuvwxyz\nabcd'
    expect(await sample(model, { prompt: 'a', length: 30, temperature: 5, topK: 1 })).toEqual([`a${alphabet}`])
    expect(await sample(model, { prompt: 'a', length: 30, temperature: 2, topP: 1e-3 })).toEqual([`a${alphabet}`])
    expect(await sample(model, { prompt: 'a', length: 30, temperature: 5, minP: 1 })).toEqual([`a${alphabet}`])
  })
  test('are checked', async () => {
    await expect(sample(model, { topP: 0 })).rejects.toThrow(/topP must be above 0/)
    await expect(collect(stream(model, { topK: -1 }))).rejects.toThrow(/topK must be a whole number/)
  })
})

describe('stop strings', () => {
  const options = { prompt: 'efgh', length: 120, seed: 2, temperature: 0.5 }
  test('end a text before the first of them, spread over several tokens', async () => {
    expect(await sample(model, { ...options, stop: 'xyz' })).toEqual(['efghijklmnopqrstuvw'])
    expect(await sample(model, { ...options, stop: ['not there', '\nabc', 'z\na'] })).toEqual(['efghijklmnopqrstuvwxy'])
    expect((await collect(stream(model, { ...options, stop: ['xyz'] }))).join('')).toBe('ijklmnopqrstuvw')
  })
  test('are looked for after the prompt only, and change nothing where there are none', async () => {
    expect(await sample(model, { ...options, stop: 'efgh', length: 10 })).toEqual(await sample(model, { ...options, length: 10 }))
    expect(await sample(model, { ...options, stop: '!' })).toEqual(await sample(model, options))
    expect((await collect(stream(model, { ...options, stop: '!' }))).join('')).toBe((await collect(stream(model, options))).join(''))
  })
  test('end every text of many in its own place, and the work when all have ended', async () => {
    const many = { prompt: 'a', count: 70, length: 400, seed: 5, temperature: 1.6, stop: 'e' }
    const whole = await sample(model, { ...many, stop: undefined })
    const seen: number[] = []
    const noting: LoadedText = {
      ...model,
      opened: {
        ...model.opened,
        async *stream(request) {
          for await (const chunk of model.opened.stream(request)) {
            seen.push(chunk.nats.length / request.count!)
            yield chunk
          }
        },
      },
    }
    expect(await sample(noting, many)).toEqual(whole.map((one) => (one.indexOf('e', 1) < 0 ? one : one.slice(0, one.indexOf('e', 1)))))
    expect(seen.reduce((a, b) => a + b, 0)).toBeLessThan(2 * 400)
  })
})

describe('a stream', () => {
  test('never ends a piece inside of a character', async () => {
    const pieces = await collect(stream(noise, { length: 300, seed: 4, temperature: 0.7 }))
    const [whole] = await sample(noise, { length: 300, seed: 4, temperature: 0.7 })
    expect(pieces.join('')).toBe(whole)
    expect(whole).toMatch(/[日本😀]/u)
    for (const piece of pieces) expect(piece).not.toMatch(/\p{Surrogate}/u)
  })
  test('ends within a stretch when it is interrupted', async () => {
    const controller = new AbortController()
    const pieces: string[] = []
    const run = async () => {
      for await (const piece of stream(model, { length: 100_000, signal: controller.signal, stop: '!' })) {
        pieces.push(piece)
        controller.abort()
      }
    }
    await expect(run()).rejects.toThrow(InterruptedError)
    expect(pieces).toHaveLength(1)
  })
})

test('a sample of a trained model can be interrupted', async () => {
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 200)
  await expect(sample(trained, { length: 1_000_000, signal: controller.signal })).rejects.toThrow(InterruptedError)
  await expect(sample(trained, { length: 1_000_000, stop: '!', signal: AbortSignal.abort() })).rejects.toThrow(InterruptedError)
})
