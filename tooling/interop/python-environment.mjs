/** A Python of its own, with the packages of requirements.txt. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached } from './cache.mjs'
import { run } from './commands.mjs'

const requirements = new URL('requirements.txt', import.meta.url)
/** The oldest that the pinned packages have wheels for. */
const oldest = [3, 11]

/** @returns the path of the environment's interpreter */
export async function pythonEnvironment() {
  const version = (await run('python3', ['-c', 'import sys; print("%d.%d.%d" % sys.version_info[:3], sys.executable)'])).trim()
  const [major, minor] = version.split(/[. ]/).map(Number)
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) throw new Error(`python3: expected version ${oldest.join('.')} or newer, got ${version}. Put a newer python3 first in PATH.`)
  const pinned = readFileSync(requirements, 'utf8')
  const folder = await cached('python', { version, pinned }, async (unfinished) => {
    await run('python3', ['-m', 'venv', unfinished])
    await run(join(unfinished, 'bin/python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary=:all:', '-r', requirements.pathname])
  })
  return join(folder, 'bin/python')
}
