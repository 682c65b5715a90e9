/** An exported model on a disk, whole or not at all: its directory, or its single file. */
import { access, lstat, mkdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { InvalidDataError, InvalidOptionError, manifestFile } from '@chainrule/core'
import { writeWhole } from '@chainrule/train'

/**
 * Writes the files into a new directory, whole or not at all.
 * @param files by name, which may name a folder inside
 * @param options `mark`: the file by which a directory is known to be of this layout, so that it may be replaced
 * @throws {InvalidDataError} where the directory exists and `overwrite` is not set
 */
export async function writeModel(directory: string, files: Record<string, Uint8Array>, { overwrite = false, mark = manifestFile }: { overwrite?: boolean; mark?: string } = {}): Promise<void> {
  const target = resolve(directory)
  const exists = (path: string) => access(path).then(() => true, () => false)
  if (await exists(target)) {
    if (!overwrite) throw new InvalidDataError(`${directory} exists already. Choose another name, or overwrite it (--overwrite).`)
    if (!(await exists(join(target, mark)))) throw new InvalidDataError(`${directory} exists and is not an exported model of this layout (it has no ${mark}), so it is not overwritten.`)
  }
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.partial`)
  await rm(temporary, { recursive: true, force: true })
  await mkdir(temporary, { recursive: true })
  try {
    for (const [name, bytes] of Object.entries(files)) {
      await mkdir(dirname(join(temporary, name)), { recursive: true })
      await writeWhole(join(temporary, name), bytes)
    }
    const old = `${temporary}.old`
    const replaces = await exists(target)
    if (replaces) await rename(target, old)
    await rename(temporary, target)
    if (replaces) await rm(old, { recursive: true })
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    throw error
  }
}

/**
 * Writes the file, whole or not at all.
 * @throws {InvalidOptionError} where the name does not end in .onnx
 * @throws {InvalidDataError} where something is there and `overwrite` is not set, or it is no file
 */
export async function writeSingleFile(path: string, bytes: Uint8Array, { overwrite = false }: { overwrite?: boolean } = {}): Promise<void> {
  const target = resolve(path)
  if (extname(target) !== '.onnx') throw new InvalidOptionError(`A single file is an ONNX file: its name must end in .onnx, got ${path}.`)
  const there = await lstat(target).catch(() => undefined)
  if (there && !there.isFile()) throw new InvalidDataError(`${path} exists and is not a file, so it is not overwritten. Choose another name.`)
  if (there && !overwrite) throw new InvalidDataError(`${path} exists already. Choose another name, or overwrite it (--overwrite).`)
  await writeWhole(target, bytes)
}
