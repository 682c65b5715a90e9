/**
 * Reads a text file; its bytes must be UTF-8. A byte order mark at its beginning is left out; line ends stay as they are.
 */
import { readFile } from 'node:fs/promises'
import { InvalidDataError } from '@chainrule/core'

/** The offset of the first byte that is not part of valid UTF-8; −1 where all are. */
export function invalidUtf8At(bytes: Uint8Array): number {
  const isTail = (at: number) => at < bytes.length && (bytes[at] & 0xc0) === 0x80
  let at = 0
  while (at < bytes.length) {
    const first = bytes[at]
    if (first < 0x80) at += 1
    else if (first >= 0xc2 && first < 0xe0 && isTail(at + 1)) at += 2
    else if (first >= 0xe0 && first < 0xf0 && isTail(at + 1) && isTail(at + 2) && !(first === 0xe0 && bytes[at + 1] < 0xa0) && !(first === 0xed && bytes[at + 1] >= 0xa0)) at += 3
    else if (first >= 0xf0 && first < 0xf5 && isTail(at + 1) && isTail(at + 2) && isTail(at + 3) && !(first === 0xf0 && bytes[at + 1] < 0x90) && !(first === 0xf4 && bytes[at + 1] >= 0x90)) at += 4
    else return at
  }
  return -1
}

/** Where bytes stand in a file: what comes before them is `offset` bytes, and they begin in line `line`, counted from 1. */
export interface BytesPlace {
  readonly path: string
  readonly offset: number
  readonly line: number
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @throws {InvalidDataError} naming the place of the first byte that is not UTF-8 */
export function decodeUtf8(bytes: Uint8Array, { path, offset, line }: BytesPlace): string {
  try {
    return strict.decode(bytes)
  } catch (error) {
    const at = invalidUtf8At(bytes)
    if (at < 0) throw new InvalidDataError(`${path}: ${bytes.length} bytes do not fit into one text (${(error as Error).message}). Read it line by line (readLines), or cut it into files.`, { cause: error })
    const lines = bytes.subarray(0, at).reduce((count, byte) => count + (byte === 10 ? 1 : 0), line)
    throw new InvalidDataError(`${path}: not UTF-8: byte ${offset + at} (0x${bytes[at].toString(16).padStart(2, '0')}, line ${lines}) does not continue a character. Convert the file to UTF-8, for example with iconv.`)
  }
}

/** What the operating system says of a file that cannot be read, for people. */
export function unreadable(path: string | URL, expected: string, error: unknown): InvalidDataError {
  const { code, message } = error as NodeJS.ErrnoException
  const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? `it is a folder, expected ${expected}` : code === 'ENOTDIR' ? `it is a file, expected ${expected}` : code === 'EACCES' ? 'reading it is not permitted' : message
  return new InvalidDataError(`${String(path)}: ${why}.`, { cause: error })
}

/** How many bytes the byte order mark at the beginning of a file takes: 3 or 0. */
export const markLength = (bytes: Uint8Array): number => (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0)

/**
 * The text of a file.
 * @throws {InvalidDataError} where it cannot be read, is empty, or is not UTF-8 (with the place of the byte)
 */
export async function readText(path: string): Promise<string> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw unreadable(path, 'a text file', error)
  })
  const offset = markLength(bytes)
  if (bytes.length === offset) throw new InvalidDataError(`${path}: the file is empty.`)
  return decodeUtf8(bytes.subarray(offset), { path, offset, line: 1 })
}
