/**
 * What is damaged, and what somebody would do with it next. Every use either works or throws a ChainruleError.
 * Each target makes its healthy files once (`prepare`), and from a seed a damaged copy that it uses (`attempt`).
 */
import { createHash } from 'node:crypto'
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { frames, linear, readSound, wholeFrames, writeWav } from '@chainrule/audio'
import { bernoulli, evaluate as evaluateImages, exportModel as exportImages, fit as fitImages, imageModel, loadModel as loadImageModel, maskedConvolution, pixels, readIdx, readImage, sample as sampleImages, score as scoreImages, writePng } from '@chainrule/image'
import {
  categorical,
  character,
  checkpointFile,
  describeRun,
  evaluate,
  exportModel,
  fit,
  loadModel,
  readJsonLines,
  readLines,
  readRun,
  readText,
  readTokenizerJson,
  sample,
  score,
  textModel,
  tokenizerJson,
  trainBytePair,
  trainedOf,
  transformer,
} from '@chainrule/text'
import { resolveSettings } from '@chainrule/train'
import sharp from 'sharp'
import { damageBytes, damageJson, numbers } from './mutate.mjs'

const text = 'To be, or not to be: that is the question.\nWhether ’tis nobler in the mind to suffer 🙂 …\n'.repeat(6)
const tinyModel = () => textModel({ tokenizer: character({ characters: text }), network: transformer({ layers: 1, heads: 2, width: 8, context: 8 }), head: categorical() })

/** A small image with some structure. */
const picture = (channels) => ({ height: 6, width: 8, channels, data: Uint8Array.from({ length: 48 * channels }, (_, i) => (i * i * 7) % 256) })

const manifestFile = 'model.json'
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

async function readAll(folder) {
  const names = (await readdir(folder)).sort()
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, new Uint8Array(await readFile(join(folder, name)))])))
}

async function writeAll(folder, files) {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes)
}

/** The header of a safetensors file damaged as JSON, its length made right again. */
function damageHeader(bytes, next) {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
  const header = damageJson(bytes.slice(8, 8 + length), next)
  const size = new Uint8Array(8)
  new DataView(size.buffer).setBigUint64(0, BigInt(header.bytes.length), true)
  return { what: `header: ${header.what}`, bytes: Uint8Array.from(Buffer.concat([size, header.bytes, bytes.slice(8 + length)])) }
}

/** Lists a file's new size and hash, as somebody would who means harm. */
function relist(files, name) {
  const manifest = JSON.parse(new TextDecoder().decode(files[manifestFile]))
  manifest.files[name] = { bytes: files[name].length, sha256: sha256(files[name]) }
  return { ...files, [manifestFile]: new TextEncoder().encode(JSON.stringify(manifest)) }
}

function damageModel(files, next) {
  const names = Object.keys(files)
  const way = next(4)
  if (way === 0) {
    const { what, bytes } = damageJson(files[manifestFile], next)
    return { what: `${manifestFile}: ${what}`, files: { ...files, [manifestFile]: bytes } }
  }
  const others = names.filter((name) => name !== manifestFile)
  const name = way === 1 ? names[next(names.length)] : others[next(others.length)]
  const { what, bytes } = name.endsWith('.safetensors') && next(2) ? damageHeader(files[name], next) : damageBytes(files[name], next)
  const damaged = { ...files, [name]: bytes }
  return way === 1 ? { what: `${name}: ${what}`, files: damaged } : { what: `${name}: ${what}, listed anew`, files: relist(damaged, name) }
}

async function useModel(source) {
  const loaded = await loadModel(source, { provider: 'cpu' })
  try {
    await score(loaded, 'To be')
    await sample(loaded, { prompt: 'To', length: 4, seed: 1 })
  } finally {
    await loaded.release()
  }
}

/** Healthy files that others have encoded. */
const recordings = ['tone.flac', 'tone.ogg', 'tone.mp3']

