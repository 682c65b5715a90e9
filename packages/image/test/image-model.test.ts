/** The verbs: trained and exported models agree, replay, completion keeps what is given, and options change results. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InterruptedError, InvalidDataError, InvalidOptionError } from '@chainrule/core'
import { onnx } from '@chainrule/onnx'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  bernoulli,
  bitMap,
  categorical,
  complete,
  discretizedLogisticMixture,
  eager,
  evaluate,
  exportModel,
  fit,
  type Image,
  imageModel,
  loadModel,
  type LoadedImage,
  maskedConvolution,
  modelOf,
  multilayerPerceptron,
  openTrained,
  patches,
  patchHead,
  pixels,
  plan,
  raster,
  rectangle,
  reversed,
  rgbLogisticMixture,
  rgbPixels,
  sample,
  score,
  splitImages,
  stream,
  type TrainedImage,
  verifyModel,
} from '../src/index.js'
import * as runtime from '../src/runtime.js'
import '@tensorflow/tfjs-backend-cpu'

const size = { height: 4, width: 5 }

/** Vertical and horizontal stripes, black and white. */
const stripes = (channels: 1 | 3 = 1): Image[] =>
  Array.from({ length: 8 }, (_, which) => ({
    ...size,
    channels,
    data: Uint8Array.from({ length: 20 * channels }, (_, i) => {
      const pixel = Math.floor(i / channels)
      return ((which % 2 ? Math.floor(pixel / 5) : pixel % 5) + (which >> 1)) % 2 ? 255 : 0
    }),
  }))

const network = () => maskedConvolution({ layers: 1, width: 8, firstKernel: 3 })
const settings = { steps: 60, batchSize: 4, seed: 1, learningRate: 1e-2 }

let folder: string
let trained: TrainedImage
let loaded: LoadedImage
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-image-'))
  trained = await fit(imageModel({ tokenizer: pixels({ ...size, levels: 2 }), network: network(), head: bernoulli() }), stripes(), settings)
  await exportModel(trained, join(folder, 'model'), { data: { file: 'stripes' } })
  loaded = await loadModel(join(folder, 'model'))
})
afterAll(async () => {
  await loaded.release()
  await rm(folder, { recursive: true })
})

