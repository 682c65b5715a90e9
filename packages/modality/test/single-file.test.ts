/** Writing the single file. What it holds: tooling/laws/test/exported/single-file.test.ts. */
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidDataError, InvalidOptionError } from '@chainrule/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeSingleFile } from '../src/index.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-modality-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('writes a file, replaces one only where it is told to, and leaves nothing else behind', async () => {
  const path = join(folder, 'model.onnx')
  await writeSingleFile(path, Uint8Array.of(1))
  await expect(writeSingleFile(path, Uint8Array.of(2))).rejects.toThrow(InvalidDataError)
  await expect(writeSingleFile(path, Uint8Array.of(2))).rejects.toThrow(/exists already.*--overwrite/)
  expect([...(await readFile(path))]).toEqual([1])
  await writeSingleFile(path, Uint8Array.of(3), { overwrite: true })
  expect([...(await readFile(path))]).toEqual([3])
  await expect(writeSingleFile(join(folder, 'nowhere', 'model.onnx'), Uint8Array.of(1))).rejects.toThrow(/ENOENT/)
  expect(await readdir(folder)).toEqual(['model.onnx'])
})

test('refuses other names, directories and links', async () => {
  await expect(writeSingleFile(join(folder, 'model'), Uint8Array.of(1))).rejects.toThrow(InvalidOptionError)
  await mkdir(join(folder, 'folder.onnx'))
  await symlink(join(folder, 'elsewhere'), join(folder, 'link.onnx'))
  for (const name of ['folder.onnx', 'link.onnx']) await expect(writeSingleFile(join(folder, name), Uint8Array.of(1), { overwrite: true })).rejects.toThrow(/is not a file/)
})
