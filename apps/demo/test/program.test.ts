/** What all commands share: help, version, usage errors, exit codes, failures as JSON. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { plays, run, runJson, stackLine, start } from './command.js'

const train = ['train', 'text', '--data', plays, '--out', 'unused']

describe.concurrent('help', () => {
  it('names every command', async () => {
    const { code, stdout } = await run('--help')
    expect(code).toBe(0)
    for (const name of ['train', 'evaluate', 'sample', 'score', 'export', 'inspect', 'verify', 'demo']) expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'))
  })

  it.each(['train text', 'evaluate', 'sample', 'score', 'export', 'inspect', 'verify', 'demo'])('%s has an example', async (command) => {
    const { code, stdout } = await run(...command.split(' '), '--help')
    expect(code).toBe(0)
    expect(stdout).toContain(`Usage: chainrule ${command}`)
    expect(stdout).toContain(`Example:\n  chainrule ${command}`)
    expect(stdout).toContain('--json')
  })

  it('--version is that of the package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
    expect(await run('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })
})

describe.concurrent('usage errors', () => {
  it.each<[string[], RegExp]>([
    [[], /which command\?\n\nUsage: chainrule/],
    [['train'], /which command\?\n\nUsage: chainrule train/],
    [['trian'], /unknown command 'trian'\n\(Did you mean train\?\)/],
    [['train', 'text', '--out', 'unused'], /required option '--data <path>' not specified/],
    [[...train, '--stesp', '5'], /unknown option '--stesp'\n\(Did you mean --steps\?\)/],
    [[...train, '--steps', '-1'], /'--steps <n>' argument '-1' is invalid\. Expected a whole number of at least 1\./],
    [['export', 'runs/first', '--out', 'first.onnx', '--single-file', '--layout', 'chainrule'], /option '--single-file' cannot be used with option '--layout <name>'/],
    [[...train, '--steps', '1.5'], /'--steps <n>' argument '1\.5' is invalid/],
    [[...train, '--seed', '-1'], /'--seed <n>' argument '-1' is invalid\. Expected a whole number from 0 to 4294967295\./],
    [[...train, '--threads', '0'], /'--threads <n>' argument '0' is invalid/],
    [[...train, '--held-out', '2'], /'--held-out <fraction>' argument '2' is invalid\. Expected a number from 0 to 0\.9\./],
    [[...train, '--validation', '0.6'], /'--validation <fraction>' argument '0\.6' is invalid\. Expected a number from 0 to 0\.5\./],
    [[...train, '--validate-every', '0'], /'--validate-every <n>' argument '0' is invalid/],
    [[...train, '--patience', '0'], /'--patience <n>' argument '0' is invalid/],
    [[...train, '--preview', '0'], /'--preview <n>' argument '0' is invalid/],
    [[...train, '--accumulation', '0'], /'--accumulation <n>' argument '0' is invalid/],
    [[...train, '--average-decay', '1'], /'--average-decay <d>' argument '1' is invalid\. Expected a number from 0 to below 1\./],
    [[...train, '--learning-rate', '0'], /'--learning-rate <x>' argument '0' is invalid\. Expected a number above 0\./],
    [[...train, '--preset', 'huge'], /argument 'huge' is invalid\. Allowed choices are small, tiny, names, quick\./],
    [[...train, '--tokenizer', 'word'], /--tokenizer word: expected character, byte, byte-pair, or the path of a tokenizer\.json/],
    [[...train, '--engine', 'jax'], /argument 'jax' is invalid\. Allowed choices are onnx, tensorflow, cpu\./],
    [[...train, '--engine', 'cpu', '--threads', '2'], /--threads belongs to the engine onnx/],
    [['sample'], /missing required argument 'run\|model'/],
    [['sample', 'a', 'b'], /too many arguments/],
    [['sample', 'a', '--temperature', '0'], /'--temperature <t>' argument '0' is invalid\. Expected a number above 0\./],
    [['sample', 'a', '--count', '0'], /'--count <n>' argument '0' is invalid/],
    [['sample', 'a', '--length', 'many'], /'--length <n>' argument 'many' is invalid/],
    [['sample', 'a', '--provider', 'tpu'], /Allowed choices are auto, cpu, cuda, webgpu\./],
    [['sample', 'a', '--top-k', '0'], /'--top-k <n>' argument '0' is invalid/],
    [['sample', 'a', '--top-p', '1.5'], /Expected a number above 0, at most 1\./],
    [['sample', 'a', '--min-p', '-1'], /'--min-p <p>' argument '-1' is invalid/],
    [['sample', 'a', '--repetition-penalty', '0'], /'--repetition-penalty <r>' argument '0' is invalid/],
    [['export', 'a'], /required option '--out <folder>' not specified/],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await run(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^chainrule: /)
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(stackLine)
  })

  it('say how to get help with the command', async () => {
    expect((await run(...train, '--stesp', '5')).stderr).toMatch(/How to use it: .* train text --help\n$/)
  })
})

describe('failures', () => {
  it('with --json are one document, too', async () => {
    const failed = await runJson('inspect', '/nowhere')
    expect(failed.code).toBe(1)
    expect(failed.document).toEqual({ error: { kind: 'InvalidDataError', message: '/nowhere: there is no such folder or file.' }, exitCode: 1 })
    const misused = await runJson('sample', 'a', '--count', '0')
    expect(misused.code).toBe(2)
    expect(misused.document).toMatchObject({ error: { kind: 'UsageError' }, exitCode: 2 })
  })

  it('show their stack with CHAINRULE_DEBUG', async () => {
    const { code, stderr } = await start(['inspect', '/nowhere'], { CHAINRULE_DEBUG: '1' }).ended
    expect(code).toBe(1)
    expect(stderr).toMatch(stackLine)
  })

  it('a reader that stops early is none', () => {
    const program = fileURLToPath(new URL('../bin/chainrule.js', import.meta.url))
    const { stderr } = spawnSync('sh', ['-c', `"${process.execPath}" "${program}" demo --help | head -c 1`], { encoding: 'utf8' })
    expect(stderr).toBe('')
  })
})
