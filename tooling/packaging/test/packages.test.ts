/** Every published package, as its tarball: publint finds nothing, and its types are what its code is (are-the-types-wrong). */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { publint } from 'publint'
import { afterAll, expect, test } from 'vitest'
import { pack, publishedPackages, temporaryFolder } from './packed.js'

const folder = temporaryFolder('packages')
afterAll(folder.remove)

const attw = join(dirname(createRequire(import.meta.url).resolve('@arethetypeswrong/cli/package.json')), 'dist/index.js')

test.for(publishedPackages)('%s is packed as Node, bundlers and TypeScript expect it', async (name) => {
  const tarball = pack(name, folder.path)
  const bytes = readFileSync(tarball)
  const { messages } = await publint({ pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) }, strict: true })
  expect(messages).toEqual([])
  // The packages are ES modules only, on purpose; `require` of them works from Node 20.19 on.
  expect(() => execFileSync(process.execPath, [attw, tarball, '--profile', 'esm-only', '--format', 'ascii'], { encoding: 'utf8', stdio: 'pipe' })).not.toThrow()
})
