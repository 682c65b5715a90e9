/** Sounds on the command line; one run for all of them. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openWav, readSound, type Sound, writeWav } from '@chainrule/audio'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run, runJson, start, temporaryFolder } from './command.js'

const folder = temporaryFolder()
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)

const sampleRateHz = 2_000
const tone = (length: number, period: number): Sound => ({ sampleRateHz, samples: Float32Array.from({ length }, (_, t) => 0.7 * Math.sin((2 * Math.PI * t) / period)) })
const train = (...args: string[]) => ['train', 'audio', '--data', at('tones'), '--preset', 'quick', '--steps', '12', '--window', '64', '--stretch', '0.2', '--threads', '1', ...args]

beforeAll(async () => {
  mkdirSync(at('tones'))
  for (let which = 0; which < 5; which++) writeWav(at(`tones/${which}.wav`), tone(800, 12 + which))
  const { code, stderr, stdout } = await run(...train('--out', at('run'), '--held-out', '0.2', '--validation', '0.1', '--validate-every', '4', '--preview', '6'))
  expect(code, stderr).toBe(0)
  expect(stderr).toContain('samples of 32 levels; 7 sounds of tones (2 s in all, 2,000 Hz) to train on, 1 to validate with, 2 held out')
  expect(stdout).toMatch(/held out {3}\d\.\d{4} bits per sample, of 2 sounds/)
})

describe('a run of sounds', () => {
  it('holds a checkpoint, the best parameters, metrics and previews', async () => {
    expect(readdirSync(at('run')).sort()).toEqual(['best.safetensors', 'checkpoint.safetensors', 'metrics.jsonl', ...['06', '12'].flatMap((step) => ['-spectrogram.png', '-waveform.png', '.wav'].map((ending) => `preview-${step}${ending}`))])
    expect((await readSound(at('run/preview-12.wav'))).samples).toHaveLength(sampleRateHz)
  })

  it('is evaluated on what it has not seen, exported or not, and resumed only as it was begun', async () => {
    const { document } = await runJson('evaluate', at('run'), '--data', at('tones'))
    expect(document).toMatchObject({ kind: 'run', part: 'held out', sounds: 2, samples: 800 })
    expect((await run('export', at('run'), '--out', at('model'))).code).toBe(0)
    const exported = await runJson('evaluate', at('model'), '--data', at('tones'))
    expect(exported.document).toMatchObject({ kind: 'model', totalNats: expect.closeTo(document.totalNats, 3) })
    const { document: scored } = await runJson('score', at('model'), '--data', at('tones'))
    expect(scored.totalNats).toBeCloseTo(document.totalNats, 3)
    expect(scored.sounds[0].nats).toHaveLength(400)
    const { document: whole } = await runJson('evaluate', at('model'), '--data', at('tones/0.wav'))
    expect(whole).toMatchObject({ part: 'all', sounds: 2 })
    const inspected = await runJson('inspect', at('model'))
    expect(inspected.document.results).toMatchObject({ bitsPerSample: expect.closeTo(document.bitsPerSample, 6) })
    expect((await run('verify', at('run'))).stdout).toMatch(/every law that could be tried holds/)
    for (const [option, value] of [['--levels', '16'], ['--preset', 'small'], ['--rate', '4000'], ['--stretch', '1'], ['--window', '32'], ['--frame', '2'], ['--encoding', 'linear'], ['--steps', '13'], ['--held-out', '0.5']]) {
      const again = await run('train', 'audio', '--data', at('tones'), '--out', at('run'), '--resume', option, value)
      expect(again).toMatchObject({ code: 2, stderr: expect.stringMatching(new RegExp(`${option} .* contradicts`)) })
    }
    expect((await run(...train('--out', at('run'), '--resume', '--levels', '32', '--rate', '2000'))).code).toBe(0)
    expect(await run('train', 'audio', '--data', at('tones/0.wav'), '--out', at('run'), '--resume')).toMatchObject({ code: 1, stderr: expect.stringMatching(/are not the sounds that .* was trained on/) })
  })

  it('goes on where it was interrupted: the same as without', async () => {
    const [whole, broken] = [train('--out', at('whole'), '--steps', '60'), train('--out', at('broken'), '--steps', '60')]
    expect((await run(...whole)).code).toBe(0)
    const started = start(broken)
    await started.says(/training \d+\/60/)
    started.process.kill('SIGINT')
    const { code, stderr } = await started.ended
    expect([code, stderr]).toEqual([130, expect.stringMatching(/Go on with: .* train audio --data .* --resume/)])
    expect((await run('train', 'audio', '--data', at('tones'), '--out', at('broken'), '--resume', '--threads', '1')).code).toBe(0)
    const nats = async (name: string) => (await runJson('evaluate', at(name), '--data', at('tones'))).document.totalNats
    expect(await nats('broken')).toBe(await nats('whole'))
  })

  it('draws sounds, goes on with one, and into a pipe', async () => {
    const sampled = await run('sample', at('run'), '--seconds', '0.1', '--seed', '3', '--out', at('a.wav'))
    expect(sampled.code, sampled.stderr).toBe(0)
    const a = await readSound(at('a.wav'))
    expect([a.samples.length, a.sampleRateHz]).toEqual([200, sampleRateHz])
    expect(sampled.stdout).toContain(`as pictures: ${at('a-waveform.png')}, ${at('a-spectrogram.png')}`)
    for (const name of ['a-waveform.png', 'a-spectrogram.png']) expect(readFileSync(at(name)).subarray(1, 4).toString()).toBe('PNG')
    expect((await run('sample', at('run'), '--count', '2', '--seconds', '0.1', '--seed', '3', '--out', at('b.wav'))).code).toBe(0)
    expect(await readSound(at('b-1.wav'))).toEqual(a)
    expect(await readSound(at('b-2.wav'))).not.toEqual(a)
    for (const [option, value] of [['--temperature', '0.3'], ['--top-k', '1'], ['--seed', '4']]) {
      expect((await run('sample', at('run'), '--seconds', '0.1', '--seed', '3', '--out', at('other.wav'), option, value)).code).toBe(0)
      expect(await readSound(at('other.wav'))).not.toEqual(a)
    }
    expect((await run('sample', at('run'), '--prompt', at('tones/0.wav'), '--seconds', '0.05', '--out', at('longer.wav'))).code).toBe(0)
    const longer = openWav(at('longer.wav'))
    expect(longer.length).toBe(900)
    const given = tone(800, 12).samples
    longer.samples(0, 800).forEach((sample, t) => expect(Math.abs(sample - given[t])).toBeLessThan(0.1))
    longer.close()
    const piped = await run('sample', at('run'), '--seconds', '0.1', '--seed', '3', '--out', '-')
    expect([piped.code, piped.stdout.slice(0, 4)]).toEqual([0, 'RIFF'])
    expect(Buffer.from(piped.stdout, 'latin1')).toHaveLength(44 + 2 * 200)
  })

  it('begins another training, with its own tokenizer', async () => {
    const { document } = await runJson('train', 'audio', '--data', at('tones'), '--from', at('run'), '--steps', '2', '--out', at('tuned'), '--threads', '1')
    expect(document.steps).toBe(2)
    const { document: tuned } = await runJson('inspect', at('tuned'))
    expect(tuned.training.from).toEqual({ name: 'run', updates: expect.any(Number) })
    expect(tuned.training.window).toBe(64)
    expect(await run('train', 'audio', '--data', at('tones'), '--from', at('run'), '--levels', '8', '--out', at('unused'))).toMatchObject({ code: 2, stderr: expect.stringMatching(/--levels 8 contradicts --from/) })
  })
})

describe('labels', () => {
  const labelled = (...args: string[]) => ['train', 'audio', '--data', at('classes'), '--labels', '--preset', 'quick', '--window', '64', '--threads', '1', ...args]
  beforeAll(async () => {
    for (const [name, period] of [['high', 5], ['low', 40]] as const) {
      mkdirSync(at(`classes/${name}`), { recursive: true })
      for (let which = 0; which < 6; which++) writeWav(at(`classes/${name}/${which}.wav`), tone(200 + which, period))
    }
    const { code, stderr } = await run(...labelled('--out', at('labelled'), '--steps', '60', '--preview', '60'))
    expect(code, stderr).toBe(0)
    expect(stderr).toContain('2,000 Hz, with 2 labels) to train on')
  })

  it('folders within a folder are labels, which every command knows', async () => {
    const { document } = await runJson('evaluate', at('labelled'), '--data', at('classes'))
    expect((await run('export', at('labelled'), '--out', at('labelled-model'))).code).toBe(0)
    expect((await runJson('score', at('labelled-model'), '--data', at('classes'))).document.totalNats).toBeCloseTo(document.totalNats, 3)
    expect((await run(...labelled('--out', at('labelled'), '--resume'))).code).toBe(0)
    // The same sounds under the other label: their folders change names.
    for (const [from, to] of [['high', 'low'], ['low', 'high']]) cpSync(at(`classes/${from}`), at(`swapped/${to}`), { recursive: true })
    const [right, wrong] = await Promise.all(['classes', 'swapped'].map(async (name) => (await runJson('evaluate', at('labelled-model'), '--data', at(name))).document.bitsPerSample))
    expect(wrong).toBeGreaterThan(right + 0.2)
  })

  it('a file says the label of each sound of a folder: as the folders do, in training too', async () => {
    mkdirSync(at('flat'))
    const lines = ['high', 'low'].flatMap((name) => readdirSync(at(`classes/${name}`)).map((file) => [`${name}-${file}`, name] as const))
    for (const [file, name] of lines) cpSync(at(`classes/${name}/${file.slice(name.length + 1)}`), at(`flat/${file}`))
    const write = (to: string, labelOf: (name: string) => string) => writeFileSync(at(to), lines.map(([file, name]) => `${file}\t${labelOf(name)}\n`).join(''))
    write('right.tsv', (name) => name)
    write('wrong.tsv', (name) => (name === 'high' ? 'low' : 'high'))
    const bits = async (...args: string[]) => (await runJson('evaluate', at('labelled'), ...args)).document.bitsPerSample
    const right = await bits('--data', at('flat'), '--labels', at('right.tsv'))
    expect(right).toBe(await bits('--data', at('classes')))
    expect(await bits('--data', at('flat'), '--labels', at('wrong.tsv'))).toBeGreaterThan(right + 0.05)
    const fresh = ['train', 'audio', '--data', at('flat'), '--preset', 'quick', '--window', '64', '--threads', '1', '--steps', '4', '--out', at('flat-run')]
    expect((await run(...fresh, '--labels', at('right.tsv'))).stderr).toContain('with 2 labels')
    expect((await run(...fresh, '--labels', at('right.tsv'), '--resume')).code).toBe(0)
    expect((await run(...fresh, '--labels', at('wrong.tsv'), '--resume')).stderr).toMatch(/its labels are not those/)
    writeFileSync(at('short.tsv'), `${lines[0][0]}\thigh\n`)
    writeFileSync(at('foreign.tsv'), `${lines[0][0]}\thigh\nother.wav\tlow\n`)
    writeFileSync(at('twice.tsv'), `${lines[0][0]}\thigh\n${lines[0][0]}\tlow\n`)
    writeFileSync(at('no-tab.tsv'), 'high\n')
    const refused: [string, RegExp][] = [
      ['short', /short\.tsv: has no label of high-1\.wav/],
      ['foreign', /foreign\.tsv, line 2: .*has no sound file "other\.wav"/],
      ['twice', /twice\.tsv, line 2: high-0\.wav has a label already, high/],
      ['no-tab', /no-tab\.tsv, line 1: expected the file name of a sound, a tab and its label, got "high"/],
      ['absent', /absent\.tsv: cannot be read/],
    ]
    for (const [name, message] of refused) expect((await run('evaluate', at('labelled'), '--data', at('flat'), '--labels', at(`${name}.tsv`))).stderr).toMatch(message)
    expect((await run('evaluate', at('labelled'), '--data', 'spoken-digits', '--labels', at('right.tsv'))).stderr).toMatch(/spoken-digits brings its own/)
    expect((await run('evaluate', at('run'), '--data', at('flat'), '--labels', at('right.tsv'))).stderr).toMatch(/was not trained with labels/)
  })

  it('a sound of each label, or of the one that is asked for', async () => {
    const each = await runJson('sample', at('labelled'), '--seconds', '0.05', '--out', at('each.wav'))
    expect(each.document.sounds).toEqual([at('each-high.wav'), at('each-low.wav')])
    const high = await runJson('sample', at('labelled'), '--seconds', '0.05', '--label', 'high', '--out', at('one.wav'))
    expect(high.document).toMatchObject({ label: 'high', sounds: [at('one.wav')] })
    expect(await readSound(at('one.wav'))).toEqual(await readSound(at('each-high.wav')))
    expect(await readSound(at('one.wav'))).not.toEqual(await readSound(at('each-low.wav')))
  })

  it('what is missing or does not fit is said', async () => {
    const refused: [string[], RegExp][] = [
      [['sample', at('labelled'), '--label', 'middle', '--out', at('unused.wav')], /no label "middle", expected one of high, low/],
      [['sample', at('labelled'), '--out', '-'], /the model has 2 labels. Say which: --label high/],
      [['sample', at('run'), '--label', 'high', '--out', at('unused.wav')], /the model takes none/],
      [['train', 'audio', '--data', at('tones'), '--labels', '--out', at('unused')], /has no folder within/],
      [['train', 'audio', '--data', at('classes'), '--labels', '--from', at('run'), '--out', at('unused')], /was not trained with labels/],
      [['train', 'audio', '--data', at('tones'), '--labels', '--resume', '--out', at('run')], /--labels true contradicts/],
    ]
    for (const [args, message] of refused) expect((await run(...args)).stderr).toMatch(message)
  })
})

it('the preset of all 16 bits finds a filter in what it trains on, and goes on with it', async () => {
  const exact = (...args: string[]) => ['train', 'audio', '--data', at('tones'), '--preset', 'exact', '--window', '32', '--threads', '1', '--held-out', '0.2', '--out', at('exact'), ...args]
  const { code, stderr } = await run(...exact('--steps', '2'))
  expect(code, stderr).toBe(0)
  const { pieces } = (await runJson('inspect', at('exact'))).document
  expect(pieces).toMatchObject({ head: { options: { range: 1 / 64 } }, network: { options: { prediction: { filter: expect.any(Array) } } } })
  // Tones are foreseen from two samples before: s(t) = 2 cos(ω) s(t − 1) − s(t − 2).
  expect(Math.abs(pieces.network.options.prediction.filter[0])).toBeGreaterThan(1)
  expect((await run(...exact('--resume'))).code).toBe(0)
})

it.each([
  ['--network', 'recurrent:{"layers":1,"width":8}', 'recurrent'],
  ['--network', 'transformer', 'transformer'],
])('%s %s takes the place of the preset’s', async (option, value, name) => {
  const { code, stderr } = await run(...train('--out', at(name), option, value, '--steps', '1', '--held-out', '0'))
  expect(code, stderr).toBe(0)
  expect((await runJson('inspect', at(name))).document.pieces.network.name).toBe(name)
  expect((await run(...train('--out', at(name), '--resume', option, value, '--steps', '1'))).code).toBe(0)
  expect(await run('train', 'audio', '--data', at('tones'), '--out', at('run'), '--resume', option, value)).toMatchObject({ code: 2, stderr: expect.stringMatching(/--network .* contradicts/) })
})

it.each([
  ['--encoding', 'linear', { encoding: { name: 'linear', options: { bits: 5 } }, length: 1, sampleRateHz }],
  ['--levels', '16', { encoding: { name: 'muLaw', options: { levels: 16 } } }],
  ['--frame', '4', { length: 4 }],
  ['--rate', '1000', { sampleRateHz: 1000 }],
])('%s %s changes the model', async (option, value, options) => {
  const { code, stderr, document } = await runJson(...train('--out', at(`other${option}`), option, value, '--steps', '1', '--held-out', '0'))
  expect(code, stderr).toBe(0)
  expect(document.heldOut).toBeNull()
  expect((await runJson('inspect', at(`other${option}`))).document.pieces.tokenizer.options).toMatchObject(options)
})

describe('bad input is refused in one line, before anything is written', () => {
  const cases: [what: string, prepare: () => void, args: string[], message: RegExp][] = [
    ['a folder without sounds', () => mkdirSync(at('none')), ['--data', at('none')], /none: has no sound file/],
    ['what is no sound', () => writeFileSync(at('text.wav'), 'no sound'), ['--data', at('text.wav')], /text\.wav: is no WAV file/],
    ['other rates', () => { mkdirSync(at('mixed')); writeWav(at('mixed/a.wav'), tone(800, 9)); writeWav(at('mixed/b.wav'), { ...tone(800, 9), sampleRateHz: 4_000 }) }, ['--data', at('mixed')], /b\.wav: 4000 Hz, but .*--rate/],
    ['shorter than a window', () => undefined, ['--data', at('tones/0.wav'), '--window', '2000'], /sound 0 has 800 frames, a training window needs 2000/],
    ['nothing', () => undefined, ['--data', at('nothing')], /there is no such file or folder/],
    ['too few to hold some out', () => undefined, ['--data', at('tones/0.wav'), '--window', '64', '--preset', 'quick'], /of 1 sounds 0 would be held out/],
  ]
  it.each(cases.map(([what, prepare, args, message]) => ({ what, prepare, args, message })))('$what', async ({ prepare, args, message }) => {
    prepare()
    const { code, stderr } = await run('train', 'audio', '--out', at('unused'), ...args)
    expect(stderr).toMatch(message)
    expect(code).toBeGreaterThan(0)
    expect(readdirSync(folder)).not.toContain('unused')
  })

  it('what belongs to others, and sounds that go nowhere', async () => {
    expect(await run('sample', at('run'), '--length', '3', '--out', 'x.wav')).toMatchObject({ code: 2, stderr: expect.stringMatching(/--length belongs to language models/) })
    expect(await run('sample', at('run'))).toMatchObject({ code: 2, stderr: expect.stringMatching(/--out sample\.wav/) })
    expect(await run('sample', at('run'), '--out', 'x.mp3')).toMatchObject({ code: 2, stderr: expect.stringMatching(/expected a \.wav file/) })
    expect(await run('sample', at('run'), '--out', '-', '--count', '2')).toMatchObject({ code: 2, stderr: expect.stringMatching(/--out - is one sound/) })
    expect(await run('complete', at('run'), '--data', 'x', '--out', 'y')).toMatchObject({ code: 1, stderr: expect.stringMatching(/--prompt sound\.wav/) })
    expect(readFileSync(at('a.wav')).subarray(0, 4).toString()).toBe('RIFF')
  })
})
