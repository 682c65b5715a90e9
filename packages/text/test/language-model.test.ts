import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import '@tensorflow/tfjs-backend-cpu'
import { InvalidDataError, InvalidModelError, InvalidOptionError } from '@chainrule/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { byte, categorical, character, eager, evaluate, exportModel, fit, type LoadedText, loadModel, multilayerPerceptron, sample, score, stream, textModel, transformer, type TrainedText } from '../src/index.js'

/** Easily learned: after a letter comes the next one, after z a line break. */
const text = `${'abcdefghijklmnopqrstuvwxyz\n'.repeat(30)}`
const pieces = () => ({ tokenizer: character({ characters: text }), network: transformer({ layers: 1, heads: 2, width: 16, context: 8 }), head: categorical({ tied: true }) })
const settings = { steps: 150, batchSize: 8, seed: 1, learningRate: 2e-2, threads: 1 }

let folder: string
let trained: TrainedText
let loaded: LoadedText
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-language-'))
  trained = await fit(textModel(pieces()), text, settings)
  await exportModel(trained, join(folder, 'model'), { data: { name: 'alphabet' } })
  loaded = await loadModel(join(folder, 'model'), { provider: 'cpu' })
})
afterAll(async () => {
  await loaded.release()
  await rm(folder, { recursive: true })
})

