/** What `exportModel` writes in each layout, and what it says to people. What transformers.js makes of its layout is tried in tooling/interop. */
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { InvalidDataError, InvalidOptionError, UnsupportedError } from '@chainrule/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { byte, character, exportModel, fit, loadModel, recurrent, textModel, transformer, type TrainedText, verifyModel } from '../src/index.js'

const folder = mkdtempSync(join(tmpdir(), 'chainrule-export-'))
const at = (...names: string[]) => join(folder, ...names)
const json = (...names: string[]) => JSON.parse(readFileSync(at(...names), 'utf8'))
const network = transformer({ layers: 2, heads: 2, width: 8, context: 6 })
const settings = { steps: 2, batchSize: 2, seed: 1, window: 8 }
let trained: TrainedText

beforeAll(async () => {
  trained = await fit(textModel({ tokenizer: character({ characters: 'abc ' }), network }), 'a b c abc '.repeat(10), settings)
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('the layout of transformers.js', () => {
  it('says where the graph, the start and the cache are', async () => {
    await exportModel(trained, at('hub'), { layout: 'transformers.js', dataLicence: 'CC0-1.0', data: { file: 'letters.txt' } })
    expect(readdirSync(at('hub')).sort()).toEqual(['README.md', 'config.json', 'generation_config.json', 'onnx', 'tokenizer.json', 'tokenizer_config.json'])
    expect(json('hub', 'config.json')).toMatchObject({ model_type: 'gpt_neox', vocab_size: 5, num_hidden_layers: 2, num_attention_heads: 2, hidden_size: 8, bos_token_id: 4, eos_token_id: null, pad_token_id: 4 })
    expect(json('hub', 'config.json').chainrule.card.data).toEqual({ file: 'letters.txt', licence: 'CC0-1.0' })
    expect(json('hub', 'generation_config.json')).toMatchObject({ bos_token_id: 4, eos_token_id: null })
    expect(json('hub', 'tokenizer_config.json')).toMatchObject({ bos_token: '<|start|>', pad_token: '<|start|>', add_bos_token: true, padding_side: 'left' })
    expect(json('hub', 'tokenizer.json')).toMatchObject({ added_tokens: [{ id: 4, content: '<|start|>', special: true }], post_processor: { type: 'TemplateProcessing', special_tokens: { '<|start|>': { ids: [4] } } } })
    expect(readFileSync(at('hub', 'README.md'), 'utf8')).toContain('| licence | CC0-1.0 |')
  })

  it('documents end by a token', async () => {
    const documents = await fit(textModel({ tokenizer: byte(), network, documents: true }), ['one', 'two', 'three', 'four', 'five'], settings)
    await exportModel(documents, at('documents'), { layout: 'transformers.js' })
    expect(json('documents', 'config.json')).toMatchObject({ vocab_size: 258, eos_token_id: 256, bos_token_id: 257 })
    expect(json('documents', 'tokenizer_config.json')).toMatchObject({ eos_token: '<|end|>' })
  })

  it('replaces its own directories only', async () => {
    await exportModel(trained, at('again'), { layout: 'transformers.js' })
    await exportModel(trained, at('again'), { layout: 'transformers.js', overwrite: true })
    await expect(exportModel(trained, at('again'), { overwrite: true })).rejects.toThrow(/not an exported model of this layout \(it has no model\.json\)/)
    await exportModel(trained, at('ours'))
    await expect(exportModel(trained, at('ours'), { layout: 'transformers.js', overwrite: true })).rejects.toThrow(InvalidDataError)
  })

  it('is refused for a network without keys and values', async () => {
    const recurring = await fit(textModel({ tokenizer: character({ characters: 'abc ' }), network: recurrent({ layers: 1, width: 8 }) }), 'a b c abc '.repeat(10), settings)
    await expect(exportModel(recurring, at('recurrent'), { layout: 'transformers.js' })).rejects.toThrow(UnsupportedError)
    expect(existsSync(at('recurrent'))).toBe(false)
  })
})

describe('the model card', () => {
  it('is in model.json and, for people, in README.md, which may be changed', async () => {
    await exportModel(trained, at('card'), { data: { file: 'letters | more.txt' }, dataLicence: 'CC BY 4.0', results: { natsPerToken: 1.23456789, protocol: 'some' } })
    const { card } = json('card', 'model.json')
    expect(card).toMatchObject({ data: { file: 'letters | more.txt', licence: 'CC BY 4.0' }, results: { protocol: 'some' }, training: { steps: 2, seed: 1 } })
    const readme = readFileSync(at('card', 'README.md'), 'utf8')
    for (const line of [String.raw`| file | letters \| more.txt |`, '| licence | CC BY 4.0 |', '| nats per token | 1.23457 |', "await loadModel('.')"]) expect(readme).toContain(line)
    writeFileSync(at('card', 'README.md'), 'A note.')
    const loaded = await loadModel(at('card'))
    await loaded.release()
  })

  it('says that it does not know a licence', async () => {
    await exportModel(trained, at('unknown'))
    expect(json('unknown', 'model.json').card.data).toEqual({ licence: 'unknown' })
  })
})

describe('the programs in README.md', () => {
  const { resolve } = createRequire(import.meta.url)
  /** Runs a program of a model's README in its folder, as it stands but for where its packages lie. */
  async function outputOf(name: string, which: number, before = ''): Promise<string> {
    const program = [...readFileSync(at(name, 'README.md'), 'utf8').matchAll(/```js\n([\s\S]+?)```/g)][which][1]
    const located = program.replaceAll(/'(@chainrule\/[\w/]+)'/g, (_, packageName: string) => `'${pathToFileURL(resolve(packageName)).href}'`)
    writeFileSync(at(name, 'program.mjs'), before + located)
    const { stdout } = await promisify(execFile)(process.execPath, ['program.mjs'], { cwd: at(name) })
    return stdout
  }

  it('for Node and for a browser say the same', async () => {
    await exportModel(trained, at('programs'))
    const inNode = await outputOf('programs', 0)
    expect(inNode).toMatch(/^\[\s+'[abc ]{256}'\s+\]\n$/)
    cpSync(at('programs'), at('page', 'model'), { recursive: true })
    const server = createServer((request, response) => {
      const path = at('page', request.url!)
      if (existsSync(path)) response.end(readFileSync(path))
      else response.writeHead(404).end()
    })
    const port = await new Promise<number>((listening) => server.listen(0, '127.0.0.1', () => listening((server.address() as AddressInfo).port)))
    try {
      expect(await outputOf('programs', 1, `globalThis.location = { href: 'http://127.0.0.1:${port}/index.html' }\n`)).toBe(inNode)
    } finally {
      await new Promise((closed) => server.close(closed))
    }
  })
})

describe('options', () => {
  it('unknown ones and unknown layouts are refused', async () => {
    await expect(exportModel(trained, at('x'), { licence: 'CC0' } as never)).rejects.toThrow(/unknown option "licence"/)
    await expect(exportModel(trained, at('x'), { layout: 'pytorch' as never })).rejects.toThrow(InvalidOptionError)
    expect(existsSync(at('x'))).toBe(false)
  })
})

it('an exported language model is verified from its directory', async () => {
  await exportModel(trained, at('verified'))
  const { passed, checks } = await verifyModel(at('verified'), { provider: 'cpu' })
  expect(checks.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
  expect(passed).toBe(true)
})
