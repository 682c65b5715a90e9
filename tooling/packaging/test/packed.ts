/** The tarballs that would be published, made from the build as it stands. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../../..')
const scope = '@chainrule/'

/** The folders of packages/, which are what is published. */
export const publishedPackages = readdirSync(join(root, 'packages')).filter((name) => existsSync(join(root, 'packages', name, 'package.json')))

interface PackageManifest {
  readonly dependencies?: Record<string, string>
  readonly packageManager?: string
}

export const readManifest = (folder: string): PackageManifest => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))

/** A package and the packages of this workspace that it depends on, itself last. */
export function withDependencies(name: string, seen: string[] = []): string[] {
  for (const dependency of Object.keys(readManifest(`packages/${name}`).dependencies ?? {})) {
    const other = dependency.startsWith(scope) ? dependency.slice(scope.length) : undefined
    if (other && !seen.includes(other)) withDependencies(other, seen)
  }
  if (!seen.includes(name)) seen.push(name)
  return seen
}

/** Runs a program and returns what it printed; a failure shows all of it. */
export function run(program: string, args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: 'pipe', cwd: options.cwd, env: { ...process.env, ...options.env }, shell: process.platform === 'win32' })
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}\n${stderr}`, { cause: error })
  }
}

/** A new folder of the system's temporary ones, and its removal. */
export function temporaryFolder(purpose: string): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), `chainrule-${purpose}-`))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Packs one package into a folder. @returns the tarball's path */
export function pack(name: string, folder: string): string {
  const pnpm = readManifest('.').packageManager!
  run('npx', ['--yes', pnpm, 'pack', '--pack-destination', folder], { cwd: join(root, 'packages', name) })
  const tarball = readdirSync(folder).find((file) => file.startsWith(`chainrule-${name}-`) && file.endsWith('.tgz'))
  if (!tarball) throw new Error(`pnpm pack of ${name} left no tarball in ${folder}.`)
  return join(folder, tarball)
}
