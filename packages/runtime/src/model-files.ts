/**
 * The files of an exported model, checked: model.json is read, and the size and SHA-256 of every file that it lists are
 * compared before anything reaches onnxruntime, which loads a weights file of another layout without complaint.
 */
import { createHash } from 'node:crypto'
import { createReadStream, type Stats } from 'node:fs'
import { lstat, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeManifest, graphFiles, type GraphName, InvalidModelError, InvalidOptionError, manifestFile, type ModelManifest, weightsFile } from '@chainrule/core'
import type { SessionOptions } from './session.js'

/** The directory of an exported model, or its files as bytes by name. */
export type ModelSource = string | URL | Record<string, Uint8Array>

export interface ModelFiles {
  /** How the model is called in messages. */
  readonly name: string
  readonly manifest: ModelManifest
  /** What onnxruntime opens: a path, or bytes with the weights beside them. @throws {InvalidModelError} where the files have changed */
  graph(name: GraphName): Promise<{ model: string | Uint8Array; externalData?: SessionOptions['externalData'] }>
  /** @throws {InvalidModelError} where the files have changed */
  weights(): Promise<Uint8Array>
}

type Listed = { readonly bytes: number; readonly sha256: string }

const remedy = 'Export the model again, or copy its whole directory again.'

function checkSize(file: string, actual: number, { bytes }: Listed): void {
  if (actual !== bytes) throw new InvalidModelError(`${file} has ${actual} bytes, ${manifestFile} lists ${bytes}. ${remedy}`)
}

function checkHash(file: string, actual: string, { sha256 }: Listed): void {
  if (actual !== sha256) throw new InvalidModelError(`${file} is not the file that was exported: its SHA-256 is ${actual}, ${manifestFile} lists ${sha256}. ${remedy}`)
}

function fromBytes(files: Record<string, Uint8Array>): ModelFiles {
  const file = (name: string): Uint8Array => {
    const bytes = Object.hasOwn(files, name) ? files[name] : undefined
    if (!(bytes instanceof Uint8Array)) throw new InvalidModelError(`The model's files hold no ${name} as a Uint8Array; got ${Object.keys(files).join(', ') || 'none'}. ${remedy}`)
    return bytes
  }
  const manifest = decodeManifest(file(manifestFile), manifestFile)
  for (const [name, listed] of Object.entries(manifest.files)) {
    checkSize(name, file(name).length, listed)
    checkHash(name, createHash('sha256').update(file(name)).digest('hex'), listed)
  }
  return {
    name: 'the model',
    manifest,
    graph: async (name) => ({ model: file(graphFiles[name]), externalData: [{ path: weightsFile, data: file(weightsFile) }] }),
    weights: async () => file(weightsFile),
  }
}

/** Size and state of a regular file; a link could lead out of the directory, and onnxruntime refuses it later with less to say. */
async function regularFile(path: string): Promise<Stats> {
  let stats: Stats
  try {
    stats = await lstat(path)
  } catch (error) {
    throw new InvalidModelError(`${path} is missing or cannot be read (${(error as NodeJS.ErrnoException).code ?? (error as Error).message}). ${remedy}`, { cause: error })
  }
  if (!stats.isFile()) throw new InvalidModelError(`${path} is ${stats.isSymbolicLink() ? 'a link' : 'not a regular file'}; a model's files must lie in its own directory. ${remedy}`)
  return stats
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array)
  return hash.digest('hex')
}

async function fromDirectory(source: string): Promise<ModelFiles> {
  let directory: string
  try {
    directory = await realpath(source)
    if (!(await lstat(directory)).isDirectory()) throw new Error('not a directory')
  } catch (error) {
    throw new InvalidModelError(`${source} is not the directory of an exported model: ${(error as Error).message}. Expected a directory with ${manifestFile}.`, { cause: error })
  }
  const path = (name: string) => join(directory, name)
  await regularFile(path(manifestFile))
  const manifest = decodeManifest(await readFile(path(manifestFile)), path(manifestFile))
  const seen = new Map<string, Stats>()
  for (const [name, listed] of Object.entries(manifest.files)) {
    const stats = await regularFile(path(name))
    checkSize(path(name), stats.size, listed)
    checkHash(path(name), await hashOf(path(name)), listed)
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
    async weights() {
      await checkUnchanged(weightsFile)
      return readFile(path(weightsFile))
    },
  }
}

/**
 * Reads model.json and checks every file that it lists.
 * @throws {InvalidModelError} naming the file: missing, a link, of another size or SHA-256, or model.json itself damaged
 * @throws {InvalidOptionError} where the source is none
 */
export async function openModelFiles(source: ModelSource): Promise<ModelFiles> {
  if (typeof source === 'string') return fromDirectory(source)
  if (source instanceof URL) {
    if (source.protocol !== 'file:') throw new InvalidOptionError(`openModel: a URL must begin with file:, got ${source.href}. Fetch the model's files and pass their bytes by name.`)
    return fromDirectory(fileURLToPath(source))
  }
  if (typeof source !== 'object' || source === null) throw new InvalidOptionError(`openModel: expected a directory's path or URL, or bytes by file name, got ${String(source)}.`)
  return fromBytes(source)
}
