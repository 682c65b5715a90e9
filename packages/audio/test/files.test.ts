import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidDataError, InvalidOptionError } from '@chainrule/core'
import { afterAll, describe, expect, it } from 'vitest'
import { WaveFile } from 'wavefile'
import { openWav, pcm16, readSound, readSounds, resampled, wavHeader, wavWriter, writeWav } from '../src/index.js'

const folder = mkdtempSync(join(tmpdir(), 'chainrule-sound-'))
const at = (name: string) => join(folder, name)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const tone = (length: number, rate: number, hz = 440) => Float64Array.from({ length }, (_, t) => 0.5 * Math.sin((2 * Math.PI * hz * t) / rate))

/** A WAV file as another program writes it. */
function written(name: string, channels: number, bits: string, rate: number, samples: readonly Float64Array[]): string {
  const scale = { '8': 127, '16': 2 ** 15 - 1, '24': 2 ** 23 - 1, '32': 2 ** 31 - 1, '32f': 1, '64': 1 }[bits]!
  const shift = bits === '8' ? 128 : 0
  const file = new WaveFile()
  const numbers = samples.map((channel) => Array.from(channel, (value) => (scale === 1 ? value : Math.round(value * scale) + shift)))
  file.fromScratch(channels, rate, bits, channels === 1 ? numbers[0] : numbers)
  writeFileSync(at(name), file.toBuffer())
  return at(name)
}

