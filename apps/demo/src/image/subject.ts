/** RUN or MODEL of images: what a path on the command line stands for. */
import type { JsonObject } from '@chainrule/core'
import { type LoadedImage, loadModel, type OpenOptions, openTrained, readRun, recordTrained, type Run, trainedOf } from '@chainrule/image'
import { kindAt } from '../subject.js'

export type ImageSubject = { readonly kind: 'run'; readonly run: Run } | { readonly kind: 'model'; readonly path: string }

/** @throws {InvalidDataError} where it is neither, and what reading a run throws */
export async function imageSubjectAt(path: string): Promise<ImageSubject> {
  return (await kindAt(path)) === 'run' ? { kind: 'run', run: await readRun(path) } : { kind: 'model', path }
}

/** Opens it for `use`, which is told what it was trained on, too; a run is recorded in memory. */
export async function withImageSubject<Result>(path: string, options: OpenOptions, use: (loaded: LoadedImage, trainedOn: JsonObject) => Promise<Result>): Promise<Result> {
  const subject = await imageSubjectAt(path)
  const loaded = subject.kind === 'run' ? await openTrained(trainedOf(subject.run), options) : await loadModel(subject.path, options)
  try {
    return await use(loaded, subject.kind === 'run' ? subject.run.description.data : loaded.manifest.card.data)
  } finally {
    await loaded.release()
  }
}

/** The files of the exported model that a run would become. */
export const filesOfImageRun = async (path: string): Promise<Record<string, Uint8Array>> => recordTrained(trainedOf(await readRun(path)))
