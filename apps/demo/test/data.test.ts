/** Documents, tokenizers and protocols on the command line. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readRun, tokenizerJson, trainBytePair } from '@chainrule/text'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run, runJson, shortText, temporaryFolder } from './command.js'

const folder = temporaryFolder()
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)
const quick = (data: string, out: string, ...more: string[]) => ['train', 'text', '--data', at(data), '--out', at(out), '--preset', 'quick', '--steps', '3', '--threads', '1', ...more]

const names = Array.from({ length: 40 }, (_, i) => ['emma', 'olivia', 'ava', 'isabella', 'sophia'][i % 5] + 'n'.repeat(i % 3))
writeFileSync(at('text.txt'), shortText())
writeFileSync(at('names.txt'), `${names.join('\r\n')}\n\n`)
writeFileSync(at('names.jsonl'), names.map((name, i) => `${JSON.stringify({ id: i, name })}\n`).join(''))
mkdirSync(at('names'))
names.forEach((name, i) => writeFileSync(at(`names/${String(i).padStart(2, '0')}.txt`), name))

describe('documents', () => {
  it.each([
    ['lines', 'names.txt', []],
    ['files', 'names', []],
    ['jsonl', 'names.jsonl', ['--field', 'name']],
  ])('are %s: trained on, held out and evaluated one by one', async (kind, data, more) => {
    const { code, document, stderr } = await runJson(...quick(data, kind, '--documents', kind, ...more))
    expect(code, stderr).toBe(0)
    expect(stderr).toMatch(/36 documents of names\S* to train on, 4 held out/)
    expect(document.data).toMatchObject({ documents: kind, length: 40, heldOutBegin: 36, heldOutEnd: 40 })
    const heldOut = names.slice(36)
    expect(document.heldOut).toMatchObject({ characters: heldOut.join('').length, tokens: heldOut.join('').length + 4 })
    // The run knows how its data was read.
    const again = await runJson('evaluate', at(kind), '--data', at(data), '--threads', '1')
    expect(again.document, again.stderr).toMatchObject({ part: 'held out', begin: 36, totalNats: document.heldOut.totalNats })
  })

  it('are the same however they are stored', async () => {
    const nats = await Promise.all(['lines', 'files', 'jsonl'].map(async (kind) => (await readRun(at(kind))).description.results!.natsPerToken))
    expect(nats[1]).toBe(nats[0])
    expect(nats[2]).toBe(nats[0])
  })

  it('can be read otherwise than they were in training', async () => {
    const { document, stderr } = await runJson('evaluate', at('lines'), '--data', at('names.jsonl'), '--documents', 'jsonl', '--field', 'name', '--threads', '1')
    expect(document, stderr).toMatchObject({ part: 'held out', characters: names.slice(36).join('').length }) // the same documents in the same order
  })

  it('are resumed as they were begun', async () => {
    expect((await run('train', 'text', '--data', at('names.jsonl'), '--out', at('jsonl'), '--resume')).code).toBe(0)
    expect((await run('train', 'text', '--data', at('names.jsonl'), '--out', at('jsonl'), '--resume', '--documents', 'lines')).stderr).toMatch(/--documents lines contradicts .* begun with jsonl/)
    expect((await run('train', 'text', '--data', at('names.jsonl'), '--out', at('jsonl'), '--resume', '--documents', 'jsonl', '--field', 'id')).stderr).toMatch(/--field id contradicts .* begun with name/)
  })

  it.each<[string, string[], RegExp]>([
    ['names', [], /it is a folder, expected a text file\. Say --documents files/],
    ['names.txt', ['--documents', 'files'], /it is a file, expected a folder/],
    ['names.txt', ['--documents', 'jsonl'], /line 1 is not JSON/],
    ['names.jsonl', ['--documents', 'jsonl'], /line 1 has no field "text"\. It has: id, name/],
    ['names.txt', ['--documents', 'lines', '--field', 'x'], /--field belongs to --documents jsonl/],
    ['names.txt', ['--documents', 'words'], /Allowed choices are lines, files, jsonl/],
  ])('%s with %j is refused', async (data, options, message) => {
    const { code, stderr } = await run(...quick(data, 'refused', ...options))
    expect(code).not.toBe(0)
    expect(stderr).toMatch(message)
  })

  it('too few of them are refused', async () => {
    writeFileSync(at('one.txt'), 'emma\n')
    expect((await run(...quick('one.txt', 'refused', '--documents', 'lines'))).stderr).toMatch(/1 document in all leave none to train on/)
  })

  it('a model of documents goes on with documents, one of a text with a text', async () => {
    expect((await run('train', 'text', '--data', at('names.txt'), '--out', at('refused'), '--from', at('lines'))).stderr).toMatch(/is a model of documents\. Say what a document/)
    expect((await run(...quick('text.txt', 'endless'))).code).toBe(0)
    expect((await run('train', 'text', '--data', at('names.txt'), '--out', at('refused'), '--from', at('endless'), '--documents', 'lines')).stderr).toMatch(/--documents lines contradicts --from/)
  })
})

describe('tokenizers', () => {
  beforeAll(async () => {
    const { code, stderr } = await run(...quick('text.txt', 'pairs', '--tokenizer', 'byte-pair', '--vocabulary', '300'))
    expect(code, stderr).toBe(0)
    expect(stderr).toContain('byte-pair tokens (300 values)')
  })

  it('byte pairs are learned from the part that is trained on', async () => {
    const { tokenizer } = (await readRun(at('pairs'))).description
    expect(tokenizer).toEqual({ name: 'bytePair', options: trainBytePair(shortText().slice(0, 2700), { vocabulary: 300 }).options })
  })

  it('a tokenizer.json is used as it is', async () => {
    const tokenizer = trainBytePair(shortText(), { vocabulary: 290 })
    writeFileSync(at('tokenizer.json'), JSON.stringify(tokenizerJson(tokenizer)))
    const { code, stderr } = await run(...quick('text.txt', 'loaded', '--tokenizer', at('tokenizer.json')))
    expect(code, stderr).toBe(0)
    expect((await readRun(at('loaded'))).model.tokenizer.encode(shortText())).toEqual(tokenizer.encode(shortText()))
    const resume = (...more: string[]) => run('train', 'text', '--data', at('text.txt'), '--out', at('loaded'), '--resume', ...more)
    expect((await resume('--tokenizer', at('tokenizer.json'))).code).toBe(0)
    writeFileSync(at('tokenizer.json'), JSON.stringify(tokenizerJson(trainBytePair(shortText(), { vocabulary: 291 }))))
    expect((await resume('--tokenizer', at('tokenizer.json'))).stderr).toMatch(/--tokenizer .* contradicts/)
  })

  it.each<[string[], RegExp]>([
    [['--tokenizer', 'words'], /--tokenizer words: expected character, byte, byte-pair, or the path/],
    [['--tokenizer', 'absent.json'], /absent\.json: there is no such file/],
    [['--vocabulary', '300'], /--vocabulary belongs to --tokenizer byte-pair/],
    [['--tokenizer', 'byte-pair', '--vocabulary', '256'], /at least 257/],
    [['--tokenizer', 'byte-pair', '--vocabulary', '100000'], /the text has pairs for a vocabulary of/],
  ])('%j is refused', async (options, message) => {
    const { code, stderr } = await run(...quick('text.txt', 'refused', ...options))
    expect(code).not.toBe(0)
    expect(stderr).toMatch(message)
  })

  it('a run goes on with its own', async () => {
    const resume = (...more: string[]) => run('train', 'text', '--data', at('text.txt'), '--out', at('pairs'), '--resume', ...more)
    expect((await resume('--tokenizer', 'byte-pair', '--vocabulary', '300')).code).toBe(0)
    expect((await resume('--tokenizer', 'byte')).stderr).toMatch(/--tokenizer byte contradicts .* begun with byte-pair/)
    expect((await resume('--vocabulary', '301')).stderr).toMatch(/--vocabulary 301 contradicts .* begun with 300 tokens/)
    expect((await run('train', 'text', '--data', at('text.txt'), '--out', at('refused'), '--from', at('pairs'), '--tokenizer', 'byte')).stderr).toMatch(/--tokenizer byte contradicts --from .* 300 byte-pair tokens/)
  })

  describe('evaluate --protocol', () => {
    const evaluation = (...more: string[]) => runJson('evaluate', at('pairs'), '--data', at('text.txt'), '--threads', '1', ...more)

    it('cuts the text as told', async () => {
      const { document: windows } = await evaluation('--window', '8')
      expect(windows.protocol).toBe('non-overlapping windows of 8 tokens')
      const { document: sliding } = await evaluation('--protocol', 'sliding', '--window', '8', '--stride', '2')
      expect(sliding.protocol).toMatch(/^sliding windows of 8 tokens, stride 2/)
      expect(sliding.tokens).toBe(windows.tokens)
      expect(sliding.totalNats).not.toBe(windows.totalNats)
      const { document: half } = await evaluation('--protocol', 'sliding', '--window', '8')
      expect(half.protocol).toMatch(/stride 4/)
      const { document: random, stdout } = await evaluation('--protocol', 'random', '--window', '8', '--count', '20', '--seed', '1')
      expect(random.protocol).toBe('20 random windows of 8 tokens, seed 1: an estimate')
      expect(random.natsPerTokenStandardError).toBeGreaterThan(0)
      expect(stdout).toContain('natsPerTokenStandardError')
    })

    it('refuses options of another one', async () => {
      for (const [option, protocol] of [['--stride', 'sliding'], ['--count', 'random'], ['--seed', 'random']]) {
        expect(await run('evaluate', at('pairs'), '--data', at('text.txt'), option, '2')).toMatchObject({ code: 2, stderr: `chainrule: ${option} belongs to --protocol ${protocol}; this one is windows. Leave it out.\n` })
      }
    })
  })
})
