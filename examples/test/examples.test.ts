/** Every example runs, says what its header promises, and is short. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const folder = fileURLToPath(new URL('..', import.meta.url))
const output = async (file: string, ...args: string[]) => (await promisify(execFile)(process.execPath, [file, ...args], { cwd: folder })).stdout
const numbers = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, number]) => Number(number))

const checks: Record<string, () => Promise<void>> = {
  async '01-train-and-sample.mjs'() {
    const text = await output('01-train-and-sample.mjs', '30')
    const [nats] = numbers(text, /held out: (\d\.\d+) nats per character/g)
    expect(nats).toBeLessThan(3.3) // ln 74 = 4.30 knows nothing, 3.20 knows how often each character occurs
    expect(text.slice(text.indexOf('Enter'))).toMatch(/^Enter Hamlet\.\n[^]{200}\n$/)
  },
  async '02-export-and-load.mjs'() {
    const text = await output('02-export-and-load.mjs')
    expect(text).toMatch(/^(cpu|cuda)/)
    expect(text).toMatch(/^She sells [^]{60}$/m)
    const [known, unknown] = numbers(text, /^(\d+\.\d+) nats: /gm)
    expect(known).toBeLessThan(unknown)
  },
  async '03-exact-likelihood.mjs'() {
    const text = await output('03-exact-likelihood.mjs')
    expect(numbers(text, /sum over all 27: (\S+)/g)).toEqual([1, 1, 1])
    expect(numbers(text, /p\(sun, sun, sun\) = (\S+)/g)).toEqual([0.25, 0.25, 0.25])
    expect(numbers(text, /p\(snow, snow, snow\) = (\S+)/g)).toEqual([0, 0, 0])
  },
  async '04-your-own-order.mjs'() {
    const [truth, first, last] = numbers(await output('04-your-own-order.mjs'), /(\d+\.\d+) nats/g)
    expect(first).toBeGreaterThan(truth - 0.05)
    expect(first).toBeLessThan(last - 0.02)
  },
}

describe('examples', () => {
  it.each(Object.entries(checks))('%s', (_, check) => check())

  it('are all here, and none has more than 40 lines', () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.mjs')).sort()
    expect(files).toEqual(Object.keys(checks))
    for (const file of files) expect(readFileSync(`${folder}/${file}`, 'utf8').split('\n').length, file).toBeLessThanOrEqual(41)
  })
})
