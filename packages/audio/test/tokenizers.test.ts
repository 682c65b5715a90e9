import { InvalidDataError, InvalidOptionError, leftToRight, UnknownPieceError } from '@chainrule/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkSound, clipped, frames, linear, muLaw, type SoundEncoding, tokenizerFromName, wholeFrames } from '../src/index.js'

const encodings: [string, SoundEncoding][] = [
  ...[1, 2, 8, 16].map((bits): [string, SoundEncoding] => [`linear, ${bits} bits`, linear({ bits })]),
  ...[2, 3, 16, 256, 65_536].map((levels): [string, SoundEncoding] => [`μ-law, ${levels} levels`, muLaw({ levels })]),
]
const sampleRateHz = 8_000

describe.each(encodings)('%s', (_, encoding) => {
  const V = encoding.values as number
  const tokenizer = frames({ sampleRateHz, encoding })
  it('every level is the level of its amplitude, in float32 too', () => {
    const levels = Int32Array.from({ length: V }, (_, level) => level)
    expect(tokenizer.encode(tokenizer.decode(levels))).toEqual(levels)
  })
  it('decodes within the error that it declares, and no closer bound holds', () => {
    const errorOf = (amplitude: number) => Math.abs(encoding.amplitudeOf(encoding.levelOf(amplitude)) - amplitude)
    fc.assert(fc.property(fc.double({ min: -1, max: 1, noNaN: true }), (amplitude) => errorOf(amplitude) <= tokenizer.largestError))
    const dense = Array.from({ length: 400_001 }, (_, i) => errorOf(-1 + i / 200_000)).reduce((most, error) => Math.max(most, error), 0)
    expect(dense).toBeLessThanOrEqual(tokenizer.largestError)
    if (V <= 256) expect(dense).toBeGreaterThan(0.98 * tokenizer.largestError)
  })
  it('louder amplitudes never have a lower level', () => {
    let last = -1
    for (let i = 0; i <= 2_000; i++) {
      const level = encoding.levelOf(-1 + i / 1_000)
      expect(level).toBeGreaterThanOrEqual(last)
      last = level
    }
    expect([encoding.levelOf(-1), last]).toEqual([0, V - 1])
  })
})

it('16 bits are those of PCM files, without loss', () => {
  const tokenizer = frames({ sampleRateHz, encoding: linear() })
  const pcm = Int32Array.from({ length: 65_536 }, (_, i) => i - 32_768)
  const samples = Float32Array.from(pcm, (value) => value / 32_768)
  expect(tokenizer.encode({ sampleRateHz, samples })).toEqual(pcm.map((value) => value + 32_768))
  expect(tokenizer.decode(tokenizer.encode({ sampleRateHz, samples })).samples).toEqual(samples)
})

it('μ-law of 256 levels: the curve at known places', () => {
  const { levelOf, amplitudeOf } = muLaw()
  // F(0.1) = log(1 + 25.5) / log 256 = 0.59100
  expect([levelOf(0), levelOf(0.1), levelOf(-0.1), levelOf(1)]).toEqual([128, Math.round((255 * 1.591) / 2), Math.round((255 * 0.409) / 2), 255])
  expect(amplitudeOf(0)).toBeCloseTo(-1, 12)
  expect(amplitudeOf(128)).toBeCloseTo((256 ** (1 / 255) - 1) / 255, 12)
})

