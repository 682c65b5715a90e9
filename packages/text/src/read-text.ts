/** Reads a text file; its bytes must be UTF-8. */
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

/**
 * The text of a file.
 * @throws {InvalidDataError} where it cannot be read, is empty, or is not UTF-8 (with the place of the byte)
 */
export async function readText(path: string): Promise<string> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder, expected a text file' : code === 'EACCES' ? 'reading it is not permitted' : (error as Error).message
    throw new InvalidDataError(`${path}: ${why}.`, { cause: error })
  }
  if (bytes.length === 0) throw new InvalidDataError(`${path}: the file is empty.`)
  const at = invalidUtf8At(bytes)
  if (at >= 0) {
    const line = bytes.subarray(0, at).reduce((count, byte) => count + (byte === 10 ? 1 : 0), 1)
    throw new InvalidDataError(`${path}: not UTF-8: byte ${at} (0x${bytes[at].toString(16).padStart(2, '0')}, line ${line}) does not continue a character. Convert the file to UTF-8, for example with iconv.`)
  }
  return new TextDecoder().decode(bytes)
}
