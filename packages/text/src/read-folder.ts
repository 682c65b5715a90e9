/**
 * The text files of a folder and of the folders in it, one document each, sorted by their paths. Names that begin with a dot are passed
 * over. Links are followed; what several lead to is read once, so that they may form a circle.
 */
import { readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidDataError, InvalidOptionError, refuseUnknownOptions } from '@chainrule/core'
import { readText, unreadable } from './read-text.js'

export interface ReadFolderOptions {
  /** How the names of the files end; by default ['.txt']. */
  extensions?: readonly string[]
}

/**
 * @throws {InvalidDataError} where there is no such folder or no such file in it, and naming the file that is empty or not UTF-8
 */
export async function readFolder(path: string, options: ReadFolderOptions = {}): Promise<string[]> {
  refuseUnknownOptions('readFolder', options, ['extensions'])
  const { extensions = ['.txt'] } = options
  if (extensions.length === 0 || extensions.some((each) => typeof each !== 'string' || each === '')) throw new InvalidOptionError('readFolder: extensions must be a list of endings such as .txt.')
  const documents: string[] = []
  const root = await realpath(path).catch((error: unknown) => {
    throw unreadable(path, 'a folder', error)
  })
  for await (const file of filesIn(path, new Set([root]))) if (extensions.some((extension) => file.endsWith(extension))) documents.push(await readText(file))
  if (documents.length === 0) throw new InvalidDataError(`${path}: the folder holds no file that ends with ${extensions.join(' or ')}.`)
  return documents
}

/** Paths of files, in order; `seen` are the real paths that have been there. */
async function* filesIn(folder: string, seen: Set<string>): AsyncGenerator<string, void> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw unreadable(folder, 'a folder', error)
  })
  for (const name of names.filter((each) => !each.startsWith('.')).sort()) {
    const path = join(folder, name)
    const real = await realpath(path).catch((error: unknown) => {
      throw unreadable(path, 'a text file', error)
    })
    if (seen.has(real)) continue
    seen.add(real)
    if ((await stat(real)).isDirectory()) yield* filesIn(path, seen)
    else yield path
  }
}
