/** An exported model on a disk (Node): its directory, whose files onnxruntime opens by path, or its single file. */
import { createHash } from 'node:crypto'
import { createReadStream, type Stats } from 'node:fs'
import { lstat, readFile, realpath } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeManifest, graphFiles, InvalidModelError, InvalidOptionError, manifestFile, weightsFile } from '@chainrule/core'
import { checkHash, checkListed, checkSize, fromSingleFile, type ModelFiles, remedy } from './model-files.js'

/** Size and state of a regular file; a link could lead out of the directory, and onnxruntime refuses it later with less to say. */
async function regularFile(path: string, whatToDo = remedy): Promise<Stats> {
  let stats: Stats
  try {
    stats = await lstat(path)
  } catch (error) {
    throw new InvalidModelError(`${path} is missing or cannot be read (${(error as NodeJS.ErrnoException).code ?? (error as Error).message}). ${whatToDo}`, { cause: error })
  }
  if (!stats.isFile()) throw new InvalidModelError(`${path} is ${stats.isSymbolicLink() ? 'a link' : 'not a regular file'}; a model's files must lie in its own directory. ${remedy}`)
  return stats
}

async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array)
  return hash.digest('hex')
}

async function fromDirectory(directory: string): Promise<ModelFiles> {
  const path = (name: string) => join(directory, name)
  await regularFile(path(manifestFile), 'Expected the directory of an exported model. A run is exported first: exportModel, or chainrule export.')
  const manifest = decodeManifest(await readFile(path(manifestFile)), path(manifestFile))
  const seen = new Map<string, Stats>()
  for (const [name, listed] of Object.entries(manifest.files)) {
    const stats = await regularFile(path(name))
    checkSize(path(name), stats.size, listed)
    checkHash(path(name), await hashOfFile(path(name)), listed)
    seen.set(name, stats)
  }
  /** Graphs are opened when they are needed, perhaps long after the check. */
  const checkUnchanged = async (name: string) => {
    const [now, before] = [await regularFile(path(name)), seen.get(name)!]
    if (now.size !== before.size || now.mtimeMs !== before.mtimeMs || now.ino !== before.ino) {
      throw new InvalidModelError(`${path(name)} has changed since the model was opened. Open the model again.`)
    }
  }
  return {
    name: directory,
    manifest,
    async graph(name) {
      await checkUnchanged(weightsFile)
      await checkUnchanged(graphFiles[name])
      return { model: path(graphFiles[name]) }
    },
    async file(name) {
      checkListed(name, manifest)
      await checkUnchanged(name)
      return readFile(path(name))
    },
  }
}

/**
 * @throws {InvalidModelError} where nothing of a model lies there
 * @throws {InvalidOptionError} for a URL that is no file's
 */
export async function openPath(source: string | URL): Promise<ModelFiles> {
  if (source instanceof URL && source.protocol !== 'file:') throw new InvalidOptionError(`openModel: a URL must begin with file:, http: or https:, got ${source.href}.`)
  let path: string
  let isFile: boolean
  try {
    path = await realpath(source instanceof URL ? fileURLToPath(source) : source)
    isFile = (await lstat(path)).isFile()
  } catch (error) {
    throw new InvalidModelError(`${String(source)} is not an exported model: ${(error as Error).message}. Expected a directory with ${manifestFile}, or a single file.`, { cause: error })
  }
  if (isFile && basename(path) === manifestFile) throw new InvalidModelError(`${path} is not a directory. Expected that of an exported model, the one that holds ${manifestFile}, or a single file.`)
  return isFile ? fromSingleFile(await readFile(path), path) : fromDirectory(path)
}
