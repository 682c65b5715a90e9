/**
 * model.json: what an exported model is made of. Its directory holds weights.safetensors (each weight once) and the graphs
 * score.onnx, step.onnx, sample.onnx and, of some models, waves.onnx, which point into it by offset. This file is the format's only reader and writer; no file system.
 */
import { type Condition, conditionFromName } from './condition.js'
import { checkDomain, type Domain } from './domain.js'
import { InvalidModelError, InvalidOptionError } from './errors.js'
import { type ResolvedOrder, resolvedOrder } from './order.js'
import { sizeOf } from './parameters.js'
import type { JsonObject, Piece } from './piece.js'
import { type SamplingFilterName, samplingFilterNames, truncations } from './sampling-filters.js'

export const formatVersion = 1
export const manifestFile = 'model.json'
export const weightsFile = 'weights.safetensors'
/** Numbers of one state tensor for one sample and one variable of the past: far more than any network has, and memory can hold it. */
const largestState = 2 ** 27
export const graphFiles = { score: 'score.onnx', step: 'step.onnx', sample: 'sample.onnx', waves: 'waves.onnx' } as const
export type GraphName = keyof typeof graphFiles

/** The graphs of a model: one that draws wave by wave only some have. */
export function graphNames({ files }: Pick<ModelManifest, 'files'>): GraphName[] {
  return (Object.keys(graphFiles) as GraphName[]).filter((name) => name !== 'waves' || graphFiles.waves in files)
}

/** One tensor of a network's state; it begins as zeros with a past of 0. */
export interface StateTensor {
  readonly name: string
  readonly type: 'float32' | 'int32'
  /** At most one axis is 'past': it grows by one a step, up to the network's context. */
  readonly shape: readonly (number | 'batch' | 'past')[]
}

/** Where the model comes from and what it reached, for people. */
export interface ModelCard {
  /** What it was trained on. */
  readonly data: JsonObject
  /** Results with units in their names. */
  readonly results: JsonObject
  /** Seed, steps, batch size, learning rate and the like. */
  readonly training: JsonObject
  /** When it was exported, ISO 8601. */
  readonly exportedAt: string
}

export interface ModelManifest {
  readonly formatVersion: typeof formatVersion
  readonly producer: string
  readonly modality: string
  readonly domain: Domain
  /** What the model is told beside x; absent: nothing. */
  readonly condition?: Piece
  /** With the permutation (rank → position) and the groups (by rank) where the length is fixed. */
  readonly order: Piece & { readonly permutation?: readonly number[]; readonly groups?: readonly number[] }
  readonly network: Piece
  readonly head: Piece
  readonly uniformsPerComponent: number
  /** The filters that step.onnx and sample.onnx take, all or (absent) none of them. */
  readonly samplingFilters?: readonly SamplingFilterName[]
  /** The most variables that the network can take; absent: any number. */
  readonly longest?: number
  readonly tokenizer: Piece
  readonly state: readonly StateTensor[]
  /** How whole samples are drawn fastest, and why: one line for people. Absent in models exported before there was a choice. */
  readonly sampling?: string
  readonly parameters: number
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>
  readonly card: ModelCard
}

