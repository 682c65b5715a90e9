/** evaluate, sample, score, export, inspect: on one run and on the model exported from it. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run, runJson, shortText, stackLine, temporaryFolder } from './command.js'

const folder = temporaryFolder()
const at = (name: string) => join(folder, name)
const [data, other, trained, model] = [at('text.txt'), at('other.txt'), at('run'), at('model')]

beforeAll(async () => {
  writeFileSync(data, shortText())
  writeFileSync(other, shortText().slice(500, 700))
  const training = await run('train', 'text', '--data', data, '--out', trained, '--preset', 'quick', '--steps', '5')
  expect(training.code, training.stderr).toBe(0)
  const exporting = await run('export', trained, '--out', model)
  expect(exporting.code, exporting.stderr).toBe(0)
})
afterAll(() => rmSync(folder, { recursive: true }))

const both: [kind: string, path: string][] = [
  ['run', trained],
  ['model', model],
]

describe('evaluate', () => {
  it.each(both)('%s: of its own file the part held out', async (kind, path) => {
    const { code, stderr, document } = await runJson('evaluate', path, '--data', data)
    expect(code, stderr).toBe(0)
    expect(stderr).toContain('held out: characters 2,700 to 3,000, which the model has not seen')
    expect(document).toMatchObject({ command: 'evaluate', kind, part: 'held out', begin: 2700, end: 3000, characters: 300, protocol: 'non-overlapping windows of 64 tokens' })
    expect(document.bitsPerByte).toBeCloseTo(document.totalNats / 300 / Math.LN2, 10)
  })

  it('a run and the model exported from it agree, and agree with what training said', async () => {
    const [ofRun, ofModel] = [await runJson('evaluate', trained, '--data', data), await runJson('evaluate', model, '--data', data)]
    expect(ofModel.document.totalNats).toBeCloseTo(ofRun.document.totalNats, 2)
    const { document } = await runJson('inspect', trained)
    expect(document.results.natsPerCharacter).toBeCloseTo(ofRun.document.natsPerCharacter, 10)
  })

  it.each(both)('%s: of another file all of it, and says so', async (_, path) => {
    const { code, stderr, document } = await runJson('evaluate', path, '--data', other)
    expect(code, stderr).toBe(0)
    expect(stderr).toContain('whole file: it is not the file that the model was trained on')
    expect(document).toMatchObject({ part: 'whole file', begin: 0, end: 200, characters: 200 })
  })

  it('tells a person the same', async () => {
    const { code, stdout } = await run('evaluate', model, '--data', data)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^\d\.\d{4} nats per character \(\d\.\d{3} bits per character, \d\.\d{3} bits per byte\)\n300 characters, \d+\.\d\d nats in all; /)
  })

  it.each(both)('%s: an unknown character is an error with its place in the file', async (_, path) => {
    writeFileSync(at('snow.txt'), 'Who is there\nNay ☃ answer')
    const { code, stdout, stderr } = await run('evaluate', path, '--data', at('snow.txt'))
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/snow\.txt: line 2, column 5 \(character 17\): the character "☃" \(U\+2603\) is not among the \d+ that the model knows/)
  })

  it('options of the other kind are refused', async () => {
    expect(await run('evaluate', model, '--data', data, '--engine', 'cpu')).toMatchObject({ code: 2, stderr: `chainrule: --engine belongs to runs; ${model} is an exported model. Use --provider.\n` })
    expect((await run('evaluate', trained, '--data', data, '--provider', 'cpu')).stderr).toMatch(/^chainrule: --provider belongs to exported models/)
  })
})

describe('sample', () => {
  it.each(both)('%s: texts that begin with the prompt, the same for the same seed', async (_, path) => {
    const ask = (seed: string) => runJson('sample', path, '--prompt', 'Ham', '--count', '3', '--length', '20', '--seed', seed)
    const { code, stderr, document } = await ask('4')
    expect(code, stderr).toBe(0)
    expect(document.texts).toHaveLength(3)
    for (const text of document.texts) expect(text).toMatch(/^Ham[^]{20}$/)
    expect(document).toMatchObject({ command: 'sample', prompt: 'Ham', seed: 4, temperature: 1, provider: 'cpu' })
    expect(stderr).toMatch(/^provider cpu: /)
    expect((await ask('4')).document.texts).toEqual(document.texts)
    expect((await ask('5')).document.texts).not.toEqual(document.texts)
  })

  it('prints the texts and nothing else on stdout', async () => {
    const { document } = await runJson('sample', model, '--count', '2', '--length', '30')
    const { code, stdout } = await run('sample', model, '--count', '2', '--length', '30')
    expect(code).toBe(0)
    expect(stdout).toBe(`${document.texts.join('\n---\n')}\n`)
  })

  it('temperature changes the texts', async () => {
    const ask = async (temperature: string) => (await runJson('sample', model, '--length', '40', '--temperature', temperature)).document.texts
    expect(await ask('0.1')).not.toEqual(await ask('1'))
  })

  it.each([['--top-k', '2'], ['--top-p', '0.5'], ['--min-p', '0.5'], ['--repetition-penalty', '3']])('%s changes the texts', async (flag, value) => {
    const ask = async (...more: string[]) => (await runJson('sample', model, '--length', '40', ...more)).document.texts
    expect(await ask(flag, value)).not.toEqual(await ask())
  })

  it('--stop ends a text, and may be given several times', async () => {
    const ask = async (...more: string[]) => (await runJson('sample', model, '--length', '60', ...more)).document.texts[0] as string
    const whole = await ask()
    const [a, b] = [whole.slice(20, 22), whole.slice(30, 33)]
    expect(await ask('--stop', b)).toBe(whole.slice(0, whole.indexOf(b)))
    expect(await ask('--stop', b, '--stop', a)).toBe(whole.slice(0, Math.min(whole.indexOf(a), whole.indexOf(b))))
  })

  it('the provider that is asked for, or an error', async () => {
    const { code, stderr } = await run('sample', model, '--length', '5', '--provider', 'cpu')
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'provider cpu, as asked\n' })
  })

  it('an unknown character of the prompt', async () => {
    const { code, stderr } = await run('sample', model, '--prompt', 'a☃')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^chainrule: --prompt: line 1, column 2 \(character 1\): the character "☃"/)
  })
})

describe('score', () => {
  it.each(both)('%s: the nats of each token add up to the total', async (_, path) => {
    const { code, stderr, document } = await runJson('score', path, '--data', other)
    expect(code, stderr).toBe(0)
    expect(document.nats).toHaveLength(200)
    expect(document.nats.reduce((sum: number, nats: number) => sum + nats, 0)).toBeCloseTo(document.totalNats, 4)
    expect(document.natsPerCharacter).toBeCloseTo(document.totalNats / 200, 10)
    expect(document.bitsPerByte).toBeCloseTo(document.totalNats / 200 / Math.LN2, 10)
  })

  it('for people', async () => {
    const { code, stdout } = await run('score', model, '--data', other)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^\d+\.\d{3} nats for 200 characters \(200 tokens\)\n\d\.\d{4} nats per character/)
  })
})

describe('export', () => {
  it('writes graphs, weights and a card that says what the model was trained on and reached', async () => {
    expect(readdirSync(model).sort()).toEqual(['README.md', 'model.json', 'sample.onnx', 'score.onnx', 'step.onnx', 'weights.safetensors'])
    const { card } = JSON.parse(readFileSync(join(model, 'model.json'), 'utf8'))
    expect(card.data).toMatchObject({ file: 'text.txt', length: 3000, heldOutBegin: 2700, heldOutEnd: 3000 })
    expect(card.data.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(card.results).toMatchObject({ part: 'held out', characters: 300 })
    expect(card.training).toMatchObject({ steps: 5, updates: 5, window: 64 })
  })

  it('refuses a folder that is there, replaces a model with --overwrite and nothing else', async () => {
    const refused = await run('export', trained, '--out', model)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/model exists already\. Choose another name, or overwrite it \(--overwrite\)/)
    const { code, document } = await runJson('export', trained, '--out', model, '--overwrite')
    expect(code).toBe(0)
    expect(document).toMatchObject({ command: 'export', run: trained, model, steps: 5 })
    expect(Object.keys(document.files)).toContain('weights.safetensors')
    const [ofRun, ofFolder] = [await run('export', trained, '--out', trained, '--overwrite'), await run('export', trained, '--out', folder, '--overwrite')]
    expect([ofRun.code, ofFolder.code]).toEqual([1, 1])
    expect(existsSync(join(trained, 'checkpoint.safetensors'))).toBe(true)
  })

  it('refuses what is not a run', async () => {
    const { code, stderr } = await run('export', model, '--out', at('new'))
    expect(code).toBe(1)
    expect(stderr).toMatch(/model is not a run: it holds no checkpoint\.safetensors/)
    expect(existsSync(at('new'))).toBe(false)
  })
})

describe('inspect', () => {
  it.each([
    ['run', trained, 'checkpoint.safetensors'],
    ['exported model', model, 'score.onnx'],
  ])('%s', async (kind, path, file) => {
    const { code, stderr, document } = await runJson('inspect', path)
    expect(code, stderr).toBe(0)
    expect(document).toMatchObject({
      command: 'inspect',
      kind,
      pieces: { tokenizer: { name: 'character' }, order: { name: 'leftToRight' }, network: { name: 'transformer', options: { layers: 2, width: 64 } }, head: { name: 'categorical', options: { tied: true } } },
      context: 64,
      data: { file: 'text.txt' },
      training: { steps: 5, updates: 5, seed: 0 },
      results: { part: 'held out' },
    })
    expect(document.parameters.total).toBe(Object.values<number>(document.parameters.groups).reduce((sum, size) => sum + size, 0))
    expect(document.parameters.groups['network/layer1']).toBe(12 * 64 * 64 + 2 * 64)
    expect(document.state.map(({ name }: { name: string }) => name)).toContain('keys1')
    expect(document.files[file]).toBeGreaterThan(1000)
    const { stdout } = await run('inspect', path)
    for (const heading of ['Pieces', 'Parameters: ', 'Context', 'State while generating', 'Data', 'Training', 'Results', 'Files']) expect(stdout).toContain(`\n${heading}`)
  })
})

describe.concurrent('damaged and foreign files', () => {
  const damage = (name: string, original: string, change: (path: string) => void): string => {
    const path = at(name)
    cpSync(original, path, { recursive: true })
    change(path)
    return path
  }
  const flip = (path: string, offset: number) => {
    const bytes = readFileSync(path)
    bytes[offset < 0 ? bytes.length + offset : offset] ^= 0x40
    writeFileSync(path, bytes)
  }
  const cases: [what: string, make: () => string, message: RegExp][] = [
    ['a checkpoint cut short', () => damage('cut', trained, (path) => truncateSync(join(path, 'checkpoint.safetensors'), 5000)), /checkpoint\.safetensors: not a safetensors file this program can read: .* the file has 5000/],
    ['an empty checkpoint', () => damage('emptied', trained, (path) => truncateSync(join(path, 'checkpoint.safetensors'), 0)), /checkpoint\.safetensors: .*it has 0 bytes/],
    ['a checkpoint with a damaged header', () => damage('header', trained, (path) => flip(join(path, 'checkpoint.safetensors'), 9)), /checkpoint\.safetensors: not a safetensors file/],
    ['weights of which a bit is flipped', () => damage('bit', model, (path) => flip(join(path, 'weights.safetensors'), -100)), /weights\.safetensors/],
    ['a graph cut short', () => damage('graph', model, (path) => truncateSync(join(path, 'score.onnx'), 100)), /score\.onnx has 100 bytes, model\.json lists \d+/],
    ['a missing graph', () => damage('missing', model, (path) => rmSync(join(path, 'sample.onnx'))), /sample\.onnx is missing or cannot be read/],
    ['a model.json cut short', () => damage('json', model, (path) => truncateSync(join(path, 'model.json'), 200)), /model\.json: not JSON/],
    ['a folder with neither', () => damage('neither', model, (path) => rmSync(join(path, 'model.json'))), /neither is neither a run \(it holds no checkpoint\.safetensors\) nor an exported model \(it holds no model\.json\)/],
    ['a file', () => data, /text\.txt: it is a file, expected the folder of a run or of an exported model/],
    ['nothing', () => at('nothing'), /nothing: there is no such folder/],
  ]
  it.each(cases)('%s', async (_, make, message) => {
    const path = make()
    for (const command of [['sample', path], ['inspect', path], ['evaluate', path, '--data', data]]) {
      const { code, stdout, stderr } = await run(...command)
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toMatch(/^chainrule: /)
      expect(stderr).toMatch(message)
      expect(stderr).not.toMatch(stackLine)
    }
  })
})
