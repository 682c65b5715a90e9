import { link, mkdir, mkdtemp, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { graphFiles, InvalidModelError, InvalidOptionError, manifestFile, weightsFile } from '@chainrule/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openModel } from '../src/index.js'
import { chain, grid, listing, type ModelFiles, withManifest } from './fixture.js'
import { Graph } from './onnx-writer.js'
import { chainSample } from './oracle.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'chainrule-runtime-'))
})
afterEach(() => rm(directory, { recursive: true }))

async function written(files: ModelFiles, to = directory): Promise<string> {
  await mkdir(to, { recursive: true })
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(to, name), bytes)
  return to
}

const refuses = async (source: Parameters<typeof openModel>[0], ...messages: (string | RegExp)[]) => {
  const attempt = openModel(source)
  await expect(attempt).rejects.toThrow(InvalidModelError)
  for (const message of messages) await expect(attempt).rejects.toThrow(message)
}

test('a directory by path, by URL and through a link to it, and bytes: the same model', async () => {
  await written(chain.files, join(directory, 'model'))
  await symlink(join(directory, 'model'), join(directory, 'alias'))
  const { values } = chainSample({ seed: 1, sample: 0, length: 30 })
  for (const source of [join(directory, 'model'), pathToFileURL(join(directory, 'model')), join(directory, 'alias'), chain.files]) {
    const model = await openModel(source)
    expect(Array.from((await model.sample({ seed: 1, length: 30 })).values)).toEqual(values)
    expect(model.manifest.domain).toEqual({ length: 'variable', components: 1, values: 3 })
    expect(model.order.isLeftToRight).toBe(true)
    const parameters = await model.parameters()
    expect(Object.keys(parameters)).toEqual(['network/unused', 'network/table'])
    expect(parameters['network/table'].data).toEqual(chain.table)
    await model.release()
  }
})

test('the bytes of a listed file, of no other, and of none that has changed', async () => {
  const path = await written({ ...chain.files, 'notes.txt': Uint8Array.of(1) })
  for (const source of [path, chain.files]) {
    const model = await openModel(source)
    expect(Buffer.compare(await model.file(graphFiles.step), chain.files[graphFiles.step])).toBe(0)
    for (const name of ['notes.txt', '../notes.txt', manifestFile]) await expect(model.file(name)).rejects.toThrow(/lists no/)
    await model.release()
    await expect(model.file(graphFiles.step)).rejects.toThrow(/released/)
  }
  const model = await openModel(path)
  await truncate(join(path, graphFiles.step), 3)
  await expect(model.file(graphFiles.step)).rejects.toThrow(/has changed/)
  await model.release()
})

test('the order is resolved', async () => {
  const model = await openModel(grid.files)
  expect(Array.from(model.order.permutation)).toEqual([2, 0, 3, 1])
  expect(Array.from(model.order.inverse)).toEqual([1, 3, 0, 2])
  await model.release()
})

describe.each([manifestFile, weightsFile, ...Object.values(graphFiles).filter((file) => file in chain.files)])('%s', (name) => {
  test('missing', async () => {
    const { [name]: _, ...others } = chain.files
    await refuses(others, name)
    await refuses(await written(others), join(directory, name), name === manifestFile ? 'A run is exported first' : 'missing')
  })

  test('truncated, and empty', async () => {
    const path = join(await written(chain.files), name)
    for (const length of [chain.files[name].length - 2, 0]) {
      await refuses({ ...chain.files, [name]: chain.files[name].subarray(0, length) }, name)
      await truncate(path, length)
      await refuses(directory, path)
    }
  })

  test('one bit flipped', async () => {
    const bytes = chain.files[name].slice()
    bytes[name === manifestFile ? 0 : bytes.length - 1] ^= 1
    await refuses({ ...chain.files, [name]: bytes }, name, name === manifestFile ? 'not JSON' : 'SHA-256')
    await refuses(await written({ ...chain.files, [name]: bytes }), join(directory, name))
  })

  test('a link, even to the right file', async () => {
    await written(chain.files)
    await rename(join(directory, name), join(directory, 'elsewhere'))
    await symlink(join(directory, 'elsewhere'), join(directory, name))
    await refuses(directory, join(directory, name), 'a link')
  })

  test('a directory', async () => {
    await written(chain.files)
    await rm(join(directory, name))
    await mkdir(join(directory, name))
    await refuses(directory, join(directory, name), 'not a regular file')
  })
})

test('a hard link is a file', async () => {
  await written(chain.files)
  await rename(join(directory, weightsFile), join(directory, 'elsewhere'))
  await link(join(directory, 'elsewhere'), join(directory, weightsFile))
  await (await openModel(directory)).release()
})

