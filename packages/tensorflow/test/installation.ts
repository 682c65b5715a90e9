/** Writes a folder that looks like a project with @tensorflow/tfjs-node installed, to load it from. */
import { mkdtempSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface Installation {
  readonly version?: string
  /** The package's main module. */
  readonly main?: string
  /** 'ours' links the tfjs-core that the tests use, 'copy' puts another one there. */
  readonly core?: 'ours' | 'copy'
}

/** An empty project: nothing is installed. */
export function emptyProject(): { folder: string; from: string } {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'chainrule-tensorflow-')))
  return { folder, from: join(folder, 'index.js') }
}

export function projectWith({ version = '4.22.0', main = '', core = 'ours' }: Installation): { folder: string; from: string } {
  const project = emptyProject()
  const packages = join(project.folder, 'node_modules/@tensorflow')
  const write = (name: string, manifest: object, module: string) => {
    mkdirSync(join(packages, name), { recursive: true })
    writeFileSync(join(packages, name, 'package.json'), JSON.stringify({ name: `@tensorflow/${name}`, main: 'index.js', ...manifest }))
    writeFileSync(join(packages, name, 'index.js'), module)
  }
  write('tfjs-node', { version }, main)
  write('tfjs', { version: '4.22.0' }, '')
  if (core === 'copy') write('tfjs-core', { version: '4.22.0' }, '')
  else symlinkSync(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-core/package.json')), join(packages, 'tfjs-core'))
  return project
}
