/** RUN or MODEL: what a path on the command line stands for. A run holds a checkpoint, an exported model a model.json; or it is a single file. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidDataError, type Json, type JsonObject, manifestFile, unpackSingleFile } from '@chainrule/core'
import { type Loaded, type OpenOptions, type Run, trainedOf } from '@chainrule/modality'
import { checkpointFile, readCheckpoint } from '@chainrule/train'
import type { Package } from './modality.js'

/** @throws {InvalidDataError} where it is neither */
export async function kindAt(path: string): Promise<'run' | 'model'> {
  let names: string[]
  try {
    names = await readdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTDIR' && path.endsWith('.onnx')) return 'model'
    const why = code === 'ENOENT' ? 'there is no such folder or file' : code === 'ENOTDIR' ? 'it is a file, expected the folder of a run or of an exported model, or a model in a single .onnx file' : (error as Error).message
    throw new InvalidDataError(`${path}: ${why}.`, { cause: error })
  }
  if (names.includes(checkpointFile)) return 'run'
  if (names.includes(manifestFile)) return 'model'
  if (names.includes('config.json') && names.includes('onnx')) throw new InvalidDataError(`${path} is in the layout of transformers.js, which is written for other programs to load. Name the run that it was exported from, or export that in chainrule's own layout.`)
  throw new InvalidDataError(`${path} is neither a run (it holds no ${checkpointFile}) nor an exported model (it holds no ${manifestFile}).`)
}

/** What a run or a model is of, where it says so; what is damaged is left to the commands, which say what is wrong with it. */
export async function modalityAt(path: string): Promise<Json | undefined> {
  const kind = await kindAt(path)
  if (kind === 'run') return (await readCheckpoint(join(path, checkpointFile))).run.modality
  const manifest = path.endsWith('.onnx') ? unpackSingleFile(await readFile(path), path).files[manifestFile] : await readFile(join(path, manifestFile))
  try {
    return (JSON.parse(new TextDecoder().decode(manifest)) as JsonObject).modality
  } catch {
    return undefined
  }
}

export type Subject<R extends Run = Run> = { readonly kind: 'run'; readonly run: R } | { readonly kind: 'model'; readonly path: string }

/** @throws {InvalidDataError} where it is neither, and what reading a run throws */
export async function subjectAt<R extends Run>(path: string, readRun: (directory: string) => Promise<R>): Promise<Subject<R>> {
  return (await kindAt(path)) === 'run' ? { kind: 'run', run: await readRun(path) } : { kind: 'model', path }
}

/** Opens it for `use`, which is told what it was trained on, too; a run is recorded in memory. */
export async function withSubject<L extends Loaded, Result>({ readRun, openTrained, loadModel }: Pick<Package<L>, 'readRun' | 'openTrained' | 'loadModel'>, path: string, options: OpenOptions, use: (loaded: L, trainedOn: JsonObject) => Promise<Result>): Promise<Result> {
  const subject = await subjectAt(path, readRun)
  const loaded = subject.kind === 'run' ? await openTrained(trainedOf(subject.run), options) : await loadModel(subject.path, options)
  try {
    return await use(loaded, subject.kind === 'run' ? subject.run.description.data : loaded.manifest.card.data)
  } finally {
    await loaded.release()
  }
}