describe('fit and evaluate', () => {
  test('learns: fewer nats than knowing nothing; its units belong together', async () => {
    const { nats, bitsPerDimension, dimensions, examples, natsStandardError, largestError } = await evaluate(trained, stripes())
    expect(nats).toBeLessThan(0.6 * 20 * Math.LN2)
    expect(bitsPerDimension).toBeCloseTo(nats / 20 / Math.LN2, 12)
    expect({ dimensions, examples, largestError }).toEqual({ dimensions: 20, examples: 8, largestError: 127 })
    const scores = (await score(trained, stripes())).map(({ nats }) => nats)
    const mean = scores.reduce((sum, each) => sum + each) / 8
    expect(nats).toBeCloseTo(mean, 4)
    expect(natsStandardError).toBeCloseTo(Math.sqrt(scores.reduce((sum, each) => sum + (each - mean) ** 2, 0) / 7 / 8), 4)
  })

  test('the exported model, the trained one and the eager engine say the same', async () => {
    const { nats } = await evaluate(trained, stripes())
    expect((await evaluate(loaded, stripes())).nats).toBeCloseTo(nats, 4)
    expect((await evaluate(trained, stripes(), { engine: eager('cpu') })).nats).toBeCloseTo(nats, 3)
    const opened = await openTrained(trained)
    expect(await sample(opened, { seed: 3, count: 2 })).toEqual(await sample(loaded, { seed: 3, count: 2 }))
    await opened.release()
    const layout = join(folder, 'one.onnx')
    await exportModel(trained, layout, { layout: 'single-file' })
    expect(await verifyModel(layout, { seed: 1 })).toMatchObject({ passed: true })
  })

  test('a resumed training is the uninterrupted one', async () => {
    const options = { ...settings, steps: 6, engine: onnx({ threads: 1 }) }
    const whole = await fit(trained, stripes(), options)
    const controller = new AbortController()
    const path = join(folder, 'checkpoint.safetensors')
    const half = fit(trained, stripes(), { ...options, signal: controller.signal, checkpoint: { path }, onProgress: ({ step }) => step === 3 && controller.abort() })
    await expect(half).rejects.toThrow(InterruptedError)
    const { readCheckpoint } = await import('@chainrule/train')
    const { state } = await readCheckpoint(path)
    expect(state.step).toBe(3)
    expect((await fit(trained, stripes(), { ...options, state })).parameters).toEqual(whole.parameters)
  })

  test('validation chooses, from begins, a preview shows, a plan counts', async () => {
    const seen: number[] = []
    const { training, validation, heldOut } = splitImages(stripes(), { seed: 1, heldOut: 0.25, validation: 0.25 })
    expect([training.length, validation.length, heldOut.length]).toEqual([4, 2, 2])
    const more = await fit(trained, training, { steps: 4, batchSize: 2, seed: 1, from: trained, validation: { images: validation, everySteps: 2 }, preview: { everySteps: 2, count: 3, show: (images) => void seen.push(images.length) } })
    expect(seen).toEqual([3, 3])
    expect(more.selection.validationNats).toBeLessThan(0.5)
    expect((await plan(trained, settings)).variablesPerUpdate).toBe(80)
    const other = imageModel({ tokenizer: pixels({ ...size, levels: 3 }), network: network(), head: categorical() })
    await expect(fit(other, stripes(), { ...settings, from: trained })).rejects.toThrow(/another tokenizer/)
  })

  test('a step counts the same by blocks of channels, by Gather and product, and eagerly; the plan says which', async () => {
    const model = imageModel({ tokenizer: pixels({ ...size, levels: 2 }), network: maskedConvolution({ layers: 1, width: 16, firstKernel: 3 }), head: bernoulli() })
    const [blocked, gathered, reference] = await Promise.all([onnx({ threads: 1 }), onnx({ threads: 1, blockedConvolutions: false }), eager('cpu')].map((engine) => plan(model, { ...settings, engine })))
    expect(blocked.engine).toMatch(/^onnxruntime on cpu, 1 thread, convolutions /)
    expect(gathered.engine).toBe('onnxruntime on cpu, 1 thread')
    for (const key of ['forwardOperations', 'backwardOperations'] as const) expect([blocked[key], gathered[key]]).toEqual([reference[key], reference[key]])
  })

  test('an opened model is trained on', async () => {
    const model = await modelOf(loaded)
    expect(model.parameters).toEqual(trained.parameters)
    const { state } = await fit(model, stripes(), { ...settings, steps: 1, from: model })
    expect(state.step).toBe(1)
  })

  test('what is wrong with images is said with their number', async () => {
    const wrong = [...stripes(), { height: 5, width: 4, channels: 1, data: new Uint8Array(20) }]
    for (const images of [wrong, { length: 9, at: (i: number) => wrong[i] }]) await expect(evaluate(trained, images)).rejects.toThrow(/image 8: .*5×4×1/)
    await expect(fit(trained, wrong, settings)).rejects.toThrow(InvalidDataError)
    await expect(fit(trained, [], settings)).rejects.toThrow(/no image/)
    await expect(evaluate(trained, stripes(3))).rejects.toThrow(/4×5×3/)
    await expect(evaluate(loaded, stripes(), { threads: 1 })).rejects.toThrow(InvalidOptionError)
    await expect(evaluate(trained, stripes(), { window: 3 } as never)).rejects.toThrow(/unknown option/)
    await expect(exportModel(loaded as never, join(folder, 'again'))).rejects.toThrow(/exported one already/)
    expect(() => imageModel({ tokenizer: trained.tokenizer, network: network() } as never)).toThrow(/head is missing/)
  })
})