export const targets = {
  /** An exported model, as a directory and as bytes. */
  model: {
    async prepare(folder) {
      const trained = await fit(tinyModel(), text, { steps: 2, batchSize: 2, seed: 1 })
      await exportModel(trained, join(folder, 'model'))
    },
    async attempt(folder, seed) {
      const next = numbers(seed)
      const { what, files } = damageModel(await readAll(join(folder, 'model')), next)
      if (next(2)) return { what: `${what} (bytes)`, use: () => useModel(files) }
      const path = join(folder, 'damaged-model')
      await writeAll(path, files)
      return { what, use: () => useModel(path) }
    },
  },
  /** The checkpoint of a run, to go on with. */
  run: {
    async prepare(folder) {
      const model = tinyModel()
      const data = { file: 'text.txt', sha256: sha256(text), length: text.length, heldOutBegin: text.length, heldOutEnd: text.length }
      await mkdir(join(folder, 'run'), { recursive: true })
      const settings = resolveSettings({ steps: 2, batchSize: 2, seed: 1 })
      await fit(model, text, { ...settings, checkpoint: { path: join(folder, 'run', checkpointFile), run: describeRun(model, 8, settings, data) } })
    },
    async attempt(folder, seed) {
      const next = numbers(seed)
      const files = await readAll(join(folder, 'run'))
      const { what, bytes } = next(2) ? damageHeader(files[checkpointFile], next) : damageBytes(files[checkpointFile], next)
      const path = join(folder, 'damaged-run')
      await writeAll(path, { [checkpointFile]: bytes })
      return {
        what,
        async use() {
          const trained = trainedOf(await readRun(path))
          await evaluate(trained, 'To be, or not to be')
        },
      }
    },
  },
  /** An exported model as one file. */
  singleFile: {
    async prepare(folder) {
      const trained = await fit(tinyModel(), text, { steps: 2, batchSize: 2, seed: 1 })
      await exportModel(trained, join(folder, 'model.onnx'), { layout: 'single-file' })
    },
    async attempt(folder, seed) {
      const { what, bytes } = damageBytes(new Uint8Array(await readFile(join(folder, 'model.onnx'))), numbers(seed))
      const path = join(folder, 'damaged.onnx')
      await writeFile(path, bytes)
      return { what, use: () => useModel(path) }
    },
  },
  /** A tokenizer.json. */
  tokenizer: {
    async prepare(folder) {
      await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(tokenizerJson(trainBytePair(text, { vocabulary: 300 }))))
    },
    async attempt(folder, seed) {
      const next = numbers(seed)
      const healthy = new Uint8Array(await readFile(join(folder, 'tokenizer.json')))
      const { what, bytes } = next(2) ? damageJson(healthy, next) : damageBytes(healthy, next)
      const path = join(folder, 'damaged-tokenizer.json')
      await writeFile(path, bytes)
      return {
        what,
        async use() {
          const tokenizer = await readTokenizerJson(path)
          tokenizer.decode(tokenizer.encode(text))
        },
      }
    },
  },
  /** A text to train on: as a whole, line by line, and as JSON lines. */
  text: {
    async prepare(folder) {
      await writeFile(join(folder, 'text.txt'), text)
      await writeFile(join(folder, 'text.jsonl'), text.trim().split('\n').map((line) => `${JSON.stringify({ text: line })}\n`).join(''))
    },
    async attempt(folder, seed) {
      const next = numbers(seed)
      const way = next(3)
      const name = way === 2 ? 'text.jsonl' : 'text.txt'
      const { what, bytes } = damageBytes(new Uint8Array(await readFile(join(folder, name))), next)
      const path = join(folder, `damaged-${name}`)
      await writeFile(path, bytes)
      const read = [readText, readLines, (from) => readJsonLines(from, { field: 'text' })][way]
      return {
        what,
        async use() {
          const texts = [await read(path)].flat()
          const tokenizer = character({ characters: texts.join('') })
          for (const each of texts) tokenizer.decode(tokenizer.encode(each))
        },
      }
    },
  },
  /** Files of images: PNG, JPEG, WebP and GIF, and IDX, plain and packed. */
  images: {
    async prepare(folder) {
      await writePng(join(folder, 'image.png'), picture(3))
      for (const ending of ['jpg', 'webp', 'gif']) await sharp(join(folder, 'image.png')).toFile(join(folder, `image.${ending}`))
      const idx = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 6, 0, 0, 0, 8, ...Array.from({ length: 4 }, () => [...picture(1).data]).flat())
      await writeFile(join(folder, 'images.idx'), idx)
      await writeFile(join(folder, 'images.idx.gz'), gzipSync(idx))
    },
    async attempt(folder, seed) {
      const next = numbers(seed)
      const name = ['image.png', 'images.idx', 'images.idx.gz', 'image.jpg', 'image.webp', 'image.gif'][next(6)]
      const { what, bytes } = damageBytes(new Uint8Array(await readFile(join(folder, name))), next)
      const path = join(folder, `damaged-${name}`)
      await writeFile(path, bytes)
      return {
        what: `${name}: ${what}`,
        async use() {
          const [{ height, width, channels, data }] = name.startsWith('images') ? await readIdx(path) : [await readImage(path)]
          if (data.length !== height * width * channels) throw new Error(`${data.length} numbers for ${height} × ${width} × ${channels}`)
        },
      }
    },
  },
  /** An exported image model. */
  imageModel: {
    async prepare(folder) {
      const images = [0, 1].map(() => picture(1))
      const model = imageModel({ tokenizer: pixels({ height: 6, width: 8, levels: 2 }), network: maskedConvolution({ layers: 1, width: 4, firstKernel: 3 }), head: bernoulli() })
      await exportImages(await fitImages(model, images, { steps: 2, batchSize: 2, seed: 1 }), join(folder, 'image-model'))
    },
    async attempt(folder, seed) {
      const { what, files } = damageModel(await readAll(join(folder, 'image-model')), numbers(seed))
      return {
        what,
        async use() {
          const loaded = await loadImageModel(files, { provider: 'cpu' })
          try {
            await scoreImages(loaded, [picture(1)])
            await evaluateImages(loaded, [picture(1)])
            await sampleImages(loaded, { seed: 1 })
          } finally {
            await loaded.release()
          }
        },
      }
    },
  },
  /** A sound, to be read and encoded: WAV, FLAC, OGG and MP3. */
  sound: {
    async prepare(folder) {
      writeWav(join(folder, 'sound.wav'), { sampleRateHz: 8_000, samples: Float32Array.from({ length: 800 }, (_, t) => 0.5 * Math.sin(t / 3)) })
      for (const name of recordings) await copyFile(new URL(`../../../packages/audio/test/fixtures/${name}`, import.meta.url), join(folder, name))
    },
    async attempt(folder, seed) {
      const next = numbers(seed)
      // Half of them WAV, which is read by code of our own.
      const name = next(2) ? 'sound.wav' : recordings[next(recordings.length)]
      const { what, bytes } = damageBytes(new Uint8Array(await readFile(join(folder, name))), next)
      const path = join(folder, `damaged-${name}`)
      await writeFile(path, bytes)
      return {
        what: `${name}: ${what}`,
        async use() {
          const sound = await readSound(path)
          const tokenizer = frames({ sampleRateHz: sound.sampleRateHz, length: 4, encoding: linear() })
          tokenizer.decode(tokenizer.encode(wholeFrames(sound, 4)))
        },
      }
    },
  },
}
