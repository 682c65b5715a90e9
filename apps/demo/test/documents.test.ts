/** What a model of documents says on the command line: samples that end, scores one by one, what inspect tells, the same exported. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { run, runJson, temporaryFolder } from './command.js'

const folder = temporaryFolder()
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)
const names = Array.from({ length: 40 }, (_, i) => ['a', 'bb', 'ccc'][i % 3])
writeFileSync(at('names.txt'), `${names.join('\n')}\n`)
writeFileSync(at('few.txt'), 'a\nabc\n')
writeFileSync(at('text.txt'), 'abc')

beforeAll(async () => {
  const trained = await run('train', 'text', '--data', at('names.txt'), '--documents', 'lines', '--out', at('run'), '--preset', 'quick', '--steps', '60', '--threads', '1')
  expect(trained.code, trained.stderr).toBe(0)
  expect((await run('export', at('run'), '--out', at('model'))).code).toBe(0)
})

it('samples end, one on each line', async () => {
  const { document, stderr } = await runJson('sample', at('run'), '--count', '30', '--length', '50', '--seed', '1')
  expect(document.texts, stderr).toHaveLength(30)
  expect(document.texts.filter((text: string) => text.length < 50).length).toBeGreaterThan(25)
  const { stdout } = await run('sample', at('run'), '--count', '30', '--length', '50', '--seed', '1')
  expect(stdout.trimEnd().split('\n')).toEqual(document.texts)
  expect((await runJson('sample', at('model'), '--count', '30', '--length', '50', '--seed', '1')).document.texts).toEqual(document.texts)
})

it('scores are one by one, each with its end, and sum to what evaluate says', async () => {
  for (const model of ['run', 'model']) {
    const { document, stderr } = await runJson('score', at(model), '--data', at('few.txt'))
    expect(document, stderr).toMatchObject({ documents: 2, characters: 4, bytes: 4, tokens: 6 })
    expect(document.nats.map((nats: number[]) => nats.length)).toEqual([2, 4])
    expect(document.nats.flat().reduce((sum: number, each: number) => sum + each, 0)).toBeCloseTo(document.totalNats, 4)
    const { document: evaluated } = await runJson('evaluate', at(model), '--data', at('few.txt'))
    expect(evaluated.totalNats).toBeCloseTo(document.totalNats, 3)
    expect(evaluated.natsPerDocument).toBeCloseTo(document.natsPerDocument, 3)
  }
  expect((await run('score', at('run'), '--data', at('few.txt'))).stdout).toMatch(/nats for 2 documents, 4 characters \(6 tokens\)\n.* nats per document/)
  // A folder of files is another way to hold documents, which a file is not.
  expect((await run('score', at('run'), '--data', at('text.txt'), '--documents', 'files')).stderr).toMatch(/it is a file, expected a folder/)
})

it('inspect says that its texts end', async () => {
  for (const model of ['run', 'model']) {
    const { document } = await runJson('inspect', at(model))
    expect(document.documents).toBe(true)
    expect(document.results.natsPerDocument).toBeGreaterThan(0)
    expect((await run('inspect', at(model))).stdout).toMatch(/texts +documents, which end/)
  }
})
