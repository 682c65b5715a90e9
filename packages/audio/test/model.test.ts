import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidDataError, InvalidOptionError } from '@chainrule/core'
import { afterAll, describe, expect, it } from 'vitest'
import { type AudioModel, audioModel, categorical, causalConvolution, evaluate, exportModel, fit, frameHead, frames, linear, loadModel, muLaw, openTrained, readSound, recurrent, sample, score, type Sound, stream } from '../src/index.js'
import { encodedValues, soundWindows } from '../src/windows.js'

const folder = mkdtempSync(join(tmpdir(), 'chainrule-audio-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const sampleRateHz = 8_000
const tone = (length: number, period: number, at = 0): Sound => ({ sampleRateHz, samples: Float32Array.from({ length }, (_, t) => 0.8 * Math.sin((2 * Math.PI * (t + at)) / period)) })
const sounds = [tone(400, 16), tone(320, 16, 5), tone(480, 16, 11)]
const encoding = muLaw({ levels: 16 })
const settings = { steps: 60, batchSize: 4, seed: 1, learningRate: 1e-2, threads: 1 }
const waveNet = (ends = false) => audioModel({ tokenizer: frames({ sampleRateHz, encoding, ends }), network: causalConvolution({ layers: 4, width: 12, input: 'scaled' }), head: categorical() })

describe('a model of samples', () => {
  it('learns a tone, measures it exactly, goes on with it, and is the same when exported', { timeout: 120_000 }, async () => {
    const losses: number[] = []
    const trained = await fit(waveNet(), sounds, { ...settings, window: 64, onProgress: ({ nats }) => losses.push(nats) })
    expect(losses).toHaveLength(60)
    const held = tone(320, 16, 3)
    const result = await evaluate(trained, [held, tone(80, 16)])
    expect(result).toMatchObject({ sounds: 2, samples: 400, seconds: 400 / sampleRateHz })
    expect(result.bitsPerSample).toBeLessThan(1.5)
    expect(result.bitsPerSample).toBeCloseTo(result.totalNats / 400 / Math.LN2, 6)

    const path = join(folder, 'model')
    await exportModel(trained, path, { dataLicence: 'none: computed' })
    const loaded = await loadModel(path, { provider: 'cpu' })
    try {
      expect(loaded.manifest.card.training).toMatchObject({ window: 64, updates: 60 })
      const one = await score(loaded, held)
      expect(one.nats).toHaveLength(320)
      expect(one.totalNats + (await score(loaded, tone(80, 16))).totalNats).toBeCloseTo(result.totalNats, 3)
      const prompt = { sampleRateHz, samples: held.samples.slice(0, 100) }
      const request = { prompt, frames: 60, seed: 4 }
      const [drawn, other] = await sample(loaded, { ...request, count: 2 })
      expect(drawn.samples).toHaveLength(160)
      expect(drawn.samples).not.toEqual(other.samples)
      expect(loaded.tokenizer.encode({ sampleRateHz, samples: drawn.samples.slice(0, 100) })).toEqual(loaded.tokenizer.encode(prompt))
      expect((await sample(trained, { ...request, count: 2 }))[0]).toEqual(drawn)
      const pieces: number[] = []
      for await (const piece of stream(loaded, request)) pieces.push(...piece)
      expect(Float32Array.from(pieces)).toEqual(drawn.samples.subarray(100))
      expect((await sample(loaded, { ...request, temperature: 0.01 }))[0]).not.toEqual(drawn)
    } finally {
      await loaded.release()
    }
  })
  it('that end: samples end by themselves', { timeout: 120_000 }, async () => {
    const short = Array.from({ length: 8 }, () => tone(24, 8))
    const trained = await fit(waveNet(true), short, { ...settings, steps: 200, window: 32 })
    const drawn = await sample(trained, { count: 6, frames: 200, seed: 2 })
    expect(drawn.filter(({ samples }) => samples.length < 200).length).toBeGreaterThan(3)
    const { nats, samples } = await score(trained, short[0])
    expect([nats.length, samples]).toEqual([25, 24])
    const opened = await openTrained(trained)
    let streamed = 0
    for await (const piece of stream(opened, { frames: 200, seed: 2 })) streamed += piece.length
    await opened.release()
    expect(streamed).toBe(drawn[0].samples.length)
  })
})

describe('a model of frames', () => {
  it.each<[string, () => AudioModel, object]>([
    ['of any length', () => audioModel({ tokenizer: frames({ sampleRateHz, length: 4, encoding }), network: recurrent({ cell: 'gru', layers: 1, width: 16 }), head: frameHead({ sample: categorical(), width: 16 }) }), { window: 16 }],
    ['of one length, 16 bits', () => audioModel({ tokenizer: frames({ sampleRateHz, length: 4, count: 20, encoding: linear() }), network: causalConvolution({ layers: 3, width: 8, input: 'scaled' }), head: frameHead({ width: 16 }) }), {}],
  ])('%s', { timeout: 120_000 }, async (_, make, options) => {
    const model = make()
    const own = model.tokenizer.options.count === 20 ? [tone(80, 16), tone(80, 16, 4), tone(80, 16, 9)] : sounds
    const before = await evaluate(await fit(model, own, { ...settings, ...options, steps: 1 }), own)
    const trained = await fit(model, own, { ...settings, ...options })
    const after = await evaluate(trained, own)
    expect(after.bitsPerSample).toBeLessThan(before.bitsPerSample! - 0.3)
    const [drawn] = await sample(trained, { seed: 1, ...('window' in options && { frames: 20 }) })
    expect(drawn.samples).toHaveLength(80)
  })
})

it('training windows: each frame about as often as any other, beginnings among them', () => {
  const domain = { length: 'variable', components: 2, values: 100 } as const
  const [a, b] = [Int32Array.from({ length: 12 }, (_, i) => i), Int32Array.from({ length: 8 }, (_, i) => 50 + i)]
  const data = soundWindows([a, b].map((row) => encodedValues(row, 2)), domain, 3)
  expect(data.length).toBe(10)
  expect([0, 1, 2].map((index) => [...data.at(index).x])).toEqual(Array(3).fill([0, 1, 2, 3, 4, 5]))
  expect(data.at(2).previous).toBeUndefined()
  expect(data.at(3)).toEqual({ x: Int32Array.of(2, 3, 4, 5, 6, 7), previous: Int32Array.of(0, 1) })
  expect(data.at(5)).toEqual({ x: Int32Array.of(6, 7, 8, 9, 10, 11), previous: Int32Array.of(4, 5) })
  expect(data.at(6)).toEqual({ x: Int32Array.of(50, 51, 52, 53, 54, 55) })
  expect(data.at(9)).toEqual({ x: Int32Array.of(52, 53, 54, 55, 56, 57), previous: Int32Array.of(50, 51) })
  expect(() => soundWindows([a, b].map((row) => encodedValues(row, 2)), domain, 5)).toThrow(/sound 1 has 4 frames, a training window needs 5/)
  const ended = soundWindows([encodedValues(Int32Array.of(1, 2, 4), 1)], { length: 'variable', components: 1, values: 5, end: 4 }, 5)
  expect([...ended.at(0).x]).toEqual([1, 2, 4, 4, 4])
})

describe('what does not fit is refused', () => {
  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['no window', () => fit(waveNet(), sounds, settings), /say how many frames one has \(window\)/],
    ['no sound', () => fit(waveNet(), [], { ...settings, window: 8 }), /there is no sound/],
    ['a window for sounds of one length', () => fit(audioModel({ tokenizer: frames({ sampleRateHz, encoding, count: 400 }), network: recurrent({ layers: 1, width: 4 }), head: categorical() }), [sounds[0]], { ...settings, window: 8 }), /taken whole\. Leave window out/],
    ['one sound, no list', () => fit(waveNet(), sounds[0] as never, { ...settings, window: 8 }), /expected a list of sounds/],
    ['no sound at all', () => fit(waveNet(), [null as never], { ...settings, window: 8 }), /expected a sound, \{ sampleRateHz, samples \}/],
    ['a plain list of samples', () => fit(waveNet(), [{ sampleRateHz, samples: [0, 0] as never }], { ...settings, window: 8 }), /a Float32Array/],
    ['no path', () => readSound(undefined as never), /expected the path of a sound file, got undefined/],
    ['another rate', () => fit(waveNet(), [{ ...sounds[0], sampleRateHz: 16_000 }], { ...settings, window: 8 }), /16000 Hz, expected 8000/],
  ])('%s', async (_, use, message) => {
    await expect(use()).rejects.toThrow(message)
    const error = await use().catch((error: unknown) => error)
    expect(error instanceof InvalidOptionError || error instanceof InvalidDataError).toBe(true)
  })
})
