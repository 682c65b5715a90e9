/**
 * What is expensive to download or compile, made once. A folder is made under a temporary name and renamed when it is
 * complete, and its name holds a hash of everything it depends on: a half-made or an outdated one is never used.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the workspace. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const cacheRoot = join(root, '.cache/interop')

/**
 * The folder of this name and key; `make(folder)` fills it where there is none yet.
 * @param key everything that the content depends on, as JSON
 */
export async function cached(name, key, make) {
  const machine = [process.platform, process.arch]
  const hash = createHash('sha256').update(JSON.stringify([machine, key])).digest('hex').slice(0, 12)
  const folder = join(cacheRoot, `${name}-${hash}`)
  if (existsSync(folder)) return folder
  mkdirSync(cacheRoot, { recursive: true })
  removeAbandoned()
  const unfinished = mkdtempSync(join(cacheRoot, `.unfinished-${name}-`))
  try {
    await make(unfinished)
    renameSync(unfinished, folder)
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    if (!existsSync(folder)) throw error // else another run has made it in the meantime
  }
  return folder
}

/** Removes what runs that were killed have left; nothing takes a day. */
function removeAbandoned() {
  const yesterday = Date.now() - 24 * 3600 * 1000
  for (const name of readdirSync(cacheRoot)) {
    const path = join(cacheRoot, name)
    if (name.startsWith('.') && statSync(path).mtimeMs < yesterday) rmSync(path, { recursive: true, force: true })
  }
}

/** An empty folder for what a run writes, removed afterwards. */
export async function inTemporaryFolder(name, action) {
  mkdirSync(cacheRoot, { recursive: true })
  const folder = mkdtempSync(join(cacheRoot, `.run-${name}-`))
  try {
    return await action(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
