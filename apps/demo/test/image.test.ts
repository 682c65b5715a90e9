/** Images on the command line, in processes as a user would start them; one run for all of them. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Image, readImage, readImages, writePng } from '@chainrule/image'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run, runJson, temporaryFolder } from './command.js'

const folder = temporaryFolder()
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)

/** Vertical and horizontal stripes in colour. */
const picture = (which: number): Image => ({ height: 6, width: 8, channels: 3, data: Uint8Array.from({ length: 144 }, (_, i) => ((which % 2 ? Math.floor(i / 24) : Math.floor(i / 3) % 8) + (which >> 1)) % 2 ? 200 + (i % 3) * 20 : 10) })

const train = (...args: string[]) => ['train', 'image', '--data', at('pictures'), '--preset', 'quick', '--steps', '12', ...args]

beforeAll(async () => {
  mkdirSync(at('pictures'))
  for (let which = 0; which < 20; which++) await writePng(at(`pictures/${String(which).padStart(2, '0')}.png`), picture(which))
  const { code, stderr, stdout } = await run(...train('--out', at('run'), '--held-out', '0.2', '--validation', '0.1', '--validate-every', '4', '--preview', '6'))
  expect(stderr).toContain('14 images of pictures (6 × 8, in colour) to train on, 2 to validate with, 4 held out')
  expect(code, stderr).toBe(0)
  expect(stdout).toMatch(/held out {3}\d+\.\d{3} ± \d+\.\d\d nats per image/)
})

const sizeOf = async (path: string) => {
  const { height, width } = await readImage(path)
  return [height, width]
}

describe('a run of images', () => {
  it('holds a checkpoint, the best parameters, metrics and previews', () => {
    expect(readdirSync(at('run')).sort()).toEqual(['best.safetensors', 'checkpoint.safetensors', 'metrics.jsonl', 'preview-06.png', 'preview-12.png'])
  })

  it('is evaluated on what it has not seen, exported or not, and resumed only as it was begun', async () => {
    const { document } = await runJson('evaluate', at('run'), '--data', at('pictures'))
    expect(document).toMatchObject({ part: 'held out', examples: 4, dimensions: 144 })
    expect((await run('export', at('run'), '--out', at('model'))).code).toBe(0)
    const exported = await runJson('evaluate', at('model'), '--data', at('pictures'))
    expect(exported.document.nats).toBeCloseTo(document.nats, 3)
    const { document: scored } = await runJson('score', at('model'), '--data', at('pictures'), '--out', at('bits.png'), '--count', '2', '--scale', '2')
    expect(scored.natsPerImage).toBeCloseTo(document.nats, 3)
    expect(await sizeOf(at('bits.png'))).toEqual([25, 33])
    expect((await run('inspect', at('model'))).stdout).toMatch(/rgbPixels[\s\S]*natsPerImage/)
    expect((await run('verify', at('run'))).stdout).toMatch(/every law that could be tried holds/)
    for (const [option, value] of [['--levels', '4'], ['--preset', 'small'], ['--order', 'spiral'], ['--steps', '13']]) {
      const again = await run('train', 'image', '--data', at('pictures'), '--out', at('run'), '--resume', option, value)
      expect(again).toMatchObject({ code: 2, stderr: expect.stringMatching(new RegExp(`${option} .* contradicts`)) })
    }
    expect((await run(...train('--out', at('run'), '--resume', '--levels', '8', '--order', 'raster'))).code).toBe(0)
  })

  it('begins another training, with its own pieces', async () => {
    const tune = (...more: string[]) => ['train', 'image', '--data', at('pictures'), '--from', at('run'), '--out', at('tuned'), '--steps', '2', '--learning-rate', '1e-6', '--held-out', '0.2', ...more]
    const { code, stderr, document } = await runJson(...tune())
    expect(code, stderr).toBe(0)
    expect(document.steps).toBe(2)
    const { document: tuned } = await runJson('inspect', at('tuned'))
    expect(tuned.training.from).toEqual({ name: 'run', updates: expect.any(Number) })
    expect(tuned.pieces).toEqual((await runJson('inspect', at('run'))).document.pieces)
    // Two tiny steps on it is what it began with; fresh parameters are far from that.
    const nats = async (name: string) => (await runJson('evaluate', at(name), '--data', at('pictures'))).document.nats
    expect(await nats('tuned')).toBeCloseTo(await nats('run'), 0)
    for (const [option, value] of [['--levels', '4'], ['--preset', 'small'], ['--order', 'spiral'], ['--patch', '2']]) {
      expect(await run(...tune(option, value))).toMatchObject({ code: 2, stderr: expect.stringMatching(new RegExp(`${option} ${value} contradicts --from`)) })
    }
  })

  it('draws samples, an animation and completions that keep what is given', async () => {
    const sampled = await run('sample', at('run'), '--count', '4', '--out', at('samples.png'), '--animation', at('drawn.gif'), '--scale', '1')
    expect(sampled.code, sampled.stderr).toBe(0)
    expect(sampled.stdout).toContain('48 frames')
    expect(await sizeOf(at('samples.png'))).toEqual([13, 17])
    expect(readFileSync(at('drawn.gif')).subarray(0, 6).toString()).toBe('GIF89a')
    const { document } = await runJson('complete', at('run'), '--data', at('pictures'), '--keep', 'top', '--images', '2', '--count', '3', '--out', at('completed.png'), '--scale', '1')
    expect(document).toMatchObject({ isExact: true, images: 2, part: 'held out' })
    const { width, data } = await readImage(at('completed.png'))
    const row = (y: number, tile: number) => [...data.subarray((y * width + tile * 9) * 3, (y * width + tile * 9 + 8) * 3)]
    for (const tile of [1, 2, 3, 4]) for (const y of [0, 1, 2]) expect(row(y, tile)).toEqual(row(y, 0))
    const bottom = await runJson('complete', at('run'), '--data', at('pictures'), '--keep', 'bottom', '--candidates', '3', '--images', '1', '--count', '1', '--out', at('completed.png'))
    expect(bottom.document).toMatchObject({ isExact: false, givenLater: 24, effectiveCandidates: expect.any(Number) })
  })
})

