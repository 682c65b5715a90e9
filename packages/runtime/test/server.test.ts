/** Models that lie on a server. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { graphFiles, InvalidModelError, manifestFile, weightsFile } from '@chainrule/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openModel } from '../src/index.js'
import { chain, type ModelFiles } from './fixture.js'
import { chainSample } from './oracle.js'

let server: Server
let origin: string
let files: ModelFiles
let asked: string[]
beforeEach(async () => {
  files = chain.files
  asked = []
  server = createServer(({ url }, response) => {
    asked.push(url!)
    const [, folder, name] = /^\/models\/(\w+)\/([\w.]+)$/.exec(new URL(url!, origin).pathname) ?? []
    if (folder === 'chain' && Object.hasOwn(files, name)) response.end(files[name])
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => new Promise((resolve) => server.close(resolve)))

test.each(['/models/chain', '/models/chain/', '/models/chain?key=1'])('a directory by its address: %s', async (path) => {
  const { values } = chainSample({ seed: 1, sample: 0, length: 30 })
  for (const source of [origin + path, new URL(path, origin)]) {
    const model = await openModel(source, { provider: 'cpu' })
    expect(Array.from((await model.sample({ seed: 1, length: 30 })).values)).toEqual(values)
    expect((await model.parameters())['network/table'].data).toEqual(chain.table)
    await model.release()
  }
  expect(asked.every((url) => url.endsWith('?key=1') === path.endsWith('?key=1'))).toBe(true)
})

const refuses = async (path: string, ...messages: string[]) => {
  const attempt = openModel(origin + path)
  await expect(attempt).rejects.toThrow(InvalidModelError)
  for (const message of messages) await expect(attempt).rejects.toThrow(message)
}

test('an address where nothing is', async () => {
  await refuses('/models/other', `${origin}/models/other/${manifestFile}`, '404')
  await refuses('/models/other.onnx', `${origin}/models/other.onnx`, '404')
  await new Promise((resolve) => server.close(resolve))
  await refuses('/models/chain', 'cannot be fetched: ')
})

test.each([weightsFile, ...Object.values(graphFiles).filter((file) => file in chain.files)])('%s missing, truncated, or changed', async (name) => {
  const { [name]: bytes, ...others } = chain.files
  files = others
  await refuses('/models/chain', `${origin}/models/chain/${name}`, '404')
  files = { ...others, [name]: bytes.subarray(1) }
  await refuses('/models/chain', `${origin}/models/chain/${name}`, 'bytes')
  files = { ...others, [name]: bytes.map((byte, at) => (at === 90 ? byte ^ 1 : byte)) }
  await refuses('/models/chain', `${origin}/models/chain/${name}`, 'SHA-256')
})

test('a manifest that is none is read before anything else is asked for', async () => {
  files = { ...chain.files, [manifestFile]: new TextEncoder().encode('<html>') }
  await refuses('/models/chain', manifestFile, 'not JSON')
  expect(asked).toEqual([`/models/chain/${manifestFile}`])
})
