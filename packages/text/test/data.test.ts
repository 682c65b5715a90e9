import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidDataError, InvalidOptionError, uniformIndex } from '@chainrule/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readText, splitHeldOut } from '../src/index.js'
import { invalidUtf8At } from '../src/read-text.js'
import { evaluationWindows, trainingWindows } from '../src/windows.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-text-'))
})
afterAll(() => rm(folder, { recursive: true }))

const tokens = Int32Array.from({ length: 23 }, (_, i) => 100 + i)

test('evaluation windows cover every token once, each with the token before it', () => {
  const windows = evaluationWindows([{ tokens, first: 4 }], 5)
  const examples = Array.from({ length: windows.length }, (_, i) => windows.at(i))
  expect(examples.flatMap(({ x }) => [...x])).toEqual([...tokens.subarray(4)])
  expect(examples.map(({ x }) => x.length)).toEqual([5, 5, 5, 4])
  expect(examples.map(({ previous }) => previous?.[0])).toEqual([103, 108, 113, 118])
  expect(evaluationWindows([{ tokens, first: 0 }], 5).at(0).previous).toBeUndefined()
})

test('training windows: every offset, one in `length` of them begins with start', () => {
  const windows = trainingWindows(tokens, 5)
  expect(windows.length).toBe(19 * 5)
  let starts = 0
  for (let i = 0; i < windows.length; i++) {
    const { x, previous } = windows.at(i)
    const begin = Math.floor(i / 5)
    expect([...x]).toEqual([...tokens.subarray(begin, begin + 5)])
    if (previous) expect([...previous]).toEqual([tokens[begin - 1]])
    else starts++
  }
  expect(starts).toBe(19 + 4) // one for each offset, and all of offset 0, where nothing came before
  expect(() => trainingWindows(tokens, 24)).toThrow(/23 tokens, a training window needs 24/)
})

test('the held-out part is the last, and no surrogate pair is cut', () => {
  expect(splitHeldOut('x'.repeat(1_115_394), 0.1)).toEqual({ begin: 1_003_854, end: 1_115_394 })
  expect(splitHeldOut('abcdefghij', 0)).toEqual({ begin: 10, end: 10 })
  expect(splitHeldOut('a👩b', 0.5)).toEqual({ begin: 1, end: 4 })
  expect(() => splitHeldOut('abc', 1.5)).toThrow(InvalidOptionError)
})

test('a file is read as UTF-8; what is wrong is named with its place', async () => {
  const write = async (name: string, bytes: Uint8Array | string) => {
    const path = join(folder, name)
    await writeFile(path, bytes)
    return path
  }
  expect(await readText(await write('good.txt', 'naïve\n日本'))).toBe('naïve\n日本')
  await expect(readText(join(folder, 'absent.txt'))).rejects.toThrow(/absent\.txt: there is no such file/)
  await expect(readText(folder)).rejects.toThrow(/it is a folder/)
  await expect(readText(await write('empty.txt', ''))).rejects.toThrow(/the file is empty/)
  await expect(readText(await write('latin1.txt', Uint8Array.of(97, 10, 98, 0xe9, 99)))).rejects.toThrow(/not UTF-8: byte 3 \(0xe9, line 2\)/)
  await expect(readText(await write('cut.txt', Uint8Array.of(97, 0xe2, 0x82)))).rejects.toThrow(InvalidDataError)
})

test('the first invalid byte agrees with the decoder of the platform on random bytes', () => {
  let invalid = 0
  for (let trial = 0; trial < 3000; trial++) {
    const pieces = [0x41, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0xed, 0xa0, 0xff, 0xc0, 0xf4, 0x90]
    const bytes = Uint8Array.from({ length: 1 + uniformIndex(6, 4, 'sampling', trial) }, (_, i) => pieces[uniformIndex(pieces.length, 4, 'sampling', trial, i + 1)])
    const at = invalidUtf8At(bytes)
    const decode = (part: Uint8Array) => new TextDecoder('utf-8', { fatal: true }).decode(part)
    if (at < 0) expect(() => decode(bytes)).not.toThrow()
    else {
      invalid++
      expect(() => decode(bytes)).toThrow()
      expect(() => decode(bytes.subarray(0, at))).not.toThrow()
    }
  }
  expect(invalid).toBeGreaterThan(500)
})
