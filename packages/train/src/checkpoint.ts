/**
 * A checkpoint is one safetensors file: parameters, moments and average as tensors, everything else as JSON in its metadata.
 * The best parameters by validation are another file of the same form: parameters, with the step and the nats that they reached.
 */
import { readFile } from 'node:fs/promises'
import { decodeSafetensors, encodeSafetensors, InvalidCheckpointError, type JsonObject, type ParameterArrays, type StoredTensor } from '@chainrule/core'
import { join, split, type TrainingState } from './state.js'
import type { BestParameters } from './validation.js'
import { writeWhole } from './whole-file.js'

export const checkpointVersion = 1

export interface Checkpoint {
  readonly state: TrainingState
  /** What the run is: pieces, settings, data. The owner's business. */
  readonly run: JsonObject
}

/** What a file of best parameters holds. */
export interface BestCheckpoint {
  readonly best: BestParameters
  readonly run: JsonObject
}

type Header = Record<'checkpointVersion' | 'step' | 'seconds' | 'nats' | 'best' | 'run', unknown>

const encode = (arrays: ParameterArrays, header: JsonObject): Uint8Array =>
  encodeSafetensors({ tensors: arrays as Record<string, StoredTensor>, metadata: { chainrule: JSON.stringify({ checkpointVersion, ...header }) } }).bytes

/** The bytes of a checkpoint. */
export function encodeCheckpoint({ state, run }: Checkpoint): Uint8Array {
  return encode(join(state), { step: state.step, seconds: state.seconds, ...(state.best && { best: { ...state.best } }), run })
}

/** The bytes of a file of best parameters. */
export function encodeBest({ best: { step, nats, parameters }, run }: BestCheckpoint): Uint8Array {
  return encode(join({ parameters }), { step, nats, run })
}

const isStep = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

/** @param source how the file is called in messages. @throws {InvalidDataError | InvalidCheckpointError} */
export function decodeCheckpoint(bytes: Uint8Array, source: string): Checkpoint {
  const { header, arrays } = decode(bytes, source)
  const { step, seconds, best } = header
  if (!isStep(step) || typeof seconds !== 'number') throw damaged(source, 'its metadata lacks step or seconds')
  const mark = best as TrainingState['best']
  if (best !== undefined && !(isStep(mark?.step) && typeof mark?.nats === 'number')) throw damaged(source, 'its metadata has a best validation without step or nats')
  return { state: { step, seconds, ...split(arrays), ...(mark && { best: mark }) }, run: header.run as JsonObject }
}

/** @param source how the file is called in messages. @throws {InvalidDataError | InvalidCheckpointError} */
export function decodeBest(bytes: Uint8Array, source: string): BestCheckpoint {
  const { header, arrays } = decode(bytes, source)
  const { step, nats, run } = header
  if (!isStep(step) || typeof nats !== 'number') throw damaged(source, 'its metadata lacks step or nats')
  return { best: { step, nats, parameters: split(arrays).parameters }, run: run as JsonObject }
}

const damaged = (source: string, what: string) => new InvalidCheckpointError(`${source}: ${what}. The file is damaged.`)

function decode(bytes: Uint8Array, source: string): { header: Header; arrays: ParameterArrays } {
  const { tensors, metadata } = decodeSafetensors(bytes, source)
  let header: Header
  try {
    header = JSON.parse(metadata.chainrule)
  } catch {
    throw new InvalidCheckpointError(`${source}: a safetensors file, but not a checkpoint: its metadata has no "chainrule" entry in JSON.`)
  }
  if (header?.checkpointVersion !== checkpointVersion) throw new InvalidCheckpointError(`${source}: checkpoint version ${String(header?.checkpointVersion)}, this program reads ${checkpointVersion}.`)
  if (typeof header.run !== 'object' || header.run === null) throw damaged(source, 'its metadata lacks run')
  for (const [name, { data }] of Object.entries(tensors)) {
    if (!(data instanceof Float32Array)) throw new InvalidCheckpointError(`${source}: tensor "${name}" is not float32.`)
    if (!data.every(Number.isFinite)) throw new InvalidCheckpointError(`${source}: tensor "${name}" holds a value that is not a finite number.`)
  }
  return { header, arrays: tensors as ParameterArrays }
}

/** Writes a checkpoint, whole. */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  await writeWhole(path, encodeCheckpoint(checkpoint))
}

/** Reads a checkpoint. @throws {InvalidDataError | InvalidCheckpointError} naming the file and the place */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  return decodeCheckpoint(await readFile(path), path)
}

/** Writes best parameters, whole. */
export async function writeBest(path: string, best: BestCheckpoint): Promise<void> {
  await writeWhole(path, encodeBest(best))
}

/** Reads best parameters. @throws {InvalidDataError | InvalidCheckpointError} naming the file and the place */
export async function readBest(path: string): Promise<BestCheckpoint> {
  return decodeBest(await readFile(path), path)
}
