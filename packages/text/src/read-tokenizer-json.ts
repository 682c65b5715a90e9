/** A Hugging Face tokenizer.json from a file, an address or bytes. */
import { readFile } from 'node:fs/promises'
import { InvalidDataError } from '@chainrule/core'
import { unreadable } from './read-text.js'
import { parseTokenizerJson } from './tokenizers/index.js'
import type { TextTokenizer } from './tokenizers/tokenizer.js'

/**
 * @param source a path, a URL (file:, http:, https:), or the bytes of the file
 * @throws {InvalidDataError} where it cannot be read
 * @throws {UnsupportedError} naming the part of the file that is not supported
 */
export async function readTokenizerJson(source: string | URL | Uint8Array): Promise<TextTokenizer> {
  if (source instanceof Uint8Array) return parseTokenizerJson(source)
  const address = typeof source === 'string' && /^https?:/.test(source) ? new URL(source) : source
  if (address instanceof URL && address.protocol !== 'file:') return parseTokenizerJson(await download(address))
  const bytes = await readFile(source).catch((error: unknown) => {
    throw unreadable(source, 'a tokenizer.json', error)
  })
  return parseTokenizerJson(bytes)
}

async function download(address: URL): Promise<Uint8Array> {
  const response = await fetch(address).catch((cause: unknown) => {
    throw new InvalidDataError(`${address.href}: cannot be fetched: ${(cause as Error).message}.`, { cause })
  })
  if (!response.ok) throw new InvalidDataError(`${address.href}: the server answers ${response.status} ${response.statusText}.`)
  return new Uint8Array(await response.arrayBuffer())
}
