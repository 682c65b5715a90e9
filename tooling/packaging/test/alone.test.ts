/**
 * One modality's package alone: it and the workspace packages it depends on are packed, installed by npm into an empty folder
 * without optional parts (but for sharp, whose libraries are such parts), and used from TypeScript: twenty updates, evaluation, samples, export, loading. What is installed of ours,
 * and in all, is printed and must not grow past its ceiling.
 */
import { copyFileSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pack, run, temporaryFolder, withDependencies } from './packed.js'

/** MB of our own packages, and of everything: the sizes measured when the ceiling was set, and a tenth more. */
const ceilings = JSON.parse(readFileSync(new URL('../alone/sizes.json', import.meta.url), 'utf8')) as Record<string, { own: number; all: number; needsOptional?: boolean }>

/** What a package manager's shims for this process say of the workspace must not help the package that stands alone. */
const alone = { NODE_PATH: '' }

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')

/** Bytes of all files under a folder. */
function bytesUnder(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true }).reduce((sum, entry) => (entry.isFile() ? sum + lstatSync(join(entry.parentPath, entry.name)).size : sum), 0)
}

const megabytes = (bytes: number) => Math.round(bytes / 1e5) / 10

test.for(Object.keys(ceilings))('%s, installed alone by npm, trains, samples, exports and loads', (modality) => {
  const folder = temporaryFolder(`alone-${modality}`)
  try {
    const tarballs = withDependencies(modality).map((name) => pack(name, folder.path))
    writeFileSync(join(folder.path, 'package.json'), JSON.stringify({ name: 'alone', private: true, type: 'module' }))
    run('npm', ['install', ...(ceilings[modality].needsOptional ? [] : ['--omit=optional']), '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', ...tarballs], { cwd: folder.path, env: { ONNXRUNTIME_NODE_INSTALL: 'skip' } })

    const modules = join(folder.path, 'node_modules')
    const [own, all] = [join(modules, '@chainrule'), modules].map((path) => megabytes(bytesUnder(path)))
    console.log(`@chainrule/${modality} installed alone: ${own} MB of ours (ceiling ${ceilings[modality].own}), ${all} MB in all (ceiling ${ceilings[modality].all})`)
    expect(own).toBeLessThanOrEqual(ceilings[modality].own)
    expect(all).toBeLessThanOrEqual(ceilings[modality].all)

    copyFileSync(new URL(`../alone/${modality}.ts`, import.meta.url), join(folder.path, 'use.ts'))
    writeFileSync(join(folder.path, 'tsconfig.json'), JSON.stringify({ compilerOptions: { target: 'ES2022', module: 'NodeNext', strict: true, skipLibCheck: true, lib: ['ES2022', 'DOM'], types: [] }, files: ['use.ts'] }))
    run(process.execPath, [tsc, '-p', '.'], { cwd: folder.path })
    const said = JSON.parse(run(process.execPath, ['use.js'], { cwd: folder.path, env: alone }).trim().split('\n').at(-1)!)
    expect(said).toMatchObject({ drawn: expect.any(String) })
  } finally {
    folder.remove()
  }
})
