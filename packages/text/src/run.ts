/** A run of a language model: which text it learns from, and the ranges of it that are not trained on. */
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { finiteNumber, InvalidOptionError } from '@chainrule/core'
import * as shared from '@chainrule/modality'
import type { ResolvedSettings } from '@chainrule/train'
import type { TextData } from './documents.js'
import { modality } from './modality.js'
import type { TextModel } from './model.js'

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

export interface RunDescription extends shared.RunDescription<'text', RunData> {
  /** The tokens of one training window. */
  readonly window: number
}

/** A run, read back. */
export type Run = shared.Run<TextModel, RunDescription>

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

export function describeRun(textModel: TextModel, window: number, settings: ResolvedSettings, data: RunData, more: Pick<RunDescription, 'validation' | 'from' | 'command'> = {}): RunDescription {
  return { ...shared.describeBound(textModel, settings, data, { documents: textModel.documents, window, ...more }), window }
}

/** @throws {InvalidCheckpointError | InvalidDataError} where there is no run, or its checkpoint is damaged */
export function readRun(directory: string): Promise<Run> {
  return shared.readRunOf(modality, directory, ({ window, data, validation }: RunDescription) => {
    if (window === undefined) return '"window" is missing'
    if (typeof data?.sha256 !== 'string' || !Number.isSafeInteger(data.length) || !Number.isSafeInteger(data.heldOutBegin) || !Number.isSafeInteger(data.heldOutEnd)) return '"data" is incomplete'
    if (data.validationBegin !== undefined && !Number.isSafeInteger(data.validationBegin)) return '"data" has a validationBegin that is no place'
    return validation !== undefined && data.validationBegin === undefined ? '"validation" is incomplete' : undefined
  })
}