describe('sample and stream', () => {
  test('of the exported and the trained model are the same; seed and temperature change them', async () => {
    const images = await sample(trained, { seed: 4, count: 3 })
    expect(images).toHaveLength(3)
    expect(await sample(loaded, { seed: 4, count: 3 })).toEqual(images)
    expect(await sample(loaded, { seed: 5, count: 3 })).not.toEqual(images)
    expect(await sample(loaded, { seed: 4, count: 3, temperature: 5 })).not.toEqual(images)
    await expect(sample(loaded, { seed: 4, provider: 'cpu' })).rejects.toThrow(/unknown option/)
  })

  test('the stream ends in the sample, and shows what is drawn so far', async () => {
    const [whole] = await sample(loaded, { seed: 6 })
    const pictures: Image[] = []
    for await (const { rank, position, picture } of stream(loaded, { seed: 6, unknown: 77 })) {
      expect([rank, position]).toEqual([pictures.length, pictures.length])
      pictures.push(picture())
    }
    expect(pictures.at(-1)).toEqual(whole)
    pictures.forEach(({ data }, rank) => expect(Array.from(data)).toEqual(Array.from(whole.data, (value, pixel) => (pixel <= rank ? value : 77))))
    await expect(stream(trained as never).next()).rejects.toThrow(/openTrained/)
  })

  test('in another order the last pixel comes first', async () => {
    const backwards = await fit(imageModel({ tokenizer: pixels({ ...size, levels: 2 }), order: reversed(), network: network(), head: bernoulli() }), stripes(), { ...settings, steps: 5 })
    const opened = await openTrained(backwards)
    const positions: number[] = []
    for await (const { position } of stream(opened)) positions.push(position)
    expect(positions).toEqual(Array.from({ length: 20 }, (_, i) => 19 - i))
    await opened.release()
  })
})

describe('score', () => {
  test('pixel by pixel: later pixels do not matter, and the bits add up', async () => {
    const [image] = stripes()
    const [one] = await score(loaded, [image])
    expect(one.natsOfVariables.reduce((sum, each) => sum + each, 0)).toBeCloseTo(one.nats, 10)
    expect(one.bitsOfPixels.reduce((sum, each) => sum + each, 0) / 20).toBeCloseTo(one.bitsPerDimension, 5)
    const [changed] = await score(loaded, [{ ...image, data: image.data.map((value, i) => (i === 12 ? 255 - value : value)) }])
    expect(changed.bitsOfPixels.slice(0, 12)).toEqual(one.bitsOfPixels.slice(0, 12))
    expect(changed.bitsOfPixels[12]).not.toBeCloseTo(one.bitsOfPixels[12], 2)
  })

  test('as a picture: blue where nothing surprises, yellow at the most', async () => {
    const scored = { ...size, nats: 1, bitsPerDimension: 1, natsOfVariables: new Float32Array(20), bitsOfPixels: Float32Array.from({ length: 20 }, (_, i) => i) }
    const { data, ...shape } = bitMap(scored, { scale: 2 })
    expect(shape).toEqual({ height: 8, width: 10, channels: 3 })
    expect([...data.slice(0, 3), ...data.slice(-3)]).toEqual([13, 8, 135, 240, 249, 33])
    expect(bitMap(scored, { mostBits: 10 }).data.slice(30, 33)).toEqual(Uint8Array.from([240, 249, 33]))
  })
})

describe('complete', () => {
  const upper = rectangle(size, { bottom: 2 })

  test('keeps what is given, draws the rest; exact where the order puts it first', async () => {
    const given = stripes().slice(0, 2)
    const { images, ...what } = await complete(loaded, given, { known: upper, count: 3, seed: 2 })
    expect(what).toEqual({ isExact: true, givenLater: 0 })
    images.forEach((completions, which) => {
      expect(completions).toHaveLength(3)
      for (const { data } of completions) expect(data.slice(0, 10)).toEqual(given[which].data.slice(0, 10))
    })
    expect(new Set(images.flat().map(({ data }) => data.slice(10).join())).size).toBeGreaterThan(1)
    expect((await complete(trained, given, { known: upper, count: 3, seed: 2 })).images).toEqual(images)
    expect((await complete(loaded, given, { known: upper, count: 3, seed: 3 })).images).not.toEqual(images)
  })

  /** p(first row | the rest) by enumeration against completions: what comes too late in the order counts only through candidates. */
  test('with enough candidates what comes later counts, too', async () => {
    const image = stripes()[1]
    const known = rectangle(size, { top: 1 })
    const missing = [0, 1, 2, 3, 4]
    const all = Array.from({ length: 32 }, (_, bits): Image => ({ ...image, data: image.data.map((value, pixel) => (pixel < 5 ? ((bits >> pixel) & 1) * 255 : value)) }))
    const weights = (await score(loaded, all)).map(({ nats }) => Math.exp(-nats))
    const total = weights.reduce((sum, each) => sum + each)
    const expected = weights.map((each) => each / total)
    const distanceOf = async (candidates: number) => {
      const { images, isExact, givenLater, effectiveCandidates } = await complete(loaded, [image], { known, count: 600, candidates, seed: 1 })
      expect({ isExact, givenLater }).toEqual({ isExact: false, givenLater: 15 })
      if (candidates > 1) expect(effectiveCandidates).toBeGreaterThan(1)
      const counts = new Float64Array(32)
      for (const { data } of images[0]) counts[missing.reduce((sum, pixel) => sum + (data[pixel] ? 1 << pixel : 0), 0)] += 1 / 600
      return expected.reduce((sum, each, i) => sum + Math.abs(each - counts[i]), 0) / 2
    }
    const [alone, weighed] = [await distanceOf(1), await distanceOf(40)]
    expect(alone).toBeGreaterThan(0.3)
    expect(weighed).toBeLessThan(0.1)
  })

  test('wrong masks and options', async () => {
    const [image] = stripes()
    await expect(complete(loaded, [image], { known: new Uint8Array(3) })).rejects.toThrow(InvalidDataError)
    await expect(complete(loaded, [image], { known: upper, candidates: 2, temperature: 0.5 })).rejects.toThrow(InvalidOptionError)
    expect(() => rectangle(size, { bottom: 9 })).toThrow(InvalidOptionError)
    expect(Array.from(rectangle({ height: 2, width: 3 }, { left: 1, right: 2 }))).toEqual([0, 1, 0, 0, 1, 0])
  })
})

