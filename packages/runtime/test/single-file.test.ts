/** An exported model as one file: it unpacks into the files of the directory, byte for byte, or says what is wrong with it. */
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { decodeSafetensors, graphFiles, InvalidDataError, InvalidModelError, manifestFile, packSingleFile, unpackSingleFile, weightPrefix, weightsFile } from '@chainrule/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openModel } from '../src/index.js'
import { chain, type ModelFiles } from './fixture.js'
import { Graph } from './onnx-writer.js'
import { chainSample } from './oracle.js'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** A graph that holds the weights; what it computes does not matter here (packages/onnx tests that). */
function packed(files: ModelFiles = chain.files, leaveOut = ''): Uint8Array {
  const g = new Graph([{ name: 'x', type: 'float32', shape: [1] }], [{ name: 'x', type: 'float32', shape: [1] }])
  const { tensors } = decodeSafetensors(files[weightsFile], weightsFile)
  for (const [name, { shape, data }] of Object.entries(tensors)) if (name !== leaveOut) g.constant('float32', shape, [...data], weightPrefix + name)
  return packSingleFile(g.file(), sha256(g.file()), files)
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-single-'))
  await writeFile(join(folder, 'chain.onnx'), packed())
})
afterAll(() => rm(folder, { recursive: true }))

test('unpacks into the files of the directory', () => {
  expect(unpackSingleFile(packed(), 'x').files).toEqual(chain.files)
  const inside = new Uint8Array(packed().length + 9).fill(255)
  inside.set(packed(), 7)
  expect(unpackSingleFile(inside.subarray(7, -2), 'x').files).toEqual(chain.files)
})

test('opens by path, URL, address and bytes as the directory does', async () => {
  const server = createServer((_, response) => response.end(packed())).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/chain.onnx`
  const { values } = chainSample({ seed: 1, sample: 0, length: 30 })
  for (const source of [join(folder, 'chain.onnx'), pathToFileURL(join(folder, 'chain.onnx')), address, new URL(`${address}?key=1`), packed()]) {
    const model = await openModel(source)
    for (const sampler of ['graph', 'steps'] as const) expect(Array.from((await model.sample({ seed: 1, length: 30, sampler })).values)).toEqual(values)
    expect((await model.parameters())['network/table'].data).toEqual(chain.table)
    await model.release()
  }
  await new Promise((resolve) => server.close(resolve))
})

const refuses = async (bytes: Uint8Array, ...messages: string[]) => {
  const path = join(folder, 'damaged.onnx')
  await writeFile(path, bytes)
  for (const attempt of [openModel(bytes), openModel(path)]) {
    await expect(attempt).rejects.toThrow(InvalidModelError)
    for (const message of messages) await expect(attempt).rejects.toThrow(message)
  }
  await expect(openModel(path)).rejects.toThrow(path)
}

describe('damaged', () => {
  test('every flipped byte is found, but in the description, which vouches for the others', { timeout: 60_000 }, async () => {
    const whole = packed()
    const begin = Buffer.from(whole).indexOf(chain.files[manifestFile])
    const end = begin + chain.files[manifestFile].length
    for (let at = 0; at < whole.length; at += Math.ceil(whole.length / 400)) {
      if (at >= begin && at < end) continue
      const bytes = whole.slice()
      bytes[at] ^= 1
      await expect(openModel(bytes), `byte ${at}`).rejects.toThrow(InvalidModelError)
    }
  })

  test('truncated anywhere', async () => {
    const whole = packed()
    for (let length = 0; length < whole.length; length += Math.ceil(whole.length / 150)) {
      await expect(openModel(whole.subarray(0, length)), `${length} bytes`).rejects.toThrow(InvalidModelError)
    }
    await refuses(whole.subarray(0, -1), 'not an ONNX file', 'goes beyond its end')
    await refuses(new Uint8Array(0), 'no chainrule.model.json')
  })

  test('other files', async () => {
    await refuses(new TextEncoder().encode('<html>no model</html>'), 'not an ONNX file')
    await refuses(chain.files[graphFiles.score], 'its metadata has no chainrule.model.json', '--single-file')
    const { [graphFiles.step]: _, ...others } = chain.files
    await refuses(packed(others), `no file ${graphFiles.step}`)
    await refuses(packed(chain.files, 'network/table'), 'no weight "network/table"')
  })

  test('the graph before the metadata', async () => {
    const bytes = packed()
    const at = Buffer.from(bytes).indexOf(`${weightPrefix}network/table`)
    await refuses(bytes.map((byte, i) => (i === at ? byte ^ 2 : byte)), 'no weight "network/table"')
    // The name of the graph: nothing that is unpacked depends on it.
    const name = Buffer.from(bytes).indexOf('graph')
    await refuses(bytes.map((byte, i) => (i === name ? byte ^ 2 : byte)), 'is not the file that was exported', 'SHA-256')
  })
})

test('more than one file can hold', () => {
  const graph = { length: 2 ** 31 } as Uint8Array
  expect(() => packSingleFile(graph, '', chain.files)).toThrow(InvalidDataError)
  expect(() => packSingleFile(graph, '', chain.files)).toThrow(/Export a directory/)
})