/** The bytes of model.json. */
export function encodeManifest(manifest: ModelManifest): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`)
}

/**
 * Reads model.json and checks every part of it.
 * @param source how the file is called in messages
 * @throws {InvalidModelError} naming the file and the part
 */
export function decodeManifest(bytes: Uint8Array, source: string): ModelManifest {
  const fail = (what: string): never => {
    throw new InvalidModelError(`${source}: ${what}. The file is damaged or is not an exported model; export the model again.`)
  }
  let manifest: ModelManifest
  try {
    manifest = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    return fail(`not JSON: ${(error as Error).message}`)
  }
  const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
  const isPiece = (value: unknown) => isObject(value) && typeof value.name === 'string' && isObject(value.options)
  const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
  if (!isObject(manifest)) fail('not a JSON object')
  if (manifest.formatVersion === undefined) fail('it has no formatVersion')
  if (manifest.formatVersion !== formatVersion) {
    throw new InvalidModelError(`${source}: formatVersion is ${JSON.stringify(manifest.formatVersion)}, this program reads ${formatVersion}. Use the version of chainrule that wrote it (${String(manifest.producer)}).`)
  }
  for (const part of ['order', 'network', 'head', 'tokenizer'] as const) if (!isPiece(manifest[part])) fail(`"${part}" has no name and options`)
  if (manifest.condition !== undefined && !isPiece(manifest.condition)) fail('"condition" has no name and options')
  if (typeof manifest.producer !== 'string' || typeof manifest.modality !== 'string') fail('"producer" or "modality" is not text')
  if (!isObject(manifest.domain)) fail('"domain" is missing')
  try {
    checkDomain(manifest.domain)
    manifestOrder(manifest)
    manifestCondition(manifest)
  } catch (error) {
    fail((error as Error).message.replace(/\.$/, ''))
  }
  if (!isCount(manifest.uniformsPerComponent) || manifest.uniformsPerComponent < 1) fail('"uniformsPerComponent" is not a positive whole number')
  const filters: unknown = manifest.samplingFilters
  if (filters !== undefined && !(Array.isArray(filters) && [samplingFilterNames, truncations].some((names) => String(filters) === String(names)))) fail(`"samplingFilters" is ${JSON.stringify(filters)}, expected ${JSON.stringify(samplingFilterNames)} or ${JSON.stringify(truncations)}`)
  if (manifest.longest !== undefined && !isCount(manifest.longest)) fail('"longest" is not a whole number')
  if (manifest.sampling !== undefined && typeof manifest.sampling !== 'string') fail('"sampling" is not text')
  if (!isCount(manifest.parameters)) fail('"parameters" is not a whole number')
  if (!Array.isArray(manifest.state)) fail('"state" is not a list')
  for (const tensor of manifest.state as unknown[]) {
    const ok =
      isObject(tensor) &&
      typeof tensor.name === 'string' &&
      (tensor.type === 'float32' || tensor.type === 'int32') &&
      Array.isArray(tensor.shape) &&
      tensor.shape.every((axis) => axis === 'batch' || axis === 'past' || isCount(axis)) &&
      tensor.shape.filter((axis) => axis === 'past').length <= 1 &&
      sizeOf(tensor.shape.map((axis) => (isCount(axis) ? axis : 1))) <= largestState
    if (!ok) fail(`"state" holds ${JSON.stringify(tensor)}`)
  }
  if (!isObject(manifest.files)) fail('"files" is missing')
  for (const name of [weightsFile, ...graphNames(manifest).map((graph) => graphFiles[graph])]) if (!(name in manifest.files)) fail(`"files" does not list ${name}`)
  for (const [name, file] of Object.entries(manifest.files as Record<string, unknown>)) {
    if (!/^[\w-]+(\.[\w-]+)+$/.test(name)) fail(`"files" lists ${JSON.stringify(name)}, which is not a plain file name`)
    if (!isObject(file) || !isCount(file.bytes) || typeof file.sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(file.sha256)) fail(`"files" gives no size and SHA-256 for ${name}`)
  }
  const { card } = manifest as unknown as { card: unknown }
  if (!isObject(card) || !isObject(card.data) || !isObject(card.results) || !isObject(card.training)) fail('"card" is incomplete')
  return manifest
}

/** The condition of an exported model. @throws {UnknownPieceError | InvalidOptionError} where it is none of this program's */
export const manifestCondition = ({ condition }: Pick<ModelManifest, 'condition'>): Condition | undefined => condition && conditionFromName(condition)

/** The order of an exported model, as data. @throws {InvalidOptionError} where it is not a permutation of the domain's length */
export function manifestOrder({ domain, order }: Pick<ModelManifest, 'domain' | 'order'>): ResolvedOrder {
  if (domain.length === 'variable') return { permutation: new Int32Array(0), inverse: new Int32Array(0), isLeftToRight: true }
  const { length } = domain
  const isList = (value: unknown): value is number[] => Array.isArray(value) && value.length === length && value.every((entry) => Number.isInteger(entry))
  if (!isList(order.permutation)) throw new InvalidOptionError(`order: "permutation" is not a list of ${length} whole numbers, one for each variable.`)
  if (order.groups !== undefined && !isList(order.groups)) throw new InvalidOptionError(`order: "groups" is not a list of ${length} whole numbers, one for each variable.`)
  return resolvedOrder('order', Int32Array.from(order.permutation), order.groups && Int32Array.from(order.groups))
}
