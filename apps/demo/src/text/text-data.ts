/** What --data stands for: one text, or documents from a file or a folder. */
import { stat } from 'node:fs/promises'
import { InvalidDataError, InvalidOptionError, type JsonObject } from '@chainrule/core'
import { readFolder, readJsonLines, readLines, readText, type TextData } from '@chainrule/text'
import { located } from '../failure.js'

export const documentKinds = ['lines', 'files', 'jsonl'] as const
export type DocumentKind = (typeof documentKinds)[number]

export interface DataOptions {
  data: string
  /** What a document is; absent: the file is one text. */
  documents?: DocumentKind
  /** Of JSON lines: which field holds the text. */
  field?: string
}

const defaultField = 'text'

/** Which of these options a run or a model keeps, to read the same data again. */
export function readingOf({ documents, field }: Pick<DataOptions, 'documents' | 'field'>): { documents?: DocumentKind; field?: string } {
  if (field !== undefined && documents !== 'jsonl') throw new InvalidOptionError('--field belongs to --documents jsonl. Leave one of the two out, or say both.')
  return { ...(documents && { documents }), ...(documents === 'jsonl' && { field: field ?? defaultField }) }
}

/** The options as given, else as the model says that it was trained. */
export function readAsTrained({ data, documents, field }: DataOptions, trainedOn: JsonObject): DataOptions {
  if (documents !== undefined || field !== undefined || typeof trainedOn.documents !== 'string') return { data, documents, field }
  return { data, documents: trainedOn.documents as DocumentKind, ...(typeof trainedOn.field === 'string' && { field: trainedOn.field }) }
}

/** @throws {InvalidDataError} where it cannot be read, and for a folder that is not said to hold documents */
export async function readData({ data, ...options }: DataOptions): Promise<TextData> {
  const { documents, field } = readingOf(options)
  if (documents === 'lines') return readLines(data)
  if (documents === 'jsonl') return readJsonLines(data, { field: field! })
  if (documents === 'files') return readFolder(data)
  if ((await stat(data).catch(() => undefined))?.isDirectory()) throw new InvalidDataError(`${data}: it is a folder, expected a text file. Say --documents files to take each text file in it as a document.`)
  return readText(data)
}

/** Errors of the tokenizer about a text are told with where it came from. */
export function checkTokens(data: string, text: TextData, { encode }: { encode(text: string): Int32Array }): void {
  if (typeof text === 'string') located(data, () => encode(text))
  else text.forEach((document, which) => located(`${data}, document ${which}`, () => encode(document)))
}
