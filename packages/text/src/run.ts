/**
 * A run: a directory that holds one checkpoint, which says everything about it: pieces, settings, data and the ranges not trained on.
 * With validation the best parameters lie beside it; the course of the training, for people and tools, is in metrics.jsonl.
 */
import { createHash } from 'node:crypto'
import { basename, join } from 'node:path'
import { describe, finiteNumber, InvalidCheckpointError, InvalidOptionError, type JsonObject, orderFromName, type Piece } from '@chainrule/core'
import { headFromName } from '@chainrule/core/tensors'
import { networkFromName } from '@chainrule/networks'
import { type BestParameters, checkpointFile, readRunDirectory, type ResolvedSettings, resolveSettings, select, type TrainingState, writeResults } from '@chainrule/train'
import type { TextData } from './documents.js'
import { type TextModel, textModel, type TrainedText } from './model.js'
import { tokenizerFromName } from './tokenizers/index.js'

/** Which part of which text was trained on. */
export type RunData = {
  readonly file: string
  readonly sha256: string
  /** Of all of it, as UTF-16 units, or how many documents; the ranges below are in the same unit. */
  readonly length: number
  /** Never trained on; begin = end where nothing was held out. */
  readonly heldOutBegin: number
  readonly heldOutEnd: number
  /** The part from here to the held-out one validates; absent: none does. */
  readonly validationBegin?: number
  /** What a document was: each line, each file, or a field of each JSON line; absent: it was one text, or another program's documents. */
  readonly documents?: 'lines' | 'files' | 'jsonl'
  readonly field?: string
}

export interface RunDescription {
  readonly modality: 'text'
  readonly tokenizer: Piece
  readonly order: Piece
  readonly network: Piece
  readonly head: Piece
  /** Whether its texts are documents, which end; absent: they do not. */
  readonly documents?: boolean
  readonly window: number
  readonly settings: ResolvedSettings
  readonly data: RunData
  /** When the part for validation is measured, and how long nothing better may come; absent: it is not. */
  readonly validation?: { readonly everySteps: number; readonly patience?: number }
  /** The run or model that it began with: the name of its folder, and its updates. */
  readonly from?: { readonly name: string; readonly updates: number }
  /** The command that began it, paths by their last part; absent: no command did. */
  readonly command?: string
  /** What it reached, with units in the names; absent until training is complete and was evaluated. */
  readonly results?: JsonObject
}

/** A run, read back. */
export interface Run {
  readonly directory: string
  readonly description: RunDescription
  readonly textModel: TextModel
  readonly state: TrainingState
  /** The best parameters by validation, where there was one. */
  readonly best?: BestParameters
}

/** The last part of a text, or the last documents, `fraction` of it, is held out. Never cuts a surrogate pair. */
export function splitHeldOut(text: TextData, fraction: number): { begin: number; end: number } {
  finiteNumber('heldOut', 'fraction', fraction, 0, 0.9)
  return { begin: boundary(text, Math.floor(text.length * (1 - fraction))), end: text.length }
}

/** Where the part for validation begins: `fraction` of the whole text or of all documents, just before the held-out part. Undefined for a fraction of 0. */
export function splitValidation(text: TextData, heldOutBegin: number, fraction: number): number | undefined {
  finiteNumber('validation', 'fraction', fraction, 0, 0.5)
  if (fraction === 0) return undefined
  const begin = boundary(text, Math.floor(heldOutBegin - text.length * fraction))
  if (begin < 1 || begin >= heldOutBegin) throw new InvalidOptionError(`validation: a fraction of ${fraction} leaves ${Math.max(0, begin)} ${typeof text === 'string' ? 'characters' : 'documents'} to train on and ${heldOutBegin - begin} to validate with. Choose another one.`)
  return begin
}

/** A place in a text that does not cut a surrogate pair: this one or the one before. Between documents any will do. */
function boundary(text: TextData, at: number): number {
  if (typeof text !== 'string') return at
  const unit = text.charCodeAt(at)
  return unit >= 0xdc00 && unit < 0xe000 ? at - 1 : at
}

