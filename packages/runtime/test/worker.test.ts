/** Sessions in a thread of their own. The thread runs the built file, so these tests take the built package. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { graphFiles, InterruptedError, InvalidModelError, InvalidOptionError, UnavailableError } from '@chainrule/core'
import { openModel } from '@chainrule/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chain, grid, listing, withManifest } from './fixture.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-worker-'))
  for (const [name, bytes] of Object.entries(chain.files)) await writeFile(join(folder, name), bytes)
})
afterAll(() => rm(folder, { recursive: true }))

test('the same numbers as in this thread, from a directory and from bytes', async () => {
  for (const source of [folder, chain.files]) {
    const [here, there] = [await openModel(source), await openModel(source, { worker: true })]
    expect(there.reason).toBe(here.reason)
    for (const sampler of ['graph', 'steps'] as const) {
      const request = { seed: 3, count: 5, length: 40, batchSize: 2, prompt: Int32Array.of(1, 2, 0), sampler }
      const samples = await there.sample(request)
      expect(samples).toEqual(await here.sample(request))
      const { values: x } = samples
      expect(await there.score({ x, length: 40 })).toEqual(await here.score({ x, length: 40 }))
    }
    expect(there.memory).toEqual(here.memory)
    expect(await there.parameters()).toEqual(await here.parameters())
    await here.release()
    await there.release()
  }
})

test('what it is given stays usable', async () => {
  const model = await openModel(grid.files, { worker: true })
  const x = new Int32Array(8)
  expect(await model.score({ x })).toEqual(await model.score({ x }))
  expect(x.length).toBe(8)
  await model.release()
})

test('the event loop stays free during one run', async () => {
  const x = new Int32Array(6000 * 256)
  /** Times that a timer ticked while onnxruntime scored x in a single run, and without it. */
  const ticks = async (worker: boolean) => {
    const model = await openModel(chain.files, { worker })
    let count = 0
    const timer = setInterval(() => count++, 1)
    await model.score({ x, length: 256, batchSize: 6000 })
    clearInterval(timer)
    await model.release()
    return count
  }
  const [blocked, free] = [await ticks(false), await ticks(true)]
  expect(blocked).toBeLessThanOrEqual(4)
  expect(free).toBeGreaterThanOrEqual(20)
})

test('an interruption ends the work between two runs, and the model goes on', async () => {
  const model = await openModel(chain.files, { worker: true })
  const controller = new AbortController()
  const attempt = model.sample({ seed: 1, length: 1e6, signal: controller.signal })
  setTimeout(() => controller.abort(), 20)
  await expect(attempt).rejects.toThrow(InterruptedError)
  expect((await model.sample({ seed: 1, length: 3 })).values.length).toBe(3)
  await model.release()
  await expect(model.sample({ seed: 1, length: 3 })).rejects.toThrow(/was released/)
})

test('errors keep their class and message', async () => {
  const bytes = Uint8Array.of(1, 2, 3)
  const damaged = withManifest({ ...chain.files, [graphFiles.score]: bytes }, (manifest) => ({ ...manifest, files: { ...manifest.files, [graphFiles.score]: listing(bytes) } }))
  const attempt = openModel(damaged, { worker: true })
  await expect(attempt).rejects.toThrow(InvalidModelError)
  await expect(attempt).rejects.toThrow(/onnxruntime cannot open the model/)
  const error = (await attempt.catch((reason: unknown) => reason)) as Error
  expect(error.cause).toBeInstanceOf(Error)
  expect(error.stack).toContain('worker.js')
  await expect(openModel(chain.files, { worker: true, provider: 'webgpu' })).rejects.toThrow(UnavailableError)
  await expect(openModel(chain.files, { worker: 1 as never })).rejects.toThrow(InvalidOptionError)
})

/** Runs a program that opens the model; resolves to what it prints. A process that does not end by itself is a failure. */
async function run(program: string): Promise<string> {
  const head = `import { openModel } from '@chainrule/runtime'; const model = await openModel(${JSON.stringify(folder)}, { worker: true });`
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  return (await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', `${head} ${program}`], { cwd, timeout: 20_000 })).stdout
}

test.each([
  ['after release', 'await model.sample({ seed: 1, length: 9 }); await model.release(); console.log("done")'],
  ['without release', 'await model.sample({ seed: 1, length: 9 }); console.log("done")'],
  ['only when what was asked for is there', 'model.sample({ seed: 1, length: 5000 }).then(() => console.log("done"))'],
])('the process ends %s', async (_, program) => {
  expect(await run(program)).toBe('done\n')
})

test('a process that exits in the middle of a run ends as it says', async () => {
  for (let attempt = 0; attempt < 5; attempt++) {
    expect(await run(`model.sample({ seed: 1, length: 50_000, count: 64 }); setTimeout(() => { console.log("done"); process.exit(0) }, ${30 + attempt})`)).toBe('done\n')
  }
})
