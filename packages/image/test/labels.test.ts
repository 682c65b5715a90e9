/** Labels: a model that is told the class of an image trains, measures, draws and completes by it, and says what is missing. */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { controlSequence, UnsupportedError } from '@chainrule/core'
import { resolveSettings } from '@chainrule/train'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  bernoulli,
  bestFile,
  complete,
  describeData,
  describeRun,
  evaluate,
  exportModel,
  fit,
  type Image,
  imageModel,
  label,
  loadModel,
  type LoadedImage,
  maskedConvolution,
  modelOf,
  pixels,
  readLabelledImages,
  readRun,
  rectangle,
  sample,
  score,
  stream,
  type TrainedImage,
  verifyModel,
  writePng,
} from '../src/index.js'

const size = { height: 4, width: 4 }
/** Label 0: rows, label 1: columns, each in two phases. */
const stripes: Image[] = Array.from({ length: 4 }, (_, which) => ({
  ...size,
  channels: 1,
  label: which % 2,
  data: Uint8Array.from({ length: 16 }, (_, i) => ((which % 2 ? i % 4 : i >> 2) + (which >> 1)) % 2 ? 255 : 0),
}))
const names = ['rows', 'columns']
const model = () => imageModel({ tokenizer: pixels({ ...size, levels: 2 }), network: maskedConvolution({ layers: 1, width: 8, firstKernel: 3 }), head: bernoulli(), condition: label({ names }) })
const settings = { steps: 120, batchSize: 4, seed: 1, learningRate: 2e-2 }

let folder: string
let trained: TrainedImage
let loaded: LoadedImage
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-labels-'))
  const bound = model()
  trained = await fit(bound, stripes, { ...settings, validation: { images: stripes, everySteps: 60 }, checkpoint: { path: join(folder, 'checkpoint.safetensors'), bestPath: join(folder, bestFile), run: describeRun(bound, resolveSettings(settings), describeData('stripes', stripes, { heldOut: 0, seed: 1 })) } })
  await exportModel(trained, join(folder, 'model'))
  loaded = await loadModel(join(folder, 'model'))
})
afterAll(async () => {
  await loaded.release()
  await rm(folder, { recursive: true })
})

const swapped = stripes.map((image) => ({ ...image, label: 1 - image.label! }))
const isRows = ({ data }: Image) => [0, 1, 2, 3].every((row) => data.subarray(4 * row, 4 * row + 4).every((value) => value === data[4 * row]))

test('a label tells rows from columns: with it one bit is left of an image, with the wrong one the image is a surprise', async () => {
  const [right, wrong] = [await evaluate(trained, stripes), await evaluate(trained, swapped)]
  expect(right.nats).toBeLessThan(1.5)
  expect(wrong.nats).toBeGreaterThan(right.nats + 2)
  expect((await evaluate(loaded, stripes)).nats).toBeCloseTo(right.nats, 4)
  const scores = await score(loaded, stripes)
  expect(scores.reduce((sum, { nats }) => sum + nats, 0) / 4).toBeCloseTo(right.nats, 4)
})

test('the likeliest label of an image is its own', async () => {
  for (const image of stripes) {
    const [rows, columns] = (await score(loaded, [0, 1].map((label) => ({ ...image, label })))).map(({ nats }) => nats)
    expect(rows < columns ? 0 : 1).toBe(image.label)
  }
})

test('draws what it is told, by name or number, one label for all or a list', async () => {
  const rows = await sample(loaded, { count: 12, label: 'rows', seed: 2 })
  const columns = await sample(loaded, { count: 12, label: 1, seed: 2 })
  expect(rows.filter(isRows).length).toBeGreaterThan(8)
  expect(columns.filter(isRows).length).toBeLessThan(3)
  const mixed = await sample(trained, { label: ['rows', 1, '0'], seed: 2 })
  expect(mixed).toHaveLength(3)
  expect(mixed[0]).toEqual(rows[0])
  expect(mixed[1]).toEqual(columns[1])
  expect(mixed[2]).toEqual(rows[2])
  for await (const { rank, picture } of stream(loaded, { label: 'columns', seed: 2 })) if (rank === 15) expect(picture()).toEqual(columns[0])
})

test('completes each image by its own label', async () => {
  const known = rectangle(size, { bottom: 1, right: 1 })
  const { images } = await complete(loaded, [stripes[0], swapped[0]], { known, count: 20, seed: 1 })
  expect(images[0].filter(isRows).length).toBeGreaterThan(9)
  expect(images[1].filter(isRows).length).toBeLessThan(4)
})

test('runs and exported models know their condition', async () => {
  expect(loaded.manifest.condition).toEqual({ name: 'label', options: { values: 2, names } })
  expect((await modelOf(loaded)).model.condition).toEqual(label({ names }))
  expect((await readRun(folder)).model.model.condition).toEqual(label({ names }))
  const readme = await readFile(join(folder, 'model/README.md'), 'utf8')
  expect(readme).toContain('sample(model, { seed: 1, label: 0 })')
  expect(readme).toContain("feeds['label'] = numpy.zeros([1], numpy.int32)")
  const { passed, checks } = await verifyModel(join(folder, 'model'), { provider: 'cpu' })
  expect(checks.filter(({ outcome }) => outcome === 'failed')).toEqual([])
  expect(passed).toBe(true)
})

test('what is missing or does not fit is said', async () => {
  const bare = stripes.map(({ height, width, channels, data }) => ({ height, width, channels, data }))
  await expect(fit(model(), bare, settings)).rejects.toThrow(/fit: image 0: has no label.*readLabelledImages/)
  await expect(evaluate(loaded, bare)).rejects.toThrow(/evaluate: image 0: has no label/)
  await expect(fit(model(), [{ ...stripes[0], label: 2 }], settings)).rejects.toThrow(/image 0: its label: there is no label 2, expected one of rows, columns, or its number from 0 to 1/)
  await expect(sample(loaded, { count: 2 })).rejects.toThrow(/sample: label is missing.*Give one of rows, columns/)
  await expect(sample(loaded, { label: 'spots' })).rejects.toThrow(/there is no label "spots"/)
  await expect(sample(loaded, { count: 3, label: [0, 1] })).rejects.toThrow(/got 2 labels for 3 samples/)
  const unconditional = imageModel({ tokenizer: pixels({ ...size, levels: 2 }), network: maskedConvolution({ layers: 0, width: 4 }), head: bernoulli() })
  await expect(sample(await fit(unconditional, bare, { ...settings, steps: 1 }), { label: 1 })).rejects.toThrow(/the model takes none/)
  expect(() => imageModel({ tokenizer: pixels({ ...size, levels: 2 }), network: maskedConvolution({ layers: 0, width: 4 }), head: bernoulli(), condition: controlSequence({ channels: 1 }) })).toThrow(UnsupportedError)
})

test('folders within a folder are labels, in the order of their names', async () => {
  const root = join(folder, 'classes')
  for (const [name, image] of [['rows', stripes[0]], ['columns', stripes[1]]] as const) {
    await mkdir(join(root, name), { recursive: true })
    await writePng(join(root, name, 'a.png'), image)
  }
  const { images, names: found } = await readLabelledImages(root, { channels: 1 })
  expect(found).toEqual(['columns', 'rows'])
  expect(images.map(({ label, data }) => [label, data])).toEqual([[0, stripes[1].data], [1, stripes[0].data]])
  await expect(readLabelledImages(join(root, 'rows'))).rejects.toThrow(/has no folder within/)
  await mkdir(join(root, 'empty'))
  await expect(readLabelledImages(root)).rejects.toThrow(/empty: has no image file/)
})
