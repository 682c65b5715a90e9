/** RUN or MODEL: what a path on the command line stands for. A run holds a checkpoint, an exported model a model.json; or it is a single file. */
import { readdir } from 'node:fs/promises'
import { InvalidDataError, type JsonObject, manifestFile } from '@chainrule/core'
import { checkpointFile, type LoadedText, loadModel, type OpenOptions, openTrained, readRun, type Run, trainedOf } from '@chainrule/text'

export type Subject = { readonly kind: 'run'; readonly run: Run } | { readonly kind: 'model'; readonly path: string }

/** @throws {InvalidDataError} where it is neither, and what reading a run throws */
export async function subjectAt(path: string): Promise<Subject> {
  let names: string[]
  try {
    names = await readdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTDIR' && path.endsWith('.onnx')) return { kind: 'model', path }
    const why = code === 'ENOENT' ? 'there is no such folder or file' : code === 'ENOTDIR' ? 'it is a file, expected the folder of a run or of an exported model, or a model in a single .onnx file' : (error as Error).message
    throw new InvalidDataError(`${path}: ${why}.`, { cause: error })
  }
  if (names.includes(checkpointFile)) return { kind: 'run', run: await readRun(path) }
  if (names.includes(manifestFile)) return { kind: 'model', path }
  if (names.includes('config.json') && names.includes('onnx')) throw new InvalidDataError(`${path} is in the layout of transformers.js, which is written for other programs to load. Name the run that it was exported from, or export that in chainrule's own layout.`)
  throw new InvalidDataError(`${path} is neither a run (it holds no ${checkpointFile}) nor an exported model (it holds no ${manifestFile}).`)
}

/** Opens it for `use`, which is told what it was trained on, too; a run is recorded in memory. */
export async function withSubject<Result>(path: string, options: OpenOptions, use: (loaded: LoadedText, trainedOn: JsonObject) => Promise<Result>): Promise<Result> {
  const subject = await subjectAt(path)
  const loaded = subject.kind === 'run' ? await openTrained(trainedOf(subject.run), options) : await loadModel(subject.path, options)
  try {
    return await use(loaded, subject.kind === 'run' ? subject.run.description.data : loaded.manifest.card.data)
  } finally {
    await loaded.release()
  }
}
