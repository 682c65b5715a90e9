/**
 * A run: a directory that holds one checkpoint, which says everything about it: pieces, settings, data and the range held out.
 */
import { createHash } from 'node:crypto'
import { access, mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { describe, finiteNumber, InvalidCheckpointError, InvalidDataError, type JsonObject, orderFromName, type Piece } from '@chainrule/core'
import { headFromName } from '@chainrule/core/tensors'
import { networkFromName } from '@chainrule/networks'
import { readCheckpoint, type ResolvedSettings, resolveSettings, type TrainingState, writeCheckpoint } from '@chainrule/train'
import { type TextModel, textModel, type TrainedText } from './model.js'
import { tokenizerFromName } from './tokenizers/index.js'

export const checkpointFile = 'checkpoint.safetensors'

/** Which part of which text was trained on. */
export type RunData = {
  readonly file: string
  readonly sha256: string
  /** Of the whole file, as UTF-16 units; the ranges below are in the same unit. */
  readonly length: number
  /** Never trained on; begin = end where nothing was held out. */
  readonly heldOutBegin: number
  readonly heldOutEnd: number
}

export interface RunDescription {
  readonly modality: 'text'
  readonly tokenizer: Piece
  readonly order: Piece
  readonly network: Piece
  readonly head: Piece
  readonly window: number
  readonly settings: ResolvedSettings
  readonly data: RunData
  /** What it reached, with units in the names; absent until training is complete and was evaluated. */
  readonly results?: JsonObject
}

/** A run, read back. */
export interface Run {
  readonly directory: string
  readonly description: RunDescription
  readonly textModel: TextModel
  readonly state: TrainingState
}

/** The last part of a text, `fraction` of it, is held out. Never cuts a surrogate pair. */
export function splitHeldOut(text: string, fraction: number): { begin: number; end: number } {
  finiteNumber('heldOut', 'fraction', fraction, 0, 0.9)
  let begin = Math.floor(text.length * (1 - fraction))
  const unit = text.charCodeAt(begin)
  if (unit >= 0xdc00 && unit < 0xe000) begin--
  return { begin, end: text.length }
}

/** How a text file is recognised again. */
export function describeData(path: string, text: string, { begin, end }: { begin: number; end: number }): RunData {
  return { file: basename(path), sha256: createHash('sha256').update(text).digest('hex'), length: text.length, heldOutBegin: begin, heldOutEnd: end }
}

export function describeRun({ tokenizer, model }: TextModel, window: number, settings: ResolvedSettings, data: RunData): RunDescription {
  return {
    modality: 'text',
    tokenizer: describe(tokenizer),
    order: describe(model.order),
    network: describe(model.network),
    head: describe(model.head),
    window,
    settings,
    data,
  }
}

/**
 * Makes the directory of a new run.
 * @throws {InvalidDataError} where a run is there already
 */
export async function createRunDirectory(directory: string): Promise<string> {
  const path = join(directory, checkpointFile)
  if (await access(path).then(() => true, () => false)) throw new InvalidDataError(`${directory} already holds a run. Continue it with --resume, or choose another folder.`)
  try {
    await mkdir(directory, { recursive: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'EEXIST' || code === 'ENOTDIR' ? 'a file is in the way' : code === 'EACCES' || code === 'EROFS' ? 'writing there is not permitted' : (error as Error).message
    throw new InvalidDataError(`${directory}: the folder of the run cannot be made: ${why}. Choose another folder.`, { cause: error })
  }
  return path
}

/** Stores what a finished run reached with its checkpoint, for `inspect` and the card of the exported model. */
export async function recordResults(directory: string, { state }: TrainedText, description: RunDescription, results: JsonObject): Promise<void> {
  await writeCheckpoint(join(directory, checkpointFile), { state, run: asJson({ ...description, results }) })
}

/** A description holds nothing but JSON; its interface cannot say so. */
const asJson = (description: RunDescription) => description as unknown as JsonObject

/** @throws {InvalidCheckpointError | InvalidDataError} where there is no run, or its checkpoint is damaged */
export async function readRun(directory: string): Promise<Run> {
  const path = join(directory, checkpointFile)
  const { state, run } = await readCheckpoint(path).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new InvalidDataError(`${directory} is not a run: it holds no ${checkpointFile}. A run is what \`chainrule train\` writes to --out.`)
    throw error
  })
  const description = checkDescription(path, run)
  const model = textModel({
    tokenizer: tokenizerFromName(description.tokenizer),
    order: orderFromName(description.order),
    network: networkFromName(description.network),
    head: headFromName(description.head),
  })
  return { directory, description, textModel: model, state }
}

/** The trained model of a run, as far as it got. */
export function trainedOf({ textModel, description, state }: Run): TrainedText {
  return { ...textModel, parameters: state.parameters, settings: description.settings, state, window: description.window }
}

function checkDescription(path: string, run: JsonObject): RunDescription {
  const fail = (what: string): never => {
    throw new InvalidCheckpointError(`${path}: ${what}. The file is damaged or was written by another program.`)
  }
  const description = run as unknown as RunDescription
  if (description.modality !== 'text') fail(`it is a run of ${JSON.stringify(description.modality)}, not of text`)
  for (const part of ['tokenizer', 'order', 'network', 'head'] as const) {
    if (typeof description[part]?.name !== 'string' || typeof description[part].options !== 'object') fail(`"${part}" has no name and options`)
  }
  if (!Number.isSafeInteger(description.window) || description.window < 1) fail(`"window" is ${JSON.stringify(description.window)}`)
  const { data } = description
  if (typeof data?.sha256 !== 'string' || !Number.isSafeInteger(data.length) || !Number.isSafeInteger(data.heldOutBegin) || !Number.isSafeInteger(data.heldOutEnd)) fail('"data" is incomplete')
  return { ...description, settings: resolveSettings(description.settings ?? fail('"settings" is missing')) }
}