describe('WAV files', () => {
  it.each([
    ['8', 1 / 64],
    ['16', 1 / 16_384],
    ['24', 1e-6],
    ['32', 1e-7],
    ['32f', 1e-7],
    ['64', 1e-7],
  ])('of %s bits, of another program', (bits, tolerance) => {
    const [left, right] = [tone(301, 8_000), tone(301, 8_000, 900)]
    const mono = openWav(written(`mono-${bits}.wav`, 1, bits, 11_025, [left]))
    expect(mono).toMatchObject({ sampleRateHz: 11_025, length: 301, channels: 1, isFloat: bits === '32f' || bits === '64' })
    mono.samples(0, 301).forEach((sample, t) => expect(Math.abs(sample - left[t])).toBeLessThan(tolerance))
    mono.close()
    const stereo = openWav(written(`stereo-${bits}.wav`, 2, bits, 8_000, [left, right]))
    stereo.samples(0, 301).forEach((sample, t) => expect(Math.abs(sample - (left[t] + right[t]) / 2)).toBeLessThan(tolerance))
    stereo.close()
  })
  it('are read a stretch at a time', () => {
    const path = at('stretch.wav')
    const samples = Float32Array.from({ length: 1_000 }, (_, t) => (t - 500) / 1_024)
    writeWav(path, { sampleRateHz: 8_000, samples })
    const file = openWav(path)
    expect(file.samples(0, 1_000)).toEqual(samples)
    expect(file.samples(123, 456)).toEqual(samples.slice(123, 456))
    expect(file.samples(7, 7)).toHaveLength(0)
    expect(() => file.samples(5, 1_001)).toThrow(InvalidOptionError)
    file.close()
  })
  it('grow, and are whole at every time', () => {
    const path = at('growing.wav')
    const samples = Float32Array.from(tone(900, 8_000))
    const writer = wavWriter(path, 8_000)
    for (let t = 0; t < 900; t += 300) {
      writer.write(samples.subarray(t, t + 300))
      const file = openWav(path)
      expect(file.length).toBe(t + 300)
      file.close()
    }
    writer.close()
    writeWav(at('at-once.wav'), { sampleRateHz: 8_000, samples })
    expect(readFileSync(path)).toEqual(readFileSync(at('at-once.wav')))
    const other = new WaveFile(readFileSync(path))
    expect(Int16Array.from(other.getSamples() as unknown as ArrayLike<number>)).toEqual(Int16Array.from(samples, (sample) => Math.round(sample * 32_768)))
  })
  it('through a pipe, where nobody knows how long they get', () => {
    const samples = Float32Array.of(0.5, -0.25)
    writeFileSync(at('pipe.wav'), Buffer.concat([wavHeader(8_000), pcm16({ sampleRateHz: 8_000, samples })]))
    const file = openWav(at('pipe.wav'))
    expect(file.samples(0, file.length)).toEqual(samples)
    file.close()
  })
  it('with other chunks before the samples, of odd sizes too', () => {
    const healthy = Buffer.concat([wavHeader(8_000, 2), pcm16({ sampleRateHz: 8_000, samples: Float32Array.of(0.5, -0.25) })])
    const chunk = Buffer.from('LIST\u0003\0\0\0abc\0', 'latin1')
    writeFileSync(at('chunks.wav'), Buffer.concat([healthy.subarray(0, 12), chunk, healthy.subarray(12)]))
    const file = openWav(at('chunks.wav'))
    expect(file.samples(0, 2)).toEqual(Float32Array.of(0.5, -0.25))
    file.close()
  })

  const healthy = () => Buffer.concat([wavHeader(8_000, 4), pcm16({ sampleRateHz: 8_000, samples: Float32Array.of(0.5, -0.25, 0, 1) })])
  const changed = (change: (bytes: Buffer) => void) => {
    const bytes = healthy()
    change(bytes)
    return bytes
  }
  it.each<[string, () => Uint8Array, RegExp]>([
    ['empty', () => new Uint8Array(0), /the file is empty/],
    ['a text', () => Buffer.from('To be, or not to be: that is the question.'), /is no WAV file: it begins with "To be, or no"/],
    ['cut off in the header', () => healthy().subarray(0, 30), /header/],
    ['cut off before the samples', () => healthy().subarray(0, 36), /the header ends at byte 36 before any samples/],
    ['cut off in the samples', () => healthy().subarray(0, 49), /speaks of 8 bytes of samples, but only 5 follow: the file is cut off/],
    ['no samples', () => Buffer.from(wavHeader(8_000, 0)), /the file has no samples/],
    ['0 channels', () => changed((bytes) => bytes.writeUInt16LE(0, 22)), /0 channels/],
    ['0 Hz', () => changed((bytes) => bytes.writeUInt32LE(0, 24)), /sample rate is 0 Hz/],
    ['12 bits', () => changed((bytes) => bytes.writeUInt16LE(12, 34)), /samples have 12 bits, expected 8, 16, 24, 32/],
    ['ADPCM', () => changed((bytes) => bytes.writeUInt16LE(2, 20)), /format 2, expected 1 \(whole numbers\) or 3 \(floats\)/],
    ['another size of a moment', () => changed((bytes) => bytes.writeUInt16LE(4, 32)), /1 channels of 16 bits take 2 bytes, but the header says 4/],
    ['samples before the format', () => changed((bytes) => bytes.write('skip', 12)), /before the chunk "fmt "/],
    ['no number', () => changed((bytes) => (bytes.writeUInt16LE(3, 20), bytes.writeUInt16LE(4, 32), bytes.writeUInt16LE(32, 34), bytes.writeFloatLE(NaN, 48))), /sample 1 is not a number/],
    ['infinite', () => changed((bytes) => (bytes.writeUInt16LE(3, 20), bytes.writeUInt16LE(4, 32), bytes.writeUInt16LE(32, 34), bytes.writeFloatLE(Infinity, 48))), /sample 1 is infinite/],
  ])('that are none say so: %s', async (name, make, message) => {
    const path = at(`${name}.wav`)
    writeFileSync(path, make())
    const error = await readSound(path).then(() => undefined, (error: Error) => error)
    expect(error).toBeInstanceOf(InvalidDataError)
    expect(error!.message).toMatch(message)
    expect(error!.message.startsWith(path)).toBe(true)
  })
  it('beyond 4 GiB: RF64, whose size of samples stands in a chunk of its own', () => {
    const samples = Float32Array.from({ length: 10 }, (_, t) => t / 16)
    const [header, data] = [wavHeader(8_000, 10), pcm16({ sampleRateHz: 8_000, samples })]
    const large = (size: number) => {
      const ds64 = Buffer.alloc(36)
      ds64.write('ds64')
      ds64.writeUInt32LE(28, 4)
      ds64.writeBigUInt64LE(BigInt(size), 16)
      const own = Buffer.from(header)
      own.write('RF64', 0)
      own.writeUInt32LE(0xffff_ffff, 4)
      own.writeUInt32LE(0xffff_ffff, 40)
      return Buffer.concat([own.subarray(0, 12), ds64, own.subarray(12), data, Buffer.from('LIST\u0002\0\0\0xx')])
    }
    writeFileSync(at('large.wav'), large(20))
    const file = openWav(at('large.wav'))
    expect([file.length, file.samples(0, 10)]).toEqual([10, samples])
    file.close()
    writeFileSync(at('large.wav'), large(6_000_000_000))
    expect(() => openWav(at('large.wav'))).toThrow(/speaks of 6000000000 bytes of samples, but only 30 follow/)
  })

  it('what is not there, or no file, says so', async () => {
    await expect(readSound(at('missing.wav'))).rejects.toThrow(/missing\.wav: cannot be opened/)
    expect(() => openWav(folder)).toThrow(InvalidDataError)
  })
})