describe('frames', () => {
  const sound = { sampleRateHz, samples: Float32Array.of(0, 0.5, -0.5, 0.25, -1, 0.75) }
  it('say what x is', () => {
    expect(frames({ sampleRateHz, encoding: muLaw() }).domain).toEqual({ length: 'variable', components: 1, values: 256 })
    expect(frames({ sampleRateHz, encoding: linear(), length: 3 }).domain).toEqual({ length: 'variable', components: 3, values: 65_536 })
    const fixed = frames({ sampleRateHz, encoding: muLaw(), length: 2, count: 3 })
    expect(fixed.domain).toEqual({ length: 3, components: 2, values: 256, locations: { axes: ['time'], shape: [3] } })
    expect(leftToRight().resolve(fixed.domain).isLeftToRight).toBe(true)
    expect(frames({ sampleRateHz, encoding: muLaw(), ends: true }).domain).toEqual({ length: 'variable', components: 1, values: 257, end: 256 })
  })
  it('hold the samples in their order', () => {
    for (const options of [{ length: 3 }, { length: 2, count: 3 }, {}]) {
      const tokenizer = frames({ sampleRateHz, encoding: linear(), ...options })
      expect(tokenizer.decode(tokenizer.encode(sound))).toEqual(sound)
    }
  })
  it('a sound that ends has its end as a value, and what follows is no sound', () => {
    const tokenizer = frames({ sampleRateHz, encoding: linear({ bits: 4 }), ends: true })
    expect([...tokenizer.encode({ sampleRateHz, samples: Float32Array.of(0, -1) })]).toEqual([8, 0, 16])
    expect(tokenizer.decode([8, 0, 16, 16, 16])).toEqual({ sampleRateHz, samples: Float32Array.of(0, -1) })
    expect(tokenizer.decode([8, 0])).toEqual({ sampleRateHz, samples: Float32Array.of(0, -1) })
    expect(() => tokenizer.decode([8, 16, 3])).toThrow(/value 2 is 3, expected 16: the sound has ended/)
    expect(frames({ sampleRateHz, encoding: linear({ bits: 4 }) }).encode({ sampleRateHz, samples: Float32Array.of(0, -1) })).toHaveLength(2)
  })
  it('are rebuilt from a file', () => {
    for (const made of [frames({ sampleRateHz, encoding: muLaw({ levels: 64 }), length: 4 }), frames({ sampleRateHz, encoding: linear({ bits: 8 }), count: 7 }), frames({ sampleRateHz, encoding: linear(), ends: true })]) {
      const { name, options } = JSON.parse(JSON.stringify({ name: made.name, options: made.options }))
      const again = tokenizerFromName({ name, options })
      expect([again.options, again.domain, again.largestError]).toEqual([made.options, made.domain, made.largestError])
    }
    expect(() => tokenizerFromName({ name: 'frame', options: {} })).toThrow(UnknownPieceError)
    expect(() => frames({ sampleRateHz, encoding: { name: 'aLaw', options: {} } })).toThrow(UnknownPieceError)
  })
  it.each([
    [{ sampleRateHz: 8_000.5, encoding: muLaw() }, /sampleRateHz/],
    [{ sampleRateHz, encoding: muLaw(), length: 0 }, /length/],
    [{ sampleRateHz, encoding: muLaw(), count: 0 }, /count/],
    [{ sampleRateHz, encoding: muLaw(), length: 2, ends: true }, /ends is for/],
    [{ sampleRateHz, encoding: muLaw(), count: 2, ends: true }, /ends is for/],
    [{ sampleRateHz, encoding: 'muLaw' }, /encoding must be/],
    [{ sampleRateHz, encoding: muLaw(), hop: 2 }, /unknown option "hop"/],
  ])('%j throws', (options, message) => {
    expect(() => frames(options as never)).toThrow(InvalidOptionError)
    expect(() => frames(options as never)).toThrow(message)
  })
  it.each([
    [() => muLaw({ levels: 1 }), /levels/],
    [() => muLaw({ levels: 65_537 }), /levels/],
    [() => linear({ bits: 17 }), /bits/],
    [() => linear({ bits: 8, levels: 2 } as never), /unknown option/],
  ])('an encoding out of range throws', (make, message) => {
    expect(make).toThrow(InvalidOptionError)
    expect(make).toThrow(message)
  })
  it.each([
    [{ sampleRateHz: 16_000, samples: new Float32Array(2) }, /16000 Hz, expected 8000/],
    [{ sampleRateHz, samples: new Float32Array(3) }, /3 samples, which are no whole frames of 2/],
    [{ sampleRateHz, samples: Float32Array.of(0, NaN) }, /sample 1 is NaN/],
    [{ sampleRateHz, samples: Float32Array.of(1.5, 0) }, /sample 0 is 1.5, expected −1 … 1/],
    [{ sampleRateHz: 0, samples: new Float32Array(2) }, /sample rate is 0 Hz/],
  ])('what is no such sound throws', (wrong, message) => {
    const tokenizer = frames({ sampleRateHz, encoding: muLaw(), length: 2 })
    expect(() => tokenizer.encode(wrong)).toThrow(InvalidDataError)
    expect(() => tokenizer.encode(wrong)).toThrow(message)
  })
  it('values that are none throw', () => {
    const tokenizer = frames({ sampleRateHz, encoding: linear({ bits: 4 }), length: 2, count: 2 })
    expect(() => tokenizer.decode([0, 1, 2])).toThrow(/3 values are no whole frames of 2/)
    expect(() => tokenizer.decode([0, 1])).toThrow(/a sound has 4 values, got 2/)
    expect(() => tokenizer.decode([0, 1, 16, 2])).toThrow(/value 2 is 16, expected 0 … 15/)
    expect(() => tokenizer.encode({ sampleRateHz, samples: new Float32Array(6) })).toThrow(/3 frames, expected 2/)
  })
})

it('sounds can be cut to full scale and to whole frames', () => {
  const loud = { sampleRateHz, samples: Float32Array.of(1.5, -2, 0.5) }
  expect(() => checkSound('here', loud)).toThrow(/^here: sample 0 is 1.5/)
  expect(clipped(loud).samples).toEqual(Float32Array.of(1, -1, 0.5))
  expect(wholeFrames(loud, 2).samples).toEqual(loud.samples.subarray(0, 2))
  for (const cut of [clipped({ ...loud, label: 3 }), wholeFrames({ ...loud, label: 3 }, 2)]) expect(cut.label).toBe(3)
})