describe('a language model, end to end', () => {
  test('the recorded engine trains as the eager one does', async () => {
    const short = { ...settings, steps: 5 }
    const losses = async (more: object) => {
      const seen: number[] = []
      await fit(textModel(pieces()), text, { ...short, ...more, onProgress: ({ nats }) => seen.push(nats) })
      return seen
    }
    const [recorded, reference] = [await losses({}), await losses({ engine: eager('cpu') })]
    recorded.forEach((nats, i) => expect(Math.abs(nats - reference[i])).toBeLessThan(2e-4))
    expect(recorded[4]).toBeLessThan(recorded[0])
  })

  test('evaluation: units agree with each other, windows cover the part asked for', async () => {
    const result = await evaluate(trained, text, { begin: 500, threads: 1 })
    expect(result.characters).toBe(text.length - 500)
    expect(result.tokens).toBe(text.length - 500)
    expect(result.natsPerCharacter).toBeLessThan(0.2)
    expect(result.natsPerCharacter * result.characters).toBeCloseTo(result.totalNats, 6)
    expect(result.bitsPerByte).toBeCloseTo(result.natsPerCharacter / Math.LN2, 9)
    const again = await evaluate(loaded, text, { begin: 500 })
    expect(again.totalNats).toBeCloseTo(result.totalNats, 1)
    expect(again.protocol).toBe(result.protocol)
  })

  test('samples begin with the prompt, follow the seed, and go on beyond the context', async () => {
    const options = { prompt: 'mno', length: 40, count: 3, seed: 4, temperature: 0.5 }
    const texts = await sample(loaded, options)
    expect(texts).toHaveLength(3)
    expect(await sample(loaded, options)).toEqual(texts)
    expect(await sample(loaded, { ...options, seed: 5, temperature: 2 })).not.toEqual(texts)
    for (const one of texts) expect(one).toHaveLength(43)
    expect(texts.some((one) => one.startsWith('mnopqrstuvwxyz\nabcdefghijklmnopqrstuvwxyz'))).toBe(true)
    expect(await sample(trained, options)).toEqual(texts)
  })

  test('a stream is the sample, in pieces', async () => {
    const pieces: string[] = []
    for await (const piece of stream(loaded, { prompt: 'a', length: 100, seed: 9 })) pieces.push(piece)
    expect(pieces.length).toBeGreaterThan(1)
    expect(`a${pieces.join('')}`).toBe((await sample(loaded, { prompt: 'a', length: 100, seed: 9 }))[0])
  })

  test('the score of a text is that of each of its characters', async () => {
    const likely = await score(loaded, 'abcdefghijklmnopqrstuvwxyz\nabc')
    const unlikely = await score(loaded, 'abcdefghijklmqopqrstuvwxyz\nabc')
    expect(likely.nats).toHaveLength(30)
    expect(likely.nats.reduce((sum, value) => sum + value, 0)).toBeCloseTo(likely.totalNats, 5)
    expect(unlikely.totalNats).toBeGreaterThan(likely.totalNats + 3)
    expect(unlikely.nats[13]).toBeGreaterThan(2)
    expect([...unlikely.nats.slice(0, 13)]).toEqual([...likely.nats.slice(0, 13)])
  })

  test('the exported directory is whole, says what it is, and is not overwritten by accident', async () => {
    const directory = join(folder, 'model')
    expect((await readdir(directory)).sort()).toEqual(['README.md', 'model.json', 'sample.onnx', 'score.onnx', 'step.onnx', 'weights.safetensors'])
    const manifest = JSON.parse(await readFile(join(directory, 'model.json'), 'utf8'))
    expect(manifest.card.data).toEqual({ name: 'alphabet', licence: 'unknown' })
    expect(manifest.card.training).toMatchObject({ steps: 150, seed: 1, window: 8 })
    expect(manifest.parameters).toBe(Object.values(trained.parameters).reduce((sum, { data }) => sum + data.length, 0))
    await expect(exportModel(trained, directory)).rejects.toThrow(/exists already/)
    await exportModel(trained, directory, { overwrite: true, data: { name: 'alphabet' } })
    await writeFile(join(folder, 'a-file'), 'precious')
    await expect(exportModel(trained, join(folder, 'a-file'), { overwrite: true })).rejects.toThrow(InvalidDataError)
    expect((await readdir(folder)).filter((name) => name.includes('partial'))).toEqual([])
  })

  test('a damaged model is refused before it runs', async () => {
    const damaged = join(folder, 'damaged')
    await exportModel(trained, damaged)
    const path = join(damaged, 'weights.safetensors')
    const bytes = await readFile(path)
    bytes[bytes.length - 5] ^= 1
    await writeFile(path, bytes)
    await expect(loadModel(damaged)).rejects.toThrow(InvalidModelError)
    await expect(loadModel(damaged)).rejects.toThrow(/weights\.safetensors/)
    await expect(loadModel(join(folder, 'nowhere'))).rejects.toThrow(InvalidModelError)
  })

  test('bytes: any text, one token a byte', async () => {
    const bytes = await fit(textModel({ ...pieces(), tokenizer: byte() }), 'naïve 日本 '.repeat(20), { ...settings, steps: 3 })
    const [drawn] = await sample(bytes, { prompt: 'naï', length: 5, seed: 1 })
    expect(drawn.startsWith('naï')).toBe(true)
    expect((await evaluate(bytes, 'naïve 日本 ', { threads: 1 })).bytes).toBe(14)
  })

  test('what does not fit is refused with a reason', async () => {
    const model = textModel(pieces())
    await expect(fit(model, text, { ...settings, ...{ epochs: 3 } })).rejects.toThrow(/unknown option "epochs"/)
    await expect(fit(model, 'abc', settings)).rejects.toThrow(/3 tokens, a training window needs 8/)
    await expect(fit(model, 'ABC', settings)).rejects.toThrow(/line 1, column 1 .*"A"/)
    await expect(evaluate(trained, text, { begin: text.length })).rejects.toThrow(InvalidOptionError)
    await expect(sample(loaded, { ...{ top: 3 } } as object)).rejects.toThrow(/unknown option "top"/)
    await expect(sample(loaded, { temperature: 0 })).rejects.toThrow(/temperature/)
    await expect(sample(loaded, { prompt: 'É' })).rejects.toThrow(InvalidDataError)
    await expect(sample(loaded, { prompt: 5 as never })).rejects.toThrow(/prompt must be a text, got number/)
    await expect(stream(loaded, { prompt: 5 as never }).next()).rejects.toThrow(/prompt must be a text, got number/)
    await expect(evaluate(trained, '')).rejects.toThrow(new InvalidDataError('evaluate: the text is empty; there is nothing to evaluate.'))
    await expect(evaluate(trained, text, { protocol: 'sliding' as never })).rejects.toThrow(/protocol must be \{ windows \}.*got "sliding"/)
    await expect(fit(model, text, undefined as never)).rejects.toThrow(/expected options, with the number of updates/)
    await expect(exportModel(loaded as never, join(folder, 'again'))).rejects.toThrow(/an exported one already/)
    await expect(exportModel(trained, join(folder, 'again'), { dataLicence: 5 as never })).rejects.toThrow(/dataLicence must be a text/)
    expect(() => textModel({ network: pieces().network } as never)).toThrow(/tokenizer must be one, such as/)
    expect(() => textModel({ tokenizer: byte() } as never)).toThrow(/network must be one, such as/)
    await expect(score(loaded, '')).rejects.toThrow(/empty/)
    expect(() => textModel({ ...pieces(), network: multilayerPerceptron({ hidden: [8] }) })).toThrow(/length/)
    expect(() => textModel({ ...pieces(), ...{ heads: 2 } })).toThrow(/unknown option "heads"/)
  })
})
