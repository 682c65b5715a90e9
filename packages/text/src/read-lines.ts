/**
 * Files of one item per line: plain text (names, say) or JSON. A line ends with \n or \r\n, which is no part of it; empty lines are left
 * out. A file is read in pieces, so that hardly more than the items is in memory.
 */
import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { InvalidDataError, InvalidOptionError, refuseUnknownOptions } from '@chainrule/core'
import { decodeUtf8, markLength, unreadable } from './read-text.js'

/**
 * The lines of a file.
 * @throws {InvalidDataError} where it cannot be read, has no line that is not empty, or is not UTF-8 (with the place of the byte)
 */
export async function readLines(path: string): Promise<string[]> {
  const lines: string[] = []
  for await (const { texts } of linesOf(path)) for (const text of texts) if (text !== '') lines.push(text)
  if (lines.length === 0) throw new InvalidDataError(`${path}: the file has no line with anything in it.`)
  return lines
}

export interface ReadJsonLinesOptions {
  /** The field of each object that holds the text. */
  field: string
}

/**
 * One field of each JSON object of a file that has one in each line.
 * @throws {InvalidDataError} naming the line that is not JSON, not an object, or lacks the field as a text
 */
export async function readJsonLines(path: string, options: ReadJsonLinesOptions): Promise<string[]> {
  refuseUnknownOptions('readJsonLines', options, ['field'])
  const { field } = options
  if (typeof field !== 'string' || field === '') throw new InvalidOptionError(`readJsonLines: field must be the name of a field, got ${JSON.stringify(field)}.`)
  const texts: string[] = []
  for await (const { texts: lines, first } of linesOf(path)) {
    lines.forEach((line, which) => {
      if (line !== '') texts.push(fieldOf(line, field, `${path}: line ${first + which}`))
    })
  }
  if (texts.length === 0) throw new InvalidDataError(`${path}: the file has no line with anything in it.`)
  return texts
}

function fieldOf(text: string, field: string, place: string): string {
  let item: unknown
  try {
    item = JSON.parse(text)
  } catch (error) {
    throw new InvalidDataError(`${place} is not JSON: ${(error as Error).message}. Each line must be a JSON object.`, { cause: error })
  }
  if (typeof item !== 'object' || item === null || Array.isArray(item)) throw new InvalidDataError(`${place}: expected a JSON object, got ${item === null ? 'null' : Array.isArray(item) ? 'an array' : `a ${typeof item}`}.`)
  if (!Object.hasOwn(item, field)) throw new InvalidDataError(`${place} has no field "${field}". It has: ${Object.keys(item).join(', ') || 'none'}.`)
  const value: unknown = item[field as keyof typeof item]
  if (typeof value !== 'string') throw new InvalidDataError(`${place}: the field "${field}" is ${value === null ? 'null' : `a ${Array.isArray(value) ? 'list' : typeof value}`}, expected a text.`)
  return value
}

const lineFeed = 10
const carriageReturn = 13

/** The lines of each piece of a file that is read together, and the number of the first, from 1. */
async function* linesOf(path: string): AsyncGenerator<{ texts: string[]; first: number }, void> {
  let first = 1
  let offset = 0
  /** The beginning of a line whose end has not been read yet. */
  let begun: Buffer[] = []
  function linesIn(bytes: Buffer): { texts: string[]; first: number } {
    let from = offset === 0 ? markLength(bytes) : 0
    if (!isUtf8(bytes)) decodeUtf8(bytes.subarray(from), { path, offset: offset + from, line: first })
    const texts: string[] = []
    while (from <= bytes.length) {
      const found = bytes.indexOf(lineFeed, from)
      const to = found < 0 ? bytes.length : found
      // A text of its own: a part of a longer one would keep that in memory.
      texts.push(bytes.toString('utf8', from, to > from && bytes[to - 1] === carriageReturn ? to - 1 : to))
      from = to + 1
    }
    offset += bytes.length + 1
    first += texts.length
    return { texts, first: first - texts.length }
  }
  try {
    for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      const end = piece.lastIndexOf(lineFeed)
      if (end >= 0) {
        yield linesIn(Buffer.concat([...begun, piece.subarray(0, end)]))
        begun = []
      }
      if (end + 1 < piece.length) begun.push(piece.subarray(end + 1))
    }
  } catch (error) {
    throw error instanceof InvalidDataError ? error : unreadable(path, 'a text file', error)
  }
  if (begun.length > 0) yield linesIn(Buffer.concat(begun))
}
