/** `train text`: what it writes, how it is interrupted, how it goes on, and what it refuses. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UnavailableError, uniform } from '@chainrule/core'
import type { Engine } from '@chainrule/core/tensors'
import { readRun } from '@chainrule/text'
import { afterAll, describe, expect, it } from 'vitest'
import { makeFolder, trainPlan } from '../src/train.js'
import { freshPlan } from '../src/training-plan.js'
import { run, runJson, shortText, stackLine, start, temporaryFolder } from './command.js'

const folder = temporaryFolder()
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)
const data = at('text.txt')
writeFileSync(data, shortText())

const training = (out: string, ...more: string[]) => ['train', 'text', '--data', data, '--out', out, ...more]
const quick = (out: string, steps: number, ...more: string[]) => training(out, '--preset', 'quick', '--steps', String(steps), '--threads', '1', ...more)

/** Everything that the next update depends on, as one text. */
async function stateOf(out: string): Promise<string> {
  const { step, parameters, firstMoments, secondMoments } = (await readRun(out)).state
  const arrays = [parameters, firstMoments, secondMoments].map((record) => Object.entries(record).map(([name, { data }]) => [name, Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')]))
  return JSON.stringify([step, arrays])
}

describe('train', () => {
  it('says its plan first, its progress, what it reached and what to do next', async () => {
    const { code, stdout, stderr } = await run(...quick(at('plain'), 5))
    expect(code).toBe(0)
    expect(stderr.split('\n')[0]).toMatch(/^quick: transformer, [\d,]+ parameters, character tokens .* 2,700 characters of text\.txt to train on, 300 held out; 5 steps; engine onnx$/)
    expect(stderr).toMatch(/training 1\/5 {2}\d\.\d+ nats\/token {2}[\d,]+ tokens\/s {2}\d+ s left/)
    expect(stdout).toMatch(/held out +\d\.\d+ nats per character \(\d\.\d+ bits per character, \d\.\d+ bits per byte\)/)
    for (const command of ['sample', 'evaluate', 'export']) expect(stdout).toContain(` ${command} ${at('plain')}`)
    expect(readdirSync(at('plain'))).toEqual(['checkpoint.safetensors'])
  })

  it('with --json prints one document', async () => {
    const { code, document } = await runJson(...quick(at('json'), 5, '--held-out', '0.2', '--seed', '7'))
    expect(code).toBe(0)
    expect(document).toMatchObject({ command: 'train', run: at('json'), steps: 5, engine: 'onnx', resumed: false, data: { file: 'text.txt', length: 3000, heldOutBegin: 2400, heldOutEnd: 3000 } })
    expect(document.heldOut.characters).toBe(600)
    expect(document.heldOut.natsPerCharacter).toBeCloseTo(document.heldOut.totalNats / 600, 10)
    expect(document.heldOut.bitsPerByte).toBeCloseTo(document.heldOut.natsPerCharacter / Math.LN2, 10)
    const { description } = await readRun(at('json'))
    expect(description.settings.seed).toBe(7)
    expect(description.results).toMatchObject({ natsPerCharacter: document.heldOut.natsPerCharacter })
  })

  it('holds nothing out when told so, and takes bytes as tokens', async () => {
    const { code, document } = await runJson(...quick(at('bytes'), 2, '--held-out', '0', '--tokenizer', 'byte'))
    expect(code).toBe(0)
    expect(document.heldOut).toBeNull()
    expect((await readRun(at('bytes'))).description.tokenizer.name).toBe('byte')
  })

  it('takes the vocabulary from the whole file, the held-out part included', async () => {
    writeFileSync(at('late.txt'), `${shortText()}☃`)
    const { code } = await run('train', 'text', '--data', at('late.txt'), '--out', at('late'), '--preset', 'quick', '--steps', '1')
    expect(code).toBe(0)
    expect((await readRun(at('late'))).description.tokenizer.options.characters).toContain('☃')
  })

  it('never looks at what is held out: another ending trains the same parameters', async () => {
    const [whole, ending] = [shortText(), 2700]
    writeFileSync(at('reversed.txt'), whole.slice(0, ending) + [...whole.slice(ending)].reverse().join(''))
    const { code } = await run('train', 'text', '--data', at('reversed.txt'), '--out', at('reversed'), '--preset', 'quick', '--steps', '5', '--threads', '1')
    expect(code).toBe(0)
    expect(await stateOf(at('reversed'))).toBe(await stateOf(at('plain')))
  })

  it('trains with the engine cpu', async () => {
    const { code, document, stderr } = await runJson(...training(at('cpu'), '--preset', 'quick', '--steps', '1', '--held-out', '0', '--engine', 'cpu'))
    expect(code, stderr).toBe(0)
    expect(document.engine).toBe('eager cpu')
  })

  it('refuses a folder that holds a run, and leaves it alone', async () => {
    const before = readFileSync(join(at('plain'), 'checkpoint.safetensors'))
    const { code, stderr, stdout } = await run(...quick(at('plain'), 5))
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe(`chainrule: ${at('plain')} already holds a run. Continue it with --resume, or choose another folder.\n`)
    expect(readFileSync(join(at('plain'), 'checkpoint.safetensors')).equals(before)).toBe(true)
  })
})

describe('interruption', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('%s keeps a checkpoint; --resume ends where an uninterrupted run does, bit for bit', async (signal) => {
    const [whole, broken] = [at(`whole-${signal}`), at(`broken-${signal}`)]
    expect((await run(...quick(whole, 60))).code).toBe(0)
    const started = start(quick(broken, 60))
    await started.says(/training \d+\/60/)
    started.process.kill(signal)
    const { code, stdout, stderr } = await started.ended
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' })
    expect(stderr).toMatch(/^chainrule: Training was interrupted after \d+ of 60 steps; the checkpoint is in .*\. Go on with: .* train text --data .* --out .* --resume --threads 1$/m)
    const { step } = (await readRun(broken)).state
    expect(step).toBeGreaterThan(0)
    expect(step).toBeLessThan(60)
    const resumed = await runJson(...training(broken, '--resume', '--threads', '1'))
    expect(resumed.code, resumed.stderr).toBe(0)
    expect(resumed.document).toMatchObject({ resumed: true, steps: 60 })
    expect(await stateOf(broken)).toBe(await stateOf(whole))
  })

  it('kill -9 at any moment leaves a checkpoint that loads, and going on loses nothing', async () => {
    const [whole, killed] = [at('whole-9'), at('killed-9')]
    const steps = 40
    expect((await run(...quick(whole, steps))).code).toBe(0)
    const kills = process.env.CHAINRULE_LONG ? 200 : 6
    const hasRun = () => existsSync(join(killed, 'checkpoint.safetensors'))
    const stepsMade = async () => (hasRun() ? (await readRun(killed)).state.step : 0)
    let inTheMiddle = 0
    for (let which = 0; which < kills; which++) {
      // Every update writes a checkpoint, so that many a kill comes in the middle of one.
      const started = start(hasRun() ? training(killed, '--resume', '--threads', '1', '--checkpoint-every', '0') : quick(killed, steps, '--checkpoint-every', '0'))
      // In turn: at some moment of starting, and at some moment of training.
      if (which % 2) await started.says(/training \d+/)
      await new Promise((resolve) => setTimeout(resolve, (which % 2 ? 150 : 700) * uniform(9, 'sampling', which)))
      started.process.kill('SIGKILL')
      await started.ended
      const made = await stepsMade()
      if (made > 0 && made < steps) inTheMiddle++
      if (made === steps) rmSync(killed, { recursive: true })
    }
    expect(inTheMiddle).toBeGreaterThan(0)
    const { code, stderr } = await run(...(hasRun() ? training(killed, '--resume', '--threads', '1') : quick(killed, steps)))
    expect(code, stderr).toBe(0)
    expect(await stateOf(killed)).toBe(await stateOf(whole))
  }, process.env.CHAINRULE_LONG ? 900_000 : 120_000)
})

describe('going on', () => {
  it('refuses another text, naming both', async () => {
    writeFileSync(at('other.txt'), shortText().toUpperCase())
    const { code, stderr } = await run('train', 'text', '--data', at('other.txt'), '--out', at('plain'), '--resume')
    expect(code).toBe(1)
    expect(stderr).toMatch(/other\.txt is not the text that .*plain was trained on: expected text\.txt with SHA-256 [0-9a-f]{64}, got [0-9a-f]{64}\./)
  })

  it.each([
    ['--steps', '6'],
    ['--seed', '1'],
    ['--held-out', '0.3'],
    ['--tokenizer', 'byte'],
    ['--preset', 'small'],
  ])('refuses %s %s where the run has another', async (option, value) => {
    const { code, stderr } = await run(...training(at('plain'), '--resume', option, value))
    expect(code).toBe(2)
    expect(stderr).toMatch(new RegExp(`^chainrule: ${option} ${value} contradicts .*plain, which was begun with `))
  })

  it('accepts options that say what the run says; a finished run stays as it is', async () => {
    const before = await stateOf(at('plain'))
    const { code, stderr } = await run(...quick(at('plain'), 5, '--resume', '--seed', '0', '--held-out', '0.1', '--tokenizer', 'character'))
    expect(code, stderr).toBe(0)
    expect(await stateOf(at('plain'))).toBe(before)
  })

  it('refuses a folder without a run', async () => {
    const { code, stderr } = await run(...training(at('nowhere'), '--resume'))
    expect(code).toBe(1)
    expect(stderr).toMatch(/nowhere is not a run: it holds no checkpoint\.safetensors/)
  })
})

describe('an engine that fails', () => {
  it('before the first update leaves nothing behind, but spares what was there', async () => {
    const engine: Engine = { name: 'broken', compile: () => Promise.reject(new UnavailableError('broken')) }
    const attempt = async (out: string) => {
      const plan = await freshPlan({ data, out, preset: 'quick' })
      await makeFolder(plan, out)
      await expect(trainPlan(plan, { out, data, engine, engineArguments: [], signal: new AbortController().signal })).rejects.toThrow('broken')
    }
    await attempt(at('failed'))
    expect(existsSync(at('failed'))).toBe(false)
    mkdirSync(at('notes'))
    writeFileSync(join(at('notes'), 'notes.txt'), 'mine')
    await attempt(at('notes'))
    expect(readdirSync(at('notes'))).toEqual(['notes.txt'])
  })
})

describe.concurrent('bad texts', () => {
  const cases: [name: string, content: string | Uint8Array | undefined, message: RegExp][] = [
    ['missing.txt', undefined, /missing\.txt: there is no such file\./],
    ['empty.txt', '', /empty\.txt: the file is empty\./],
    ['latin1.txt', Uint8Array.of(97, 10, 98, 0xff, 99), /latin1\.txt: not UTF-8: byte 3 \(0xff, line 2\)/],
    ['tiny.txt', 'to be or not', /tiny\.txt: too short: 10 tokens to train on after holding out 2 characters, a training window needs 64\./],
    ['same.txt', 'a'.repeat(500), /same\.txt: the text is one character over and over/],
  ]
  it.each(cases)('%s', async (name, content, message) => {
    if (content !== undefined) writeFileSync(at(name), content)
    const { code, stdout, stderr } = await run('train', 'text', '--data', at(name), '--out', at(`run-of-${name}`))
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(stackLine)
    expect(existsSync(at(`run-of-${name}`)), 'nothing is left behind').toBe(false)
  })

  it('a folder', async () => {
    const { code, stderr } = await run('train', 'text', '--data', folder, '--out', at('run-of-folder'))
    expect(code).toBe(1)
    expect(stderr).toMatch(/it is a folder, expected a text file/)
  })

  it('a run where a file is', async () => {
    const { code, stderr } = await run(...quick(data, 5))
    expect(code).toBe(1)
    expect(stderr).toMatch(/text\.txt: the folder of the run cannot be made: a file is in the way/)
    expect(readFileSync(data, 'utf8')).toBe(shortText())
  })
})
