/**
 * The files of an exported model, checked: model.json is read, and the size and SHA-256 of every file that it lists are
 * compared before anything reaches onnxruntime, which loads a weights file of another layout without complaint.
 */
import { decodeManifest, graphFiles, type GraphName, InvalidModelError, InvalidOptionError, manifestFile, type ModelManifest, UnavailableError, unpackSingleFile, weightsFile } from '@chainrule/core'
import type { Platform } from './platform.js'
import type { SessionOptions } from './session.js'

/** An exported model: the path or URL of its directory or its single file; the bytes of its single file; or its files as bytes by name. */
export type ModelSource = string | URL | Uint8Array | Record<string, Uint8Array>

export interface ModelFiles {
  /** How the model is called in messages. */
  readonly name: string
  readonly manifest: ModelManifest
  /** What onnxruntime opens: a path, or bytes with the weights beside them. @throws {InvalidModelError} where the files have changed */
  graph(name: GraphName): Promise<{ model: string | Uint8Array; externalData?: SessionOptions['externalData'] }>
  /** The bytes of a file that model.json lists. @throws {InvalidModelError} where it has changed, or is not listed */
  file(name: string): Promise<Uint8Array>
}

type Listed = { readonly bytes: number; readonly sha256: string }

export const remedy = 'Export the model again, or copy all of it again.'

export function checkSize(file: string, actual: number, { bytes }: Listed): void {
  if (actual !== bytes) throw new InvalidModelError(`${file} has ${actual} bytes, ${manifestFile} lists ${bytes}. ${remedy}`)
}

export function checkHash(file: string, actual: string, { sha256 }: Listed): void {
  if (actual !== sha256) throw new InvalidModelError(`${file} is not the file that was exported: its SHA-256 is ${actual}, ${manifestFile} lists ${sha256}. ${remedy}`)
}

export function checkListed(name: string, { files }: ModelManifest): void {
  if (!Object.hasOwn(files, name)) throw new InvalidModelError(`${manifestFile} lists no ${name}, only ${Object.keys(files).join(', ')}.`)
}

/** In hexadecimal. @throws {UnavailableError} in a page that is not a secure context */
export async function hashOfBytes(bytes: Uint8Array): Promise<string> {
  if (!globalThis.crypto?.subtle) throw new UnavailableError('Files cannot be checked here: a browser has SHA-256 only in pages from https: or from localhost. Serve the page from there.')
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** @param place what stands before a file's name in messages */
export async function fromBytes(files: Readonly<Record<string, Uint8Array>>, name = 'the model', place = ''): Promise<ModelFiles> {
  const file = (wanted: string): Uint8Array => {
    const bytes = Object.hasOwn(files, wanted) ? files[wanted] : undefined
    if (!(bytes instanceof Uint8Array)) throw new InvalidModelError(`${name} has no file ${wanted} as a Uint8Array; got ${Object.keys(files).join(', ') || 'none'}. ${remedy}`)
    return bytes
  }
  const manifest = decodeManifest(file(manifestFile), place + manifestFile)
  for (const [listedName, listed] of Object.entries(manifest.files)) {
    checkSize(place + listedName, file(listedName).length, listed)
    checkHash(place + listedName, await hashOfBytes(file(listedName)), listed)
  }
  return {
    name,
    manifest,
    graph: async (graph) => ({ model: file(graphFiles[graph]), externalData: [{ path: weightsFile, data: file(weightsFile) }] }),
    file: async (wanted) => {
      checkListed(wanted, manifest)
      return file(wanted)
    },
  }
}

/** A single file is unpacked into what its directory would hold. @throws {InvalidModelError} */
export async function fromSingleFile(bytes: Uint8Array, name: string): Promise<ModelFiles> {
  const { files, graphBytes, graphSha256 } = unpackSingleFile(bytes, name)
  checkHash(name, await hashOfBytes(bytes.subarray(0, graphBytes)), { bytes: graphBytes, sha256: graphSha256 })
  return fromBytes(files, name, `${name}: `)
}

async function download(url: URL): Promise<Uint8Array> {
  const fail = (what: string, cause?: unknown): never => {
    throw new InvalidModelError(`${url.href} cannot be fetched: ${what}. Check the address, and that the server allows this page to read it.`, { cause })
  }
  const response = await fetch(url).catch((error: Error) => fail(String((error.cause as Error | undefined)?.message ?? error.message), error))
  if (!response.ok) fail(`the server answers ${response.status} ${response.statusText}`.trimEnd())
  return new Uint8Array(await response.arrayBuffer().catch((error: Error) => fail(error.message, error)))
}

/** A directory on a server, or a single file: an address that ends in .onnx. */
export async function fromServer(address: URL): Promise<ModelFiles> {
  if (address.pathname.endsWith('.onnx')) return fromSingleFile(await download(address), address.href)
  const folder = new URL(address)
  if (!folder.pathname.endsWith('/')) folder.pathname += '/'
  const at = (name: string) => Object.assign(new URL(name, folder), { search: folder.search })
  const manifest = await download(at(manifestFile))
  const names = Object.keys(decodeManifest(manifest, at(manifestFile).href).files)
  const contents = await Promise.all(names.map((name) => download(at(name))))
  return fromBytes({ [manifestFile]: manifest, ...Object.fromEntries(names.map((name, which) => [name, contents[which]])) }, folder.href, folder.href)
}

/**
 * Reads model.json and checks every file that it lists.
 * @throws {InvalidModelError} naming the file: missing, a link, of another size or SHA-256, or model.json itself damaged
 * @throws {InvalidOptionError} where the source is none
 */
export async function openModelFiles(source: ModelSource, { openPath }: Pick<Platform, 'openPath'>): Promise<ModelFiles> {
  if (typeof source === 'string') return /^https?:\/\//i.test(source) ? fromServer(new URL(source)) : openPath(source)
  if (source instanceof URL) {
    if (/^https?:$/.test(source.protocol)) return fromServer(source)
    return openPath(source)
  }
  if (source instanceof Uint8Array) return fromSingleFile(source, 'the model')
  if (typeof source !== 'object' || source === null) throw new InvalidOptionError(`openModel: expected a path or URL of a model, or bytes, got ${String(source)}.`)
  return fromBytes(source)
}
