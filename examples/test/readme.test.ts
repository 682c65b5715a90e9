/** The README, executed: its program runs, its commands exist, its links lead somewhere. */
import { execFile } from 'node:child_process'
import { access, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const readme = await readFile(join(root, 'README.md'), 'utf8')
const node = promisify(execFile)

test('the fifteen lines run', async () => {
  const [, program] = /```js\n([\s\S]+?)```/.exec(readme)!
  expect(program).toContain('steps: 300')
  const folder = await mkdtemp(join(tmpdir(), 'chainrule-readme-'))
  try {
    await symlink(join(root, 'examples', 'node_modules'), join(folder, 'node_modules'))
    await symlink(join(root, 'apps'), join(folder, 'apps'))
    await writeFile(join(folder, 'readme.mjs'), program.replace('steps: 300', 'steps: 3'))
    const { stdout } = await node(process.execPath, ['readme.mjs'], { cwd: folder })
    expect(stdout).toMatch(/natsPerCharacter: [34]\.\d+/)
    expect(stdout).toMatch(/HAMLET/)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('its commands are commands of the program', async () => {
  const commands = [...readme.matchAll(/^chainrule (\w+(?: text| image| audio)?)/gm)].map(([, words]) => words)
  expect(commands.length).toBeGreaterThan(5)
  for (const words of new Set(commands)) {
    const { stdout } = await node(process.execPath, [join(root, 'apps/demo/bin/chainrule.js'), ...words.split(' '), '--help'])
    expect(stdout).toContain(`Usage: chainrule ${words}`)
  }
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  for (const [, script] of readme.matchAll(/npm run ([\w:]+)/g)) expect(Object.keys(scripts)).toContain(script)
})

test('the links of the documents lead somewhere', async () => {
  const inDocs = (await readdir(join(root, 'docs'), { recursive: true })).filter((name) => name.endsWith('.md')).map((name) => join('docs', name))
  expect(inDocs.length).toBeGreaterThan(15)
  const ofPackages = (await readdir(join(root, 'packages'))).map((name) => join('packages', name, 'README.md'))
  for (const document of ['README.md', 'CHANGELOG.md', 'apps/demo/data/README.md', ...ofPackages, ...inDocs]) {
    const text = await readFile(join(root, document), 'utf8')
    for (const [, link] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) await expect(access(join(root, document, '..', link)), `${document}: ${link}`).resolves.toBeUndefined()
  }
})