/** Where the part to train on ends. */
export const trainingEnd = ({ validationBegin, heldOutBegin }: Pick<RunData, 'validationBegin' | 'heldOutBegin'>): number => validationBegin ?? heldOutBegin

/** How a text, or documents in their order, are recognised again. */
export function describeData(path: string, text: TextData, { begin, end, validationBegin }: { begin: number; end: number; validationBegin?: number }): RunData {
  const hash = createHash('sha256')
  // A document's length keeps its place: two texts are not one.
  if (typeof text === 'string') hash.update(text)
  else for (const document of text) hash.update(`${document.length} `).update(document)
  const sha256 = hash.digest('hex')
  return { file: basename(path), sha256, length: text.length, heldOutBegin: begin, heldOutEnd: end, ...(validationBegin !== undefined && { validationBegin }) }
}

export function describeRun({ tokenizer, documents, model }: TextModel, window: number, settings: ResolvedSettings, data: RunData, more: Pick<RunDescription, 'validation' | 'from' | 'command'> = {}): RunDescription {
  return {
    modality: 'text',
    tokenizer: describe(tokenizer),
    order: describe(model.order),
    network: describe(model.network),
    head: describe(model.head),
    ...(documents && { documents }),
    window,
    settings,
    data,
    ...more,
  }
}

/** Stores what a finished run reached with its checkpoint, for `inspect` and the card of the exported model. */
export async function recordResults(directory: string, { state }: TrainedText, description: RunDescription, results: JsonObject): Promise<void> {
  // A description holds nothing but JSON; its interface cannot say so.
  await writeResults(directory, state, description as unknown as JsonObject, results)
}

/** @throws {InvalidCheckpointError | InvalidDataError} where there is no run, or its checkpoint is damaged */
export async function readRun(directory: string): Promise<Run> {
  const { state, run, best } = await readRunDirectory(directory)
  const description = checkDescription(join(directory, checkpointFile), run)
  const model = textModel({
    tokenizer: tokenizerFromName(description.tokenizer),
    documents: description.documents,
    order: orderFromName(description.order),
    network: networkFromName(description.network),
    head: headFromName(description.head),
  })
  return { directory, description, textModel: model, state, ...(best && { best }) }
}

/** The trained model of a run, as far as it got: its best parameters where it validates, else the average where it keeps one, else the last. */
export function trainedOf({ textModel, description, state, best }: Run): TrainedText {
  return { ...textModel, ...select(state, best), settings: description.settings, state, window: description.window }
}

function checkDescription(path: string, run: JsonObject): RunDescription {
  const fail = (what: string): never => {
    throw new InvalidCheckpointError(`${path}: ${what}. The file is damaged or was written by another program.`)
  }
  const description = run as unknown as RunDescription
  if (description.modality !== 'text') fail(`it is a run of ${JSON.stringify(description.modality ?? null)}, not of text`)
  for (const part of ['tokenizer', 'order', 'network', 'head'] as const) {
    if (typeof description[part]?.name !== 'string' || typeof description[part].options !== 'object') fail(`"${part}" has no name and options`)
  }
  if (description.documents !== undefined && typeof description.documents !== 'boolean') fail(`"documents" is ${JSON.stringify(description.documents)}`)
  if (!Number.isSafeInteger(description.window) || description.window < 1) fail(`"window" is ${JSON.stringify(description.window)}`)
  const { data } = description
  if (typeof data?.sha256 !== 'string' || !Number.isSafeInteger(data.length) || !Number.isSafeInteger(data.heldOutBegin) || !Number.isSafeInteger(data.heldOutEnd)) fail('"data" is incomplete')
  if (data.validationBegin !== undefined && !Number.isSafeInteger(data.validationBegin)) fail('"data" has a validationBegin that is no place')
  if (description.validation !== undefined && (!Number.isSafeInteger(description.validation?.everySteps) || data.validationBegin === undefined)) fail('"validation" is incomplete')
  return { ...description, settings: resolveSettings(description.settings ?? fail('"settings" is missing')) }
}
