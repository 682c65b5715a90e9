import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidDataError, InvalidOptionError, normal } from '@chainrule/core'
import { decode } from 'fast-png'
import { afterAll, describe, expect, it } from 'vitest'
import { type Sound, spectrogram, writeSpectrogram, writeWaveform } from '../src/index.js'
import { fourierTransform } from '../src/pictures/spectrum.js'

const folder = mkdtempSync(join(tmpdir(), 'chainrule-pictures-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const tone = (length: number, hz: number, amplitude = 1): Sound => ({ sampleRateHz: 8_000, samples: Float32Array.from({ length }, (_, t) => amplitude * Math.sin((2 * Math.PI * hz * t) / 8_000)) })

it.each([2, 8, 64])('the fast transform of %d is the sum of the definition', (F) => {
  const [real, imaginary] = [0, 1].map((part) => Float64Array.from({ length: F }, (_, n) => normal(1, 'sampling', n, part)))
  const expected = Array.from({ length: F }, (_, k) => {
    const turned = (n: number) => [Math.cos((2 * Math.PI * k * n) / F), -Math.sin((2 * Math.PI * k * n) / F)]
    return real.reduce(([a, b], x, n) => [a + x * turned(n)[0] - imaginary[n] * turned(n)[1], b + x * turned(n)[1] + imaginary[n] * turned(n)[0]], [0, 0] as number[])
  })
  fourierTransform(real, imaginary)
  expected.forEach(([a, b], k) => expect(Math.hypot(real[k] - a, imaginary[k] - b)).toBeLessThan(1e-10))
})

describe('spectrogram', () => {
  it('a sine is a line of its power, and nothing elsewhere', () => {
    const { times, frequencies, power } = spectrogram(tone(4_000, 1_000, 0.5), { window: 128, step: 100 })
    expect([times, frequencies]).toEqual([41, 65])
    for (let m = 1; m < 40; m++) {
      expect(power[m * 65 + 16]).toBeCloseTo(0.25, 5)
      for (let k = 0; k < 65; k++) if (Math.abs(k - 16) > 1) expect(power[m * 65 + k]).toBeLessThan(1e-9)
    }
  })
  it('refuses what it cannot do', () => {
    expect(() => spectrogram(tone(10, 1), { window: 100 })).toThrow(/power of two, got 100/)
    expect(() => spectrogram(tone(10, 1), { window: 64, step: 0 })).toThrow(InvalidOptionError)
    expect(() => spectrogram(tone(10, 1), { hop: 3 } as never)).toThrow(/unknown option "hop"/)
  })
})

describe('pictures', () => {
  const pixelsOf = (name: string) => {
    const { width, height, data } = decode(readFileSync(join(folder, name)))
    return { width, height, at: (x: number, y: number) => [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)] }
  }
  it('of waves: as high as they are loud, as long as they last', () => {
    writeWaveform(join(folder, 'waves.png'), [tone(8_000, 400, 0.5), tone(4_000, 400, 0.9)], { width: 200, height: 80 })
    const { width, height, at } = pixelsOf('waves.png')
    expect([width, height]).toEqual([200, 164])
    const ink = [31, 78, 140]
    for (const [x, y, isInk] of [[100, 40, true], [100, 25, true], [100, 15, false], [50, 84 + 8, true], [150, 84 + 40, false]] as const) expect(at(x, y).join() === ink.join(), `${x}, ${y}`).toBe(isInk)
  })
  it('of spectra: low frequencies below, louder is lighter', () => {
    writeSpectrogram(join(folder, 'spectra.png'), tone(8_000, 1_000, 0.3), { width: 100, height: 40 })
    const { width, height, at } = pixelsOf('spectra.png')
    expect([width, height]).toEqual([100, 40])
    const light = (x: number, y: number) => at(x, y).reduce((sum, value) => sum + value, 0)
    const rows = Array.from({ length: 40 }, (_, y) => light(50, y))
    expect(Math.abs(rows.indexOf(Math.max(...rows)) - 29.5)).toBeLessThan(1.5)
    expect(rows[5]).toBeLessThan(30)
    writeSpectrogram(join(folder, 'quieter.png'), tone(8_000, 1_000, 0.003), { width: 100, height: 40 })
    expect(Math.max(...Array.from({ length: 40 }, (_, y) => pixelsOf('quieter.png').at(50, y).reduce((sum, value) => sum + value, 0)))).toBeLessThan(Math.max(...rows))
  })
  it('of nothing, of silence without a sample, or to nowhere are refused', () => {
    const sound = tone(100, 400)
    for (const write of [writeWaveform, writeSpectrogram]) {
      expect(() => write(join(folder, 'none.png'), [])).toThrow(/no sound to draw/)
      expect(() => write(join(folder, 'none.png'), { ...sound, samples: new Float32Array(0) })).toThrow(/sound 0 has no samples/)
      expect(() => write(join(folder, 'none', 'none.png'), sound)).toThrow(InvalidDataError)
      expect(() => write(join(folder, 'none.png'), sound, { scale: 2 } as never)).toThrow(/unknown option "scale"/)
    }
  })
})