describe('compressed files', () => {
  it.each([
    ['flac', 1e-4],
    ['ogg', 0.02],
    ['mp3', 0.02],
  ])('tone.%s, mixed down', async (format, tolerance) => {
    const { sampleRateHz, samples } = await readSound(join(import.meta.dirname, 'fixtures', `tone.${format}`))
    expect(sampleRateHz).toBe(16_000)
    // The mean of amplitudes ½ and ¼ at 440 Hz; MP3 may begin and end with silence.
    expect(samples.length).toBeGreaterThanOrEqual(4_000)
    const [begin, end] = [1_500, 2_900]
    const part = (wave: (angle: number) => number) => (2 / (end - begin)) * samples.subarray(begin, end).reduce((sum, sample, t) => sum + sample * wave((2 * Math.PI * 440 * t) / 16_000), 0)
    expect(Math.abs(Math.hypot(part(Math.sin), part(Math.cos)) - 0.375)).toBeLessThan(tolerance + 0.005)
    // FLAC loses nothing: the mean of two channels of whole numbers.
    expect(samples.every((sample) => Number.isInteger(sample * 65_536))).toBe(format === 'flac')
    if (format === 'flac') samples.forEach((sample, t) => expect(Math.abs(sample - 0.375 * Math.sin((2 * Math.PI * 440 * t) / 16_000))).toBeLessThan(tolerance))
  })
  it.each(['flac', 'ogg', 'mp3'])('a text called .%s says so', async (format) => {
    const path = at(`text.${format}`)
    writeFileSync(path, 'To be, or not to be: that is the question.')
    await expect(readSound(path)).rejects.toThrow(InvalidDataError)
    await expect(readSound(path)).rejects.toThrow(/text\.\w+: /)
  })
})

describe('resampling', () => {
  it('keeps what the new rate can hold, and nothing else', async () => {
    const length = 16_000
    const both = Float32Array.from({ length }, (_, t) => 0.5 * Math.sin((2 * Math.PI * 1_000 * t) / 16_000) + 0.4 * Math.sin((2 * Math.PI * 6_000 * t) / 16_000))
    const { sampleRateHz, samples } = await resampled({ sampleRateHz: 16_000, samples: both }, 8_000)
    expect([sampleRateHz, samples.length]).toEqual([8_000, 8_000])
    for (let t = 500; t < 7_500; t++) expect(Math.abs(samples[t] - 0.5 * Math.sin((2 * Math.PI * 1_000 * t) / 8_000))).toBeLessThan(1e-5)
  })
  it('as an option of the readers', async () => {
    const path = written('rate.wav', 1, '16', 16_000, [tone(3_200, 16_000)])
    expect((await readSound(path)).samples).toHaveLength(3_200)
    const sound = await readSound(path, { sampleRateHz: 8_000 })
    expect([sound.sampleRateHz, sound.samples.length]).toEqual([8_000, 1_600])
  })
  it('a ratio beyond reason is refused', async () => {
    await expect(resampled({ sampleRateHz: 8_000, samples: new Float32Array(8) }, 10)).rejects.toThrow(/ratio beyond 256/)
  })
})

it('folders: all sounds of one rate, by name', async () => {
  const of = mkdtempSync(join(folder, 'set-'))
  const put = (name: string, rate: number) => writeWav(join(of, name), { sampleRateHz: rate, samples: new Float32Array(rate === 8_000 ? 10 : 20) })
  await expect(readSounds(of)).rejects.toThrow(/no sound file/)
  put('b.wav', 8_000)
  put('a.WAV', 8_000)
  writeFileSync(join(of, 'notes.txt'), 'none')
  expect(await readSounds(of)).toHaveLength(2)
  put('c.wav', 16_000)
  await expect(readSounds(of)).rejects.toThrow(/c\.wav: 16000 Hz, but a\.WAV has 8000\. Give sampleRateHz/)
  expect((await readSounds(of, { sampleRateHz: 8_000 })).map(({ samples }) => samples.length)).toEqual([10, 10, 10])
  await expect(readSounds(join(of, 'a.WAV'))).rejects.toThrow(/not a folder/)
  await expect(readSound(join(of, 'notes.txt'))).rejects.toThrow(/not a sound file that is known by its name/)
})

it('what is louder than full scale is cut when read, and refused when written', async () => {
  const path = written('loud.wav', 1, '32f', 8_000, [Float64Array.of(1.5, -2, 0.25)])
  expect((await readSound(path)).samples).toEqual(Float32Array.of(1, -1, 0.25))
  expect(() => writeWav(at('louder.wav'), { sampleRateHz: 8_000, samples: Float32Array.of(1.5) })).toThrow(/sample 0 is 1.5/)
})
