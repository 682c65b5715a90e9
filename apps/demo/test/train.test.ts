/** `train text`: what it writes, how it is interrupted, how it goes on, and what it refuses. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UnavailableError, uniform } from '@chainrule/core'
import type { Engine } from '@chainrule/core/tensors'
import { createRunDirectory, readRun } from '@chainrule/text'
import { afterAll, describe, expect, it } from 'vitest'
import { traineeOf } from '../src/text/train.js'
import { freshPlan } from '../src/text/training-plan.js'
import { trainPlan } from '../src/training.js'
import { run, runJson, shortText, stackLine, start, temporaryFolder } from './command.js'

const folder = temporaryFolder()
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)
const data = at('text.txt')
writeFileSync(data, shortText())

const training = (out: string, ...more: string[]) => ['train', 'text', '--data', data, '--out', out, ...more]
const quick = (out: string, steps: number, ...more: string[]) => training(out, '--preset', 'quick', '--steps', String(steps), '--threads', '1', ...more)

/** Validation, an average and accumulated gradients, all at once. */
const everything = ['--validation', '0.1', '--validate-every', '5', '--average-decay', '0.9', '--accumulation', '2']

/** The lines of a run's metrics, without the one number that depends on the machine. */
const metricsOf = (out: string): Record<string, number>[] =>
  readFileSync(join(out, 'metrics.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => ({ ...JSON.parse(line), variablesPerSecond: 0 }))

/** Everything that the next update and the result depend on, as one text. */
async function stateOf(out: string): Promise<string> {
  const { state, best: kept } = await readRun(out)
  const { step, best, parameters, firstMoments, secondMoments, average = {} } = state
  const arrays = [parameters, firstMoments, secondMoments, average, kept?.parameters ?? {}].map((record) => Object.entries(record).map(([name, { data }]) => [name, Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')]))
  return JSON.stringify([step, best, arrays])
}

describe('train', () => {
  it('says its plan first, its progress, what it reached and what to do next', async () => {
    const { code, stdout, stderr } = await run(...quick(at('plain'), 5))
    expect(code).toBe(0)
    expect(stderr.split('\n')[0]).toMatch(/^quick: transformer, [\d,]+ parameters, character tokens .* 2,700 characters of text\.txt to train on, 300 held out; 5 steps; engine onnx$/)
    expect(stderr).toMatch(/training 1\/5 {2}\d\.\d+ nats\/token {2}[\d,]+ tokens\/s {2}\d+ s left/)
    expect(stdout).toMatch(/held out +\d\.\d+ nats per character \(\d\.\d+ bits per character, \d\.\d+ bits per byte\)/)
    for (const command of ['sample', 'evaluate', 'export']) expect(stdout).toContain(` ${command} ${at('plain')}`)
    expect(readdirSync(at('plain')).sort()).toEqual(['checkpoint.safetensors', 'metrics.jsonl'])
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

  it('says before the first step what it is going to take', async () => {
    const { code, document, stderr } = await runJson(...quick(at('planned'), 2))
    expect(code).toBe(0)
    expect(stderr.split('\n')[1]).toMatch(/^a step: 768 tokens, \d+ MFLOP forward and \d+ MFLOP backward; memory: about \d+\.\d MB, \d+\.\d MB of it for activations; time: about \d+ s \(timed: [\d.]+ GFLOP a second\), by onnxruntime on cpu, \d threads?$/)
    const { plan, parameters } = document
    const [layers, width, values, tokens] = [2, 64, document.data.length && new Set(shortText()).size, 768]
    expect(parameters).toBe(plan.parameters)
    // 12 width² for each layer and the head; both products of attention, masked or not.
    expect(plan.forwardOperations).toBe(2 * tokens * (layers * 12 * width ** 2 + width * values + layers * 2 * 64 * width))
    expect(plan.backwardOperations).toBe(2 * plan.forwardOperations)
    expect(plan).toMatchObject({ rate: 'timed', variablesPerUpdate: tokens, memory: { parameters: 4 * parameters, moments: 8 * parameters } })
  })

  it('writes a line of metrics for each step', async () => {
    const lines = metricsOf(at('plain'))
    expect(lines.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5])
    expect(Object.keys(lines[0])).toEqual(['step', 'nats', 'gradientNorm', 'learningRate', 'variablesPerSecond'])
  })

  it('validates on a part of its own, stops early, and keeps the best', async () => {
    const out = at('validated')
    const { code, document, stderr } = await runJson(...quick(out, 3000, '--learning-rate', '0.03', '--validation', '0.2', '--validate-every', '20', '--patience', '2'))
    expect(code, stderr).toBe(0)
    expect(stderr).toContain('2,100 characters of text.txt to train on, 600 to validate with, 300 held out')
    expect(document.data).toMatchObject({ validationBegin: 2100, heldOutBegin: 2700 })
    const { steps, selection } = document
    expect(steps).toBeLessThan(3000)
    expect(selection).toMatchObject({ kind: 'last', step: steps - 40 })
    const validated = metricsOf(out).filter((line) => 'validationNats' in line)
    expect(Math.min(...validated.map(({ validationNats }) => validationNats))).toBe(selection.validationNats)
    expect(validated.map(({ step }) => step)).toEqual(Array.from({ length: steps / 20 }, (_, i) => 20 * (i + 1)))
    // What is evaluated, inspected and exported are the best parameters.
    const again = await runJson('evaluate', out, '--data', data, '--threads', '1')
    expect(again.document.natsPerCharacter).toBeCloseTo(document.heldOut.natsPerCharacter, 10)
    const inspected = (await runJson('inspect', out)).document
    expect(inspected.training).toMatchObject({ updates: steps, parametersKept: 'last', parametersOfUpdate: selection.step, validationNatsPerToken: selection.validationNats, validation: { everySteps: 20, patience: 2 } })
    const exported = await run('export', out, '--out', `${out}-model`)
    expect(exported.code, exported.stderr).toBe(0)
    const ofModel = await runJson('evaluate', `${out}-model`, '--data', data)
    expect(ofModel.document.natsPerCharacter).toBeCloseTo(document.heldOut.natsPerCharacter, 4)
    expect((await runJson('inspect', `${out}-model`)).document.training).toMatchObject({ parametersKept: 'last', parametersOfUpdate: selection.step })
    // It has ended: going on changes nothing.
    const before = await stateOf(out)
    const resumed = await run(...training(out, '--resume', '--threads', '1'))
    expect(resumed.code, resumed.stderr).toBe(0)
    expect(resumed.stdout).toContain(`of 3,000, stopped early: nothing better for 2 validations`)
    expect(await stateOf(out)).toBe(before)
  })

  it('never trains on what validates: another middle trains the same parameters', async () => {
    const text = shortText()
    writeFileSync(at('middle.txt'), text.slice(0, 2100) + [...text.slice(2100, 2700)].reverse().join('') + text.slice(2700))
    const options = ['--preset', 'quick', '--steps', '5', '--threads', '1', '--validation', '0.2']
    expect((await run(...training(at('forward'), ...options))).code).toBe(0)
    expect((await run('train', 'text', '--data', at('middle.txt'), '--out', at('middle'), ...options)).code).toBe(0)
    const [forward, middle] = [(await readRun(at('forward'))).state, (await readRun(at('middle'))).state]
    expect(Object.values(middle.parameters).map(({ data }) => data)).toEqual(Object.values(forward.parameters).map(({ data }) => data))
    expect(middle.best).not.toEqual(forward.best)
  })

  it('shows samples on the way when asked to, and keeps the average when asked to', async () => {
    const { code, stderr, stdout } = await run(...quick(at('previewed'), 6, '--preview', '3', '--average-decay', '0.9'))
    expect(code, stderr).toBe(0)
    expect(stderr.match(/^after \d steps: /gm)).toEqual(['after 3 steps: ', 'after 6 steps: '])
    expect(stdout).toContain('kept       the average of the parameters after 6 steps\n')
    expect((await runJson('inspect', at('previewed'))).document.training).toMatchObject({ averageDecay: 0.9, parametersKept: 'average', parametersOfUpdate: 6 })
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

  it.each([
    ['plain', [] as string[]],
    ['with validation, an average and accumulated gradients', everything],
  ])('kill -9 at any moment leaves a checkpoint that loads, and going on loses nothing: %s', async (name, more) => {
    const [whole, killed] = [at(`whole-9 ${name}`), at(`killed-9 ${name}`)]
    const steps = 40
    const fresh = (out: string, ...options: string[]) => quick(out, steps, ...more, ...options)
    expect((await run(...fresh(whole))).code).toBe(0)
    const kills = process.env.CHAINRULE_LONG ? 200 : 6
    const hasRun = () => existsSync(join(killed, 'checkpoint.safetensors'))
    const stepsMade = async () => (hasRun() ? (await readRun(killed)).state.step : 0)
    let inTheMiddle = 0
    for (let which = 0; which < kills; which++) {
      // Every update writes a checkpoint, so that many a kill comes in the middle of one.
      const started = start(hasRun() ? training(killed, '--resume', '--threads', '1', '--checkpoint-every', '0') : fresh(killed, '--checkpoint-every', '0'))
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
    const { code, stderr } = await run(...(hasRun() ? training(killed, '--resume', '--threads', '1') : fresh(killed)))
    expect(code, stderr).toBe(0)
    expect(await stateOf(killed)).toBe(await stateOf(whole))
    expect(metricsOf(killed)).toEqual(metricsOf(whole))
    expect(readdirSync(killed).filter((file) => file.includes('partial'))).toEqual([])
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
    ['--learning-rate', '0.1'],
    ['--accumulation', '2'],
    ['--average-decay', '0.9'],
    ['--validation', '0.1'],
    ['--validate-every', '2'],
    ['--patience', '2'],
    ['--from', 'elsewhere'],
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

describe('fine-tuning', () => {
  const tune = (from: string, out: string, ...more: string[]) => training(out, '--from', from, '--threads', '1', ...more)

  it('begins with a run or a model: its pieces, settings and parameters', async () => {
    const model = at('plain-model')
    expect((await run('export', at('plain'), '--out', model)).code).toBe(0)
    for (const [from, out] of [[at('plain'), at('tuned-run')], [model, at('tuned-model')]]) {
      const { code, stderr, document } = await runJson(...tune(from, out, '--steps', '3', '--seed', '9', '--learning-rate', '0.0001'))
      expect(code, stderr).toBe(0)
      expect(document).toMatchObject({ steps: 3, resumed: false })
      expect(stderr).toContain(`from ${from}: transformer`)
      const { training } = (await runJson('inspect', out)).document
      expect(training).toMatchObject({ learningRate: 1e-4, batchSize: 12, weightDecay: 0.1, seed: 9, from: { updates: 5 } })
    }
    expect(await stateOf(at('tuned-model'))).toBe(await stateOf(at('tuned-run')))
    // The first line of its metrics goes on from where the other had come to, not from what is known of nothing.
    expect(metricsOf(at('tuned-run'))[0].nats).toBeLessThan(metricsOf(at('plain'))[0].nats)
  })

  it('refuses what does not fit, with a reason', async () => {
    writeFileSync(at('snow.txt'), `${shortText()}\n☃`)
    const refused = async (...args: string[]) => {
      const { code, stderr } = await run(...args)
      expect(code).not.toBe(0)
      expect(stderr).not.toMatch(stackLine)
      return stderr
    }
    expect(await refused('train', 'text', '--data', at('snow.txt'), '--out', at('unfit'), '--from', at('plain'))).toMatch(/snow\.txt: line \d+, column 1 .*the character "☃" \(U\+2603\) is not among the \d+ that the model knows/)
    expect(await refused(...tune(at('plain'), at('unfit'), '--tokenizer', 'byte'))).toMatch(/--tokenizer byte contradicts --from .*plain, which has \d+ character tokens/)
    expect(await refused(...tune(at('plain'), at('unfit'), '--preset', 'small'))).toMatch(/--preset small contradicts --from/)
    expect(await refused(...tune(at('nothing'), at('unfit')))).toMatch(/nothing: there is no such folder/)
    expect(await refused(...quick(at('unfit'), 5, '--patience', '2'))).toMatch(/--patience needs a part of the text to validate with/)
    expect(existsSync(at('unfit'))).toBe(false)
  })
})

describe('an engine that fails', () => {
  it('before the first update leaves nothing behind, but spares what was there', async () => {
    const engine: Engine = { name: 'broken', compile: () => Promise.reject(new UnavailableError('broken')) }
    const attempt = async (out: string) => {
      const plan = await freshPlan({ data, out, preset: 'quick' })
      await createRunDirectory(out)
      await expect(trainPlan(traineeOf(plan, { out, data }), { out, engine, engineArguments: [], signal: new AbortController().signal })).rejects.toThrow('broken')
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
