/** RUN or MODEL: what a path on the command line stands for. A run holds a checkpoint, an exported model a model.json. */
import { readdir } from 'node:fs/promises'
import { InvalidDataError, manifestFile } from '@chainrule/core'
import { checkpointFile, type LoadedText, loadModel, type OpenOptions, openTrained, readRun, type Run, trainedOf } from '@chainrule/text'

export type Subject = { readonly kind: 'run'; readonly run: Run } | { readonly kind: 'model'; readonly directory: string }

/** @throws {InvalidDataError} where it is neither, and what reading a run throws */
export async function subjectAt(path: string): Promise<Subject> {
  let names: string[]
  try {
    names = await readdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'there is no such folder' : code === 'ENOTDIR' ? 'it is a file, expected the folder of a run or of an exported model' : (error as Error).message
    throw new InvalidDataError(`${path}: ${why}.`, { cause: error })
  }
  if (names.includes(checkpointFile)) return { kind: 'run', run: await readRun(path) }
  if (names.includes(manifestFile)) return { kind: 'model', directory: path }
  throw new InvalidDataError(`${path} is neither a run (it holds no ${checkpointFile}) nor an exported model (it holds no ${manifestFile}).`)
}

/** Opens it for `use`; a run is recorded in memory. */
export async function withSubject<Result>(path: string, options: OpenOptions, use: (loaded: LoadedText) => Promise<Result>): Promise<Result> {
  const subject = await subjectAt(path)
  const loaded = subject.kind === 'run' ? await openTrained(trainedOf(subject.run), options) : await loadModel(subject.directory, options)
  try {
    return await use(loaded)
  } finally {
    await loaded.release()
  }
}
