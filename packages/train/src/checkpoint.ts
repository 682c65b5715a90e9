/**
 * A checkpoint is one safetensors file: parameters and moments as tensors, everything else as JSON in its metadata.
 * It is written to a temporary sibling, synced and renamed, so that a reader finds the last whole one, whatever happens.
 */
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { decodeSafetensors, encodeSafetensors, InvalidCheckpointError, type JsonObject, type ParameterArrays, type StoredTensor } from '@chainrule/core'
import { scoped } from '@chainrule/core/tensors'
import type { TrainingState } from './train.js'

export const checkpointVersion = 1

export interface Checkpoint {
  readonly state: TrainingState
  /** What the run is: pieces, settings, data. The owner's business. */
  readonly run: JsonObject
}

const parts = { parameters: 'parameter/', firstMoments: 'first/', secondMoments: 'second/' } as const

/** The bytes of a checkpoint. */
export function encodeCheckpoint({ state, run }: Checkpoint): Uint8Array {
  const tensors: Record<string, StoredTensor> = {}
  for (const [part, prefix] of Object.entries(parts)) {
    for (const [name, array] of Object.entries(state[part as keyof typeof parts])) tensors[prefix + name] = array
  }
  const header = { checkpointVersion, step: state.step, seconds: state.seconds, run }
  return encodeSafetensors({ tensors, metadata: { chainrule: JSON.stringify(header) } }).bytes
}

/** @param source how the file is called in messages. @throws {InvalidDataError | InvalidCheckpointError} */
export function decodeCheckpoint(bytes: Uint8Array, source: string): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes, source)
  let header: { checkpointVersion?: unknown; step?: unknown; seconds?: unknown; run?: unknown }
  try {
    header = JSON.parse(metadata.chainrule)
  } catch {
    throw new InvalidCheckpointError(`${source}: a safetensors file, but not a checkpoint: its metadata has no "chainrule" entry in JSON.`)
  }
  if (header.checkpointVersion !== checkpointVersion) throw new InvalidCheckpointError(`${source}: checkpoint version ${String(header.checkpointVersion)}, this program reads ${checkpointVersion}.`)
  if (!Number.isSafeInteger(header.step) || typeof header.seconds !== 'number' || typeof header.run !== 'object' || header.run === null) {
    throw new InvalidCheckpointError(`${source}: its metadata lacks step, seconds or run. The file is damaged.`)
  }
  const of = (prefix: string): ParameterArrays => {
    const arrays: ParameterArrays = {}
    for (const [name, { shape, data }] of Object.entries(scoped(tensors, prefix))) {
      if (!(data instanceof Float32Array)) throw new InvalidCheckpointError(`${source}: tensor "${prefix}${name}" is not float32.`)
      if (!data.every(Number.isFinite)) throw new InvalidCheckpointError(`${source}: tensor "${prefix}${name}" holds a value that is not a finite number.`)
      arrays[name] = { shape, data }
    }
    return arrays
  }
  return {
    state: { step: header.step as number, seconds: header.seconds, parameters: of(parts.parameters), firstMoments: of(parts.firstMoments), secondMoments: of(parts.secondMoments) },
    run: header.run as JsonObject,
  }
}

/** Writes a file so that its name holds either the old content or the new one, whole. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.partial`
  try {
    const file = await open(temporary, 'w')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  // The rename itself must reach the disk; not every platform can sync a directory.
  const directory = await open(dirname(path), 'r').catch(() => undefined)
  await directory?.sync().catch(() => undefined)
  await directory?.close()
}

/** Writes a checkpoint, whole. */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  await writeWhole(path, encodeCheckpoint(checkpoint))
}

/** Reads a checkpoint. @throws {InvalidDataError | InvalidCheckpointError} naming the file and the place */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  return decodeCheckpoint(await readFile(path), path)
}
