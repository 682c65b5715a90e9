/** Sounds as stretches, from the disk or from memory: what training sees is the same. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { audioModel, categorical, causalConvolution, describeData, fingerprint, frameHead, frames, label, muLaw, readStretches, type Sound, splitSounds, stretchesOf, wholeSound, writeWav } from '../src/index.js'
import { soundWindows, valuesOf } from '../src/windows.js'

const folder = mkdtempSync(join(tmpdir(), 'chainrule-stretches-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const sampleRateHz = 8_000
const noise = (length: number): Sound => ({ sampleRateHz, samples: Float32Array.from({ length }, (_, t) => ((t * t * 7919) % 65_536) / 32_768 - 1) })
const modelOf = (more: object = {}, condition = false) => audioModel({ tokenizer: frames({ sampleRateHz, encoding: muLaw({ levels: 64 }), ...more }), network: causalConvolution({ layers: 2, width: 4, input: 'scaled' }), head: frameHead({ sample: categorical() }), ...(condition && { condition: label({ values: 3 }) }) })

it('a large file on the disk gives the windows that the same sound in memory gives', async () => {
  const path = join(folder, 'large.wav')
  writeWav(path, noise(2 ** 21 + 5))
  const stretches = await readStretches(path, { seconds: 60, frameLength: 4 })
  expect(stretches.map(({ length }) => length)).toEqual([419_428, 419_432, 419_432, 419_432, 419_432])
  expect(stretches.reduce((sum, { length }) => sum + length, 0)).toBe(2 ** 21 + 4)
  const own = modelOf({ length: 4 })
  const [read, held] = [stretches, stretches.map(wholeSound)].map((sounds) => soundWindows(sounds.map((sound) => valuesOf('fit', own, sound)), own.model.domain, 50))
  expect(read.length).toBe(held.length)
  for (const index of [0, 49, 50, 51, 104_000, 104_857, 300_000, read.length - 1]) expect(read.at(index)).toEqual(held.at(index))
})

it('an end stands after the last sample of a sound that is read, and its label with it', () => {
  const [reader] = stretchesOf({ sampleRateHz, length: 6, samples: (begin, end) => noise(6).samples.slice(begin, end), label: 2 }, 1, 1)
  const own = modelOf({ ends: true }, true)
  const [read, held] = [reader, wholeSound(reader)].map((sound) => soundWindows([valuesOf('fit', own, sound)], own.model.domain, 4))
  expect(read.length).toBe(7)
  for (let index = 0; index < read.length; index++) expect(read.at(index)).toEqual(held.at(index))
  expect(read.at(6).x.at(-1)).toBe(64)
  expect(read.at(6).condition).toEqual(Int32Array.of(2))
})

it('stretches are equal, whole frames, and not longer than asked; rates must be one', async () => {
  const stretches = stretchesOf({ sampleRateHz, length: 1001, samples: (begin, end) => noise(1001).samples.slice(begin, end) }, 0.05, 3)
  expect(stretches.map(({ length }) => length)).toEqual([333, 333, 333])
  expect(stretches[1].samples(0, 3)).toEqual(noise(1001).samples.slice(333, 336))
  writeWav(join(folder, 'other.wav'), { ...noise(100), sampleRateHz: 4_000 })
  await expect(readStretches(folder)).rejects.toThrow(/other\.wav: 4000 Hz, but .*large\.wav has 8000/)
  await expect(readStretches(join(folder, 'other.wav'), { frameLength: 200 })).rejects.toThrow(/fewer than one frame/)
  expect((await readStretches(join(folder, 'other.wav'), { sampleRateHz: 8_000 }))[0].length).toBe(200)
})

it('a split and a fingerprint know the sounds again', () => {
  const sounds = Array.from({ length: 10 }, (_, which) => noise(10 + which))
  const { training, heldOut } = splitSounds(sounds, { seed: 1, heldOut: 0.3 })
  expect([...training, ...heldOut].map(({ samples }) => samples.length).sort()).toEqual(sounds.map(({ samples }) => samples.length))
  expect(splitSounds(sounds, { seed: 2, heldOut: 0.3 })).not.toEqual({ training, heldOut, validation: [] })
  expect(fingerprint(sounds)).toBe(fingerprint(stretchesOfAll(sounds)))
  expect(fingerprint(sounds)).not.toBe(fingerprint(sounds.slice(1)))
  expect(describeData('/x/y.wav', sounds, { seed: 1, heldOut: 0.3 }, 10)).toMatchObject({ file: 'y.wav', sounds: 10, samples: 145, sampleRateHz, heldOut: 0.3 })
})

const stretchesOfAll = (sounds: readonly Sound[]) => sounds.flatMap(({ samples }) => stretchesOf({ sampleRateHz, length: samples.length, samples: (begin, end) => samples.slice(begin, end) }, 1, 1))