describe('other pieces than the preset’s', () => {
  const fresh = (name: string, ...args: string[]) => ['train', 'image', '--data', at('pictures'), '--preset', 'quick', '--threads', '1', '--out', at(name), ...args]

  it.each([
    ['--network', 'maskedConvolution:{"kind":"gated","layers":1,"width":8}', { network: { name: 'maskedConvolution', options: { kind: 'gated', width: 8, input: 'scaled' } }, tokenizer: { name: 'rgbPixels' } }],
    ['--network', 'rowLstm', { network: { name: 'rowLstm' } }],
    ['--palette', '2', { tokenizer: { name: 'palette' }, head: { name: 'categorical' }, network: { options: { input: 'embedding' } } }],
    ['--dequantize', undefined, { tokenizer: { options: { dequantized: true } }, head: { name: 'gaussianMixture' } }],
  ])('%s %s: trained, exported, drawn by the exported graphs, and resumed as it was begun', async (option, value, pieces) => {
    const given = value === undefined ? [option] : [option, value]
    const name = `other-${option}-${value?.length ?? 0}`
    const { code, stderr, stdout } = await run(...fresh(name, '--steps', '2', ...given))
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(option === '--dequantize' ? /held out {3}at most / : /held out {3}\d/)
    expect((await runJson('inspect', at(name))).document.pieces).toMatchObject(pieces)
    expect((await run('export', at(name), '--out', at(`${name}-model`))).code).toBe(0)
    expect((await run('sample', at(`${name}-model`), '--count', '1', '--out', at('other.png'))).code).toBe(0)
    expect((await run(...fresh(name, '--resume', ...given))).code).toBe(0)
    const contradicted = await run('train', 'image', '--data', at('pictures'), '--out', at('run'), '--resume', ...given)
    expect(contradicted).toMatchObject({ code: 2, stderr: expect.stringContaining(`${option} `) })
    expect(contradicted.stderr).toContain('contradicts')
  })

  it('says what a palette loses, and refuses what does not go with it', async () => {
    expect((await run('evaluate', at('other---palette-1'), '--data', at('pictures'))).stdout).toMatch(/nearest colours of a palette, \d+\.\d of 255 off/)
    expect(await run(...fresh('unused', '--palette', '4', '--levels', '8'))).toMatchObject({ code: 2, stderr: expect.stringMatching(/--palette.* cannot be used with.*--levels/) })
    expect(await run(...fresh('unused', '--palette', '4', '--channels', '1'))).toMatchObject({ code: 2, stderr: expect.stringMatching(/--palette 4 is for images in colour/) })
    expect(await run(...fresh('unused', '--network', 'pixelnet'))).toMatchObject({ code: 2, stderr: expect.stringMatching(/no network is called "pixelnet". Known: maskedConvolution/) })
    expect(await run(...fresh('unused', '--network', 'nade:5'))).toMatchObject({ code: 2, stderr: expect.stringMatching(/must be options as JSON/) })
    expect(await run(...fresh('unused', '--network', 'nade:{"width":5}'))).toMatchObject({ code: 2, stderr: expect.stringMatching(/unknown option "width"/) })
  })
})