describe('file names that lead elsewhere', () => {
  test.each(['../weights.safetensors', 'inner/weights.safetensors', '/etc/passwd', 'C:\\weights.bin', '..', 'a\0.onnx'])('%j', async (name) => {
    const files = withManifest(chain.files, (manifest) => ({ ...manifest, files: { ...manifest.files, [name]: listing(chain.files[weightsFile]) } }))
    await refuses({ ...files, [name]: chain.files[weightsFile] }, manifestFile, 'not a plain file name')
    await refuses(await written(files), manifestFile, 'not a plain file name')
  })
})

test('a graph that reads outside of its directory is refused, though its own hash is right', async () => {
  const places = ['secret.bin', 'model/inner/secret.bin', 'model/beside.bin']
  await mkdir(join(directory, 'model', 'inner'), { recursive: true })
  for (const place of places) await writeFile(join(directory, place), new Uint8Array(36))
  await symlink(join(directory, 'secret.bin'), join(directory, 'model', 'link.bin'))
  const reading = (location: string) => {
    const g = new Graph([{ name: 'x', type: 'float32', shape: [9] }], [{ name: 'y', type: 'float32', shape: [9] }])
    g.external('secret', [9], location, 0, 36)
    g.node('Add', ['x', 'secret'], {}, ['y'])
    const bytes = g.file()
    return withManifest({ ...chain.files, [graphFiles.score]: bytes }, (manifest) => ({ ...manifest, files: { ...manifest.files, [graphFiles.score]: listing(bytes) } }))
  }
  for (const location of ['../secret.bin', 'inner/../../secret.bin', join(directory, 'secret.bin'), 'link.bin']) {
    await refuses(await written(reading(location), join(directory, 'model')), 'onnxruntime cannot open')
    await refuses(reading(location), 'onnxruntime cannot open')
  }
  // What lies beside it is read: nothing else was wrong with these graphs.
  await refuses(await written(reading('beside.bin'), join(directory, 'model')), 'not a graph of this format')
})

test('a file that is listed besides the usual ones is checked, too', async () => {
  const files = withManifest(chain.files, (manifest) => ({ ...manifest, files: { ...manifest.files, 'tokenizer.json': listing(Uint8Array.of(1)) } }))
  await refuses(files, 'tokenizer.json')
  await refuses({ ...files, 'tokenizer.json': Uint8Array.of(2) }, 'tokenizer.json', 'SHA-256')
  await (await openModel({ ...files, 'tokenizer.json': Uint8Array.of(1) })).release()
})

test('a directory that is none', async () => {
  await refuses(join(directory, 'nowhere'), 'nowhere', 'Expected a directory with model.json')
  await refuses(await written(chain.files).then((path) => join(path, manifestFile)), 'not a directory')
  await mkdir(join(directory, 'empty'))
  await refuses(join(directory, 'empty'), join(directory, 'empty', manifestFile))
})

test('files that change after the model was opened', async () => {
  const model = await openModel(await written(chain.files))
  await utimes(join(directory, weightsFile), 1, 1)
  await expect(model.sample({ seed: 1, length: 3 })).rejects.toThrow(/weights.safetensors has changed since the model was opened/)
  await expect(model.parameters()).rejects.toThrow(InvalidModelError)
  await model.release()
})

test('files with the right hashes that onnxruntime refuses', async () => {
  const damaged = (name: string, bytes: Uint8Array) => withManifest({ ...chain.files, [name]: bytes }, (manifest) => ({ ...manifest, files: { ...manifest.files, [name]: listing(bytes) } }))
  await refuses(damaged(graphFiles.score, Uint8Array.of(1, 2, 3)), 'onnxruntime cannot open the model')
  await refuses(await written(damaged(graphFiles.score, Uint8Array.of(1, 2, 3))), join(directory, graphFiles.score))
  await refuses(damaged(weightsFile, chain.files[weightsFile].slice(0, 100)), 'onnxruntime cannot open')
})

test('graphs of another format', async () => {
  const swapped = { ...chain.files, [graphFiles.score]: chain.files[graphFiles.step] }
  await refuses(
    withManifest(swapped, (manifest) => ({ ...manifest, files: { ...manifest.files, [graphFiles.score]: listing(chain.files[graphFiles.step]) } })),
    'score.onnx is not a graph of this format: it has no input x; it asks for uniforms, temperature, given, isGiven',
  )
})

test('sources and options that are none', async () => {
  await expect(openModel(new URL('ftp://example.org/model'))).rejects.toThrow(/must begin with file:, http: or https:/)
  await expect(openModel(7 as never)).rejects.toThrow(InvalidOptionError)
  await expect(openModel(null as never)).rejects.toThrow(InvalidOptionError)
  await expect(openModel(chain.files, { device: 'gpu' } as never)).rejects.toThrow(/unknown option "device"/)
  await expect(openModel(chain.files, { threads: 0 })).rejects.toThrow(/threads/)
  await expect(openModel(chain.files, { provider: 'gpu' as never })).rejects.toThrow(/provider must be one of auto, cpu, cuda, webgpu/)
})