describe('colour, patches, levels', () => {
  const cases = {
    rgb: { channels: 3, model: () => imageModel({ tokenizer: rgbPixels({ ...size, levels: 8, colors: 'yCoCgR' }), network: network(), head: rgbLogisticMixture({ components: 2 }) }) },
    patches: { channels: 3, model: () => imageModel({ tokenizer: patches({ height: 4, width: 4, size: 2, levels: 4 }), network: network(), head: patchHead({ components: 2, width: 8 }) }) },
    intensities: { channels: 1, model: () => imageModel({ tokenizer: pixels({ ...size, levels: 256 }), order: raster(), network: multilayerPerceptron({ hidden: [16] }), head: discretizedLogisticMixture({ components: 2 }) }) },
  } as const

  test.each(Object.entries(cases))('%s: every law, exported as trained, in the entry that only runs models', async (_, { channels, model }) => {
    const ofSize = model()
    const { height, width } = ofSize.tokenizer
    const images = stripes(channels).map((image): Image => ({ height, width, channels, data: Uint8Array.from({ length: height * width * channels }, (_, i) => (image.data[i % image.data.length] * (i % 7)) / 6) }))
    const some = await fit(ofSize, images, { steps: 3, batchSize: 2, seed: 1 })
    const path = join(folder, `model-${_}`)
    await exportModel(some, path)
    const { passed, checks } = await verifyModel(path, { seed: 2 })
    expect(checks.filter(({ outcome }) => outcome === 'failed')).toEqual([])
    expect(passed).toBe(true)
    const opened = await runtime.loadModel(path)
    expect(await runtime.sample(opened, { seed: 1, count: 2 })).toEqual(await sample(some, { seed: 1, count: 2 }))
    const [scored] = await runtime.score(opened, images)
    expect(scored.bitsOfPixels).toHaveLength(height * width)
    expect(scored.nats).toBeCloseTo((await evaluate(some, images.slice(0, 1))).nats, 3)
    const known = rectangle({ height, width }, { bottom: 2 })
    const completed = await runtime.complete(opened, images, { known })
    expect(completed.isExact).toBe(true)
    completed.images.forEach(([{ data }], which) => expect(data.slice(0, 2 * width * channels)).toEqual(ofSize.tokenizer.decode(ofSize.tokenizer.encode(images[which])).data.slice(0, 2 * width * channels)))
    await opened.release()
  })

  test('a mask that cuts through a patch is refused', async () => {
    const model = cases.patches.model()
    const images = [{ height: 4, width: 4, channels: 3, data: new Uint8Array(48) }]
    const some = await fit(model, images, { steps: 1, batchSize: 1, seed: 1 })
    await expect(complete(some, images, { known: rectangle({ height: 4, width: 4 }, { bottom: 1 }) })).rejects.toThrow(/patch of 4 pixels, of which 2/)
  })
})