describe('labels', () => {
  const labelled = (...args: string[]) => ['train', 'image', '--data', at('classes'), '--labels', '--preset', 'quick', '--steps', '40', ...args]
  beforeAll(async () => {
    for (const [which, name] of ['columns', 'rows'].entries()) {
      mkdirSync(at(`classes/${name}`), { recursive: true })
      for (let i = 0; i < 8; i++) await writePng(at(`classes/${name}/${i}.png`), picture(2 * (i % 2) + which))
    }
    const { code, stderr } = await run(...labelled('--out', at('labelled'), '--preview', '20'))
    expect(code, stderr).toBe(0)
    expect(stderr).toContain('with 2 labels')
  })

  it('folders within a folder are labels, which every command knows', async () => {
    const { document } = await runJson('evaluate', at('labelled'), '--data', at('classes'))
    expect((await run('export', at('labelled'), '--out', at('labelled-model'))).code).toBe(0)
    expect((await runJson('score', at('labelled-model'), '--data', at('classes'))).document.natsPerImage).toBeCloseTo(document.nats, 3)
    expect((await run('inspect', at('labelled-model'))).stdout).toMatch(/condition +label .*columns.*rows/)
    expect((await run('complete', at('labelled'), '--data', at('classes'), '--images', '1', '--count', '1', '--out', at('completed.png'))).code).toBe(0)
    const grid = await run('sample', at('labelled-model'), '--count', '3', '--out', at('rows.png'), '--scale', '1')
    expect(grid.stdout).toContain('6 samples, a row for each label (columns, rows)')
    expect(await sizeOf(at('rows.png'))).toEqual([13, 26])
    expect((await run('sample', at('labelled'), '--label', 'rows', '--count', '2', '--out', at('rows.png'), '--scale', '1')).stdout).toContain('2 samples:')
    expect((await run(...labelled('--out', at('labelled'), '--resume'))).code).toBe(0)
  })

  it('an IDX file needs its file of labels; other images go by the names of their folders', async () => {
    const idx = (shape: number[], data: Uint8Array) => Buffer.concat([Buffer.from([0, 0, 8, shape.length]), ...shape.map((length) => Buffer.from([0, 0, length >> 8, length & 255])), data])
    writeFileSync(at('images-idx'), idx([4, 6, 8, 3], Buffer.concat([0, 1, 2, 3].map((which) => picture(which).data))))
    writeFileSync(at('labels-idx'), idx([4], Uint8Array.of(0, 1, 0, 1)))
    writeFileSync(at('swapped-idx'), idx([4], Uint8Array.of(1, 0, 1, 0)))
    expect((await run('evaluate', at('labelled'), '--data', at('images-idx'))).stderr).toMatch(/an IDX file needs its file of labels/)
    const right = await runJson('evaluate', at('labelled'), '--data', at('images-idx'), '--labels', at('labels-idx'))
    const wrong = await runJson('evaluate', at('labelled'), '--data', at('images-idx'), '--labels', at('swapped-idx'))
    expect(wrong.document.nats).toBeGreaterThan(right.document.nats + 1)
    // One folder only: its label is that of its name, not the first.
    mkdirSync(at('others/rows'), { recursive: true })
    await writePng(at('others/rows/a.png'), picture(1))
    writeFileSync(at('one-idx'), idx([1, 6, 8, 3], picture(1).data))
    writeFileSync(at('one-label'), idx([1], Uint8Array.of(1)))
    const named = await runJson('evaluate', at('labelled'), '--data', at('others'))
    expect(named.document.nats).toBeCloseTo((await runJson('evaluate', at('labelled'), '--data', at('one-idx'), '--labels', at('one-label'))).document.nats, 4)
  })

  it('what is missing or does not fit is said', async () => {
    const refused: [string[], RegExp][] = [
      [['sample', at('labelled'), '--label', 'spots', '--out', at('unused.png')], /no label "spots", expected one of columns, rows/],
      [['sample', at('run'), '--label', 'rows', '--out', at('unused.png')], /the model takes none/],
      [['evaluate', at('run'), '--data', at('pictures'), '--labels'], /was not trained with labels/],
      [['train', 'image', '--data', 'emoji', '--labels', at('labels-idx'), '--out', at('unused')], /emoji brings its own/],
      [['train', 'image', '--data', at('images-idx'), '--labels', '--out', at('unused')], /whose labels are in a file of their own/],
      [['train', 'image', '--data', at('pictures'), '--labels', '--out', at('unused')], /has no folder within/],
    ]
    for (const [args, message] of refused) expect((await run(...args)).stderr).toMatch(message)
  })
})

