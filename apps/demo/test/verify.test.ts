/** verify, the layouts of export, and what inspect says of graphs and memory: on one run and on what was exported from it. */
import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkNames } from '@chainrule/text'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run, runJson, shortText, temporaryFolder } from './command.js'

const folder = temporaryFolder()
const at = (name: string) => join(folder, name)
const [trained, model, single, hub] = [at('run'), at('model'), at('model.onnx'), at('hub')]

beforeAll(async () => {
  writeFileSync(at('text.txt'), shortText())
  const commands = [
    ['train', 'text', '--data', at('text.txt'), '--out', trained, '--preset', 'quick', '--steps', '5'],
    ['export', trained, '--out', model, '--data-licence', 'public domain'],
    ['export', trained, '--out', single, '--single-file'],
    ['export', trained, '--out', hub, '--layout', 'transformers.js'],
  ]
  for (const command of commands) {
    const { code, stderr } = await run(...command)
    expect(code, stderr).toBe(0)
  }
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true }))

describe('verify', () => {
  it.each([['run', trained], ['model', model], ['model', single]])('%s: every check passes', async (kind, path) => {
    const { code, stderr, document } = await runJson('verify', path)
    expect(code, stderr).toBe(0)
    expect(document).toMatchObject({ command: 'verify', model: path, kind, seed: 0, provider: 'cpu', passed: true })
    expect(document.checks.map(({ name, outcome }: { name: string; outcome: string }) => [name, outcome])).toEqual(checkNames.map((name) => [name, 'passed']))
  }, 30_000)

  it('for people, one line for each check', async () => {
    const { code, stdout } = await run('verify', model, '--seed', '3')
    expect(code).toBe(0)
    expect(stdout.match(/^✓ /gm)).toHaveLength(checkNames.length)
    expect(stdout).toMatch(/^✓ causality +6 changes of one variable leave all earlier ones as they are/m)
    expect(stdout).toContain('every law that could be tried holds')
  }, 30_000)

  it('a model that was changed: exit code 1, and which check failed', async () => {
    const broken = at('broken')
    cpSync(model, broken, { recursive: true })
    const weights = readFileSync(join(broken, 'weights.safetensors'))
    weights[weights.length - 9] ^= 4
    writeFileSync(join(broken, 'weights.safetensors'), weights)
    const { code, stdout } = await run('verify', broken)
    expect(code).toBe(1)
    expect(stdout).toMatch(/^✗ files .*weights\.safetensors is not the file that was exported/m)
    expect(stdout).toMatch(/^– replay /m)
    const { code: jsonCode, document } = await runJson('verify', broken)
    expect([jsonCode, document.passed]).toEqual([1, false])
  })

  it('misuse has the usual exit codes', async () => {
    expect((await run('verify', model, '--seed', 'x')).code).toBe(2)
    expect((await run('verify', at('nothing'))).code).toBe(1)
  })
})

describe('export', () => {
  it('in the layout of transformers.js, which inspect does not take for a run', async () => {
    expect(readdirSync(hub).sort()).toEqual(['README.md', 'config.json', 'generation_config.json', 'onnx', 'tokenizer.json', 'tokenizer_config.json'])
    const { code, stderr } = await run('inspect', hub)
    expect(code).toBe(1)
    expect(stderr).toContain('is in the layout of transformers.js')
    const { stdout } = await run('export', trained, '--out', hub, '--layout', 'transformers.js', '--overwrite')
    expect(stdout).toContain(`  env.localModelPath = ${JSON.stringify(dirname(hub))}\n`)
    expect(stdout).toContain(`await pipeline('text-generation', ${JSON.stringify(basename(hub))})`)
  })

  it('says which layouts there are', async () => {
    const { code, stderr } = await run('export', trained, '--out', at('x'), '--layout', 'gguf')
    expect(code).toBe(2)
    expect(stderr).toContain('chainrule, single-file, transformers.js')
  })

  it('README.md says how to run it in Node', () => {
    const [, code] = /```js\n([^`]*loadModel[^`]*)```/.exec(readFileSync(join(model, 'README.md'), 'utf8'))!
    const here = code.replace("'.'", JSON.stringify(model))
    const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', here], { cwd: fileURLToPath(new URL('..', import.meta.url)), encoding: 'utf8' })
    expect(printed.length).toBeGreaterThan(100)
  })
})

describe('inspect', () => {
  it.each([['model', model, 'public domain'], ['single file', single, 'unknown']])('%s: graphs, memory, reach and the licence of the data', async (_, path, licence) => {
    const { document } = await runJson('inspect', path)
    expect(document).toMatchObject({ context: 64, reads: { variables: 127, of: 4096 }, data: { licence } })
    expect(document.training.command).toBe('chainrule train text --data text.txt --out run --preset quick --steps 5')
    expect(document.memory).toEqual({ weightBytes: 4 * document.parameters.total, stateBytes: 4 * (1 + 2 * 2 * 64 * 63) })
    expect(document.graphs.sample).toMatchObject({ operatorSets: { 'ai.onnx': 23 }, operators: { Loop: 1 } })
  })

  it('a run has no graphs yet', async () => {
    const { document } = await runJson('inspect', trained)
    expect(document).toMatchObject({ graphs: null, reads: { variables: 127, of: 4096 } })
  })
})
