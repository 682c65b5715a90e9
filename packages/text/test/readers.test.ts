import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { InvalidDataError, InvalidOptionError } from '@chainrule/core'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readFolder, readJsonLines, readLines, readText } from '../src/index.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-readers-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function write(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(folder, name)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
  return path
}

/** The first invalid byte is in line 3, the seventh of the file. */
const broken = Uint8Array.of(97, 10, 98, 13, 10, 99, 0xe9, 10, 100)

describe('readText', () => {
  test('leaves out the byte order mark and nothing else', async () => {
    expect(await readText(await write('mark.txt', '\uFEFFa\r\nb\n\uFEFF'))).toBe('a\r\nb\n\uFEFF')
    await expect(readText(await write('only-mark.txt', '\uFEFF'))).rejects.toThrow(/the file is empty/)
    await expect(readText(await write('mark-broken.txt', Uint8Array.of(0xef, 0xbb, 0xbf, ...broken)))).rejects.toThrow(/byte 9 \(0xe9, line 3\)/)
  })
})

describe('readLines', () => {
  test('one item for each line that is not empty, without its end', async () => {
    expect(await readLines(await write('names.txt', '\uFEFFemma\r\nolivia\n\n  \n\uFEFFava\r\n\r\nisa\rbella'))).toEqual(['emma', 'olivia', '  ', '\uFEFFava', 'isa\rbella'])
    expect(await readLines(await write('one.txt', 'emma'))).toEqual(['emma'])
    expect(await readLines(await write('marked.txt', '\uFEFF\nemma\n'))).toEqual(['emma'])
  })

  test('lines that lie across the pieces in which a file is read are whole', async () => {
    const lines = Array.from({ length: 5000 }, (_, i) => `${i} ${'é日👩'.repeat(1 + (i * 7919) % 200)}`)
    lines[17] = 'x'.repeat(3_000_000)
    expect(await readLines(await write('long.txt', lines.join('\n')))).toEqual(lines)
  })

  test('is splitting the text at line ends', async () => {
    const texts = fc.stringMatching(/^[ab\r\n\uFEFFé]{0,12}$/)
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const expected = text.replace(/^\uFEFF/, '').split('\n').map((line, which, all) => (which < all.length - 1 || line !== '\r' ? line.replace(/\r$/, '') : '')).filter(Boolean)
        const lines = readLines(await write('random.txt', text))
        if (expected.length === 0) await expect(lines).rejects.toThrow(InvalidDataError)
        else expect(await lines).toEqual(expected)
      }),
      { numRuns: 200, seed: 6 },
    )
  })

  test('what is wrong is named with its place', async () => {
    await expect(readLines(await write('broken.txt', broken))).rejects.toThrow(/broken\.txt: not UTF-8: byte 6 \(0xe9, line 3\)/)
    await expect(readLines(await write('blank.txt', '\n\r\n'))).rejects.toThrow(/no line with anything in it/)
    await expect(readLines(join(folder, 'absent.txt'))).rejects.toThrow(/there is no such file/)
    await expect(readLines(folder)).rejects.toThrow(/it is a folder, expected a text file/)
  })
})

describe('readJsonLines', () => {
  test('the field of each line', async () => {
    const path = await write('data.jsonl', '{"text":"a\\nb","title":"x"}\r\n\n{"title":"y","text":""}\n')
    expect(await readJsonLines(path, { field: 'text' })).toEqual(['a\nb', ''])
    expect(await readJsonLines(path, { field: 'title' })).toEqual(['x', 'y'])
  })

  test.each([
    ['{"text":"a"}\n\n{text}', /line 3 is not JSON/],
    ['["a"]', /line 1: expected a JSON object, got an array/],
    ['"a"', /line 1: expected a JSON object, got a string/],
    ['null', /got null/],
    ['{"text":"a"}\n{"body":"b","id":1}', /line 2 has no field "text"\. It has: body, id/],
    ['{"text":3}', /line 1: the field "text" is a number, expected a text/],
    ['{"text":["a"]}', /is a list, expected a text/],
    ['{"toString":"a"}', /no field "text"/],
    ['\n', /no line with anything in it/],
  ])('%j is an error with its line', async (content, message) => {
    const path = await write('wrong.jsonl', content)
    await expect(readJsonLines(path, { field: 'text' })).rejects.toThrow(InvalidDataError)
    await expect(readJsonLines(path, { field: 'text' })).rejects.toThrow(message)
  })

  test('the field must be named; what every object inherits is no field', async () => {
    const path = await write('fields.jsonl', '{"text":"a"}')
    await expect(readJsonLines(path, { field: '' })).rejects.toThrow(InvalidOptionError)
    await expect(readJsonLines(path, { field: 'toString' })).rejects.toThrow(/no field "toString"/)
    await expect(readJsonLines(path, { field: 'text', limit: 3 } as { field: string })).rejects.toThrow(/unknown option "limit"/)
  })
})

describe('readFolder', () => {
  test('files of all folders, by path; others and hidden ones are passed over', async () => {
    for (const [name, content] of Object.entries({ 'b.txt': '2', 'a/z.txt': '1', 'c/d/e.txt': '4', 'c.txt': '3', 'a/z.md': 'm', '.hidden/x.txt': 'h', 'a/.y.txt': 'h' })) await write(`tree/${name}`, content)
    expect(await readFolder(join(folder, 'tree'))).toEqual(['1', '2', '4', '3'])
    expect(await readFolder(join(folder, 'tree'), { extensions: ['.md'] })).toEqual(['m'])
    expect(await readFolder(join(folder, 'tree'), { extensions: ['.md', '.txt'] })).toHaveLength(5)
  })

  test('links are followed, circles end, and nothing is read twice', async () => {
    await write('linked/b/text.txt', 'b')
    await write('outside/text.txt', 'o')
    await symlink('..', join(folder, 'linked/b/loop'))
    await symlink('b', join(folder, 'linked/again'))
    await symlink('../outside', join(folder, 'linked/c'))
    expect(await readFolder(join(folder, 'linked'))).toEqual(['b', 'o'])
    await symlink('nowhere', join(folder, 'linked/d.txt'))
    await expect(readFolder(join(folder, 'linked'))).rejects.toThrow(/d\.txt: there is no such file/)
  })

  test('what is wrong is named', async () => {
    await expect(readFolder(join(folder, 'absent'))).rejects.toThrow(/there is no such file/)
    await expect(readFolder(await write('file.txt', 'a'))).rejects.toThrow(/it is a file, expected a folder/)
    await write('other/a.md', 'm')
    await expect(readFolder(join(folder, 'other'))).rejects.toThrow(/holds no file that ends with \.txt/)
    await write('wrong/b.txt', broken)
    await expect(readFolder(join(folder, 'wrong'))).rejects.toThrow(/b\.txt: not UTF-8: byte 6/)
    await write('void/b.txt', '')
    await expect(readFolder(join(folder, 'void'))).rejects.toThrow(/b\.txt: the file is empty/)
    await expect(readFolder(folder, { extensions: [] })).rejects.toThrow(InvalidOptionError)
    await expect(readFolder(folder, { pattern: '*' } as object)).rejects.toThrow(/unknown option "pattern"/)
  })
})