describe('bad input is refused in one line, before anything is written', () => {
  const cases: [what: string, prepare: () => Promise<void> | void, message: RegExp][] = [
    ['a folder without images', () => mkdirSync(at('none')), /none: has no image file/],
    ['mixed sizes', async () => { mkdirSync(at('mixed')); await writePng(at('mixed/a.png'), picture(0)); await writePng(at('mixed/b.png'), { height: 1, width: 1, channels: 3, data: new Uint8Array(3) }) }, /b\.png: 1×1×3.*--size/],
    ['what is no image', () => { mkdirSync(at('text')); writeFileSync(at('text/a.png'), 'no image') }, /a\.png: cannot be read as an image/],
    ['one image', () => writePng(at('single.png'), picture(0)), /it is one image, expected a folder/],
    ['a file of something else', () => writeFileSync(at('file.idx'), 'something else'), /not an IDX file/],
    ['nothing', () => undefined, /there is no such file or folder/],
  ]
  const paths = ['none', 'mixed', 'text', 'single.png', 'file.idx', 'nothing']
  it.each(cases.map(([what, prepare, message], which) => ({ what, prepare, message, path: paths[which] })))('$what', async ({ prepare, message, path }) => {
    await prepare()
    const { code, stderr } = await run('train', 'image', '--data', at(path), '--out', at('unused'))
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/^\s+at .+:\d+/m)
    expect(code).toBe(1)
    expect(readdirSync(folder)).not.toContain('unused')
  })

  it('options of language models, and orders that are none', async () => {
    expect(await run('sample', at('run'), '--prompt', 'a', '--out', 'x.png')).toMatchObject({ code: 2, stderr: expect.stringMatching(/--prompt belongs to language models/) })
    expect(await run('sample', at('run'))).toMatchObject({ code: 2, stderr: expect.stringMatching(/--out samples\.png/) })
    expect(await run('order', 'zigzag', '--size', '4x4', '--out', at('o.png'))).toMatchObject({ code: 2, stderr: expect.stringMatching(/no order is called "zigzag"/) })
    expect(await run(...train('--out', at('unused'), '--binarize'))).toMatchObject({ code: 2, stderr: expect.stringMatching(/--levels 2/) })
  })
})

it('an order becomes a picture, and images in colour become gray where that is asked for', async () => {
  expect((await run('order', 'random:{"seed":3}', '--size', '3x5', '--out', at('order.png'), '--scale', '4')).code).toBe(0)
  expect(await sizeOf(at('order.png'))).toEqual([12, 20])
  const { document } = await runJson(...train('--out', at('gray'), '--channels', '1', '--size', '4x4', '--levels', '2', '--binarize', '--held-out', '0.5', '--order', 'spiral'))
  expect(document.data).toMatchObject({ height: 4, width: 4, channels: 1, resized: true, binarizationSeed: 0 })
  const evaluated = await runJson('evaluate', at('gray'), '--data', at('pictures'))
  expect(evaluated.document.nats).toBeCloseTo(document.heldOut.nats, 3)
  expect((await readImages(at('pictures'))).length).toBe(20)
})
