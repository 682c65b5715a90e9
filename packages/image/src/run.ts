/** A run of an image model: a directory whose checkpoint says everything about it: pieces, settings, data and how that was split. */
import { createHash } from 'node:crypto'
import { basename, join } from 'node:path'
import { describe, InvalidCheckpointError, type JsonObject, orderFromName, type Piece } from '@chainrule/core'
import { headFromName } from '@chainrule/core/tensors'
import { networkFromName } from '@chainrule/networks'
import { type BestParameters, checkpointFile, readRunDirectory, type ResolvedSettings, resolveSettings, select, type TrainingState, writeResults } from '@chainrule/train'
import type { ImageSet } from './image.js'
import { type ImageModel, imageModel, type TrainedImage } from './model.js'
import type { SplitOptions } from './split.js'
import { tokenizerFromName } from './tokenizers/index.js'

/** Which images were trained on. */
export type RunData = {
  readonly file: string
  readonly sha256: string
  /** How many images there are, and the size of each. */
  readonly images: number
  readonly height: number
  readonly width: number
  readonly channels: number
  /** Whether files of other sizes were scaled to this one; absent: they had it. */
  readonly resized?: boolean
  /** As for `splitImages`. */
  readonly heldOut: number
  readonly validation: number
  readonly splitSeed: number
  /** Dynamic binarisation: the seed of the bits; absent: there was none. Another seed, `binarizationSeed` + 1, made the bits that are measured. */
  readonly binarizationSeed?: number
}

export interface RunDescription {
  readonly modality: 'image'
  readonly tokenizer: Piece
  readonly order: Piece
  readonly network: Piece
  readonly head: Piece
  readonly settings: ResolvedSettings
  readonly data: RunData
  /** When the part for validation is measured, and how long nothing better may come; absent: it is not. */
  readonly validation?: { readonly everySteps: number; readonly patience?: number }
  /** The command that began it, paths by their last part; absent: no command did. */
  readonly command?: string
  /** What it reached, with units in the names; absent until training is complete and was evaluated. */
  readonly results?: JsonObject
}

/** A run, read back. */
export interface Run {
  readonly directory: string
  readonly description: RunDescription
  readonly imageModel: ImageModel
  readonly state: TrainingState
  /** The best parameters by validation, where there was one. */
  readonly best?: BestParameters
}

/** How images in their order are recognised again: by size and intensities; labels do not count. */
export function fingerprint(images: ImageSet): string {
  const hash = createHash('sha256')
  for (let i = 0; i < images.length; i++) {
    const { height, width, channels, data } = images.at(i)!
    hash.update(`${height} ${width} ${channels} `).update(data)
  }
  return hash.digest('hex')
}

export function describeData(path: string, images: ImageSet, { heldOut, validation = 0, seed }: SplitOptions, more: Pick<RunData, 'resized' | 'binarizationSeed'> = {}): RunData {
  const { height, width, channels } = images.at(0)!
  return { file: basename(path), sha256: fingerprint(images), images: images.length, height, width, channels, heldOut, validation, splitSeed: seed, ...more }
}

export function describeRun({ tokenizer, model }: ImageModel, settings: ResolvedSettings, data: RunData, more: Pick<RunDescription, 'validation' | 'command'> = {}): RunDescription {
  return { modality: 'image', tokenizer: describe(tokenizer), order: describe(model.order), network: describe(model.network), head: describe(model.head), settings, data, ...more }
}

/** Stores what a finished run reached with its checkpoint, for `inspect` and the card of the exported model. */
export async function recordResults(directory: string, { state }: TrainedImage, description: RunDescription, results: JsonObject): Promise<void> {
  // A description holds nothing but JSON; its interface cannot say so.
  await writeResults(directory, state, description as unknown as JsonObject, results)
}

/** @throws {InvalidCheckpointError | InvalidDataError} where there is no run, or its checkpoint is damaged */
export async function readRun(directory: string): Promise<Run> {
  const { state, run, best } = await readRunDirectory(directory)
  const description = checkDescription(join(directory, checkpointFile), run)
  const model = imageModel({
    tokenizer: tokenizerFromName(description.tokenizer),
    order: orderFromName(description.order),
    network: networkFromName(description.network),
    head: headFromName(description.head),
  })
  return { directory, description, imageModel: model, state, ...(best && { best }) }
}

/** The trained model of a run, as far as it got: its best parameters where it validates, else the average where it keeps one, else the last. */
export function trainedOf({ imageModel, description, state, best }: Run): TrainedImage {
  return { ...imageModel, ...select(state, best), settings: description.settings, state }
}

function checkDescription(path: string, run: JsonObject): RunDescription {
  const fail = (what: string): never => {
    throw new InvalidCheckpointError(`${path}: ${what}. The file is damaged or was written by another program.`)
  }
  const description = run as unknown as RunDescription
  if (description.modality !== 'image') fail(`it is a run of ${JSON.stringify(description.modality ?? null)}, not of images`)
  for (const part of ['tokenizer', 'order', 'network', 'head'] as const) {
    if (typeof description[part]?.name !== 'string' || typeof description[part].options !== 'object') fail(`"${part}" has no name and options`)
  }
  const { data, validation } = description
  const numbers = [data?.images, data?.height, data?.width, data?.channels, data?.heldOut, data?.validation, data?.splitSeed, data?.binarizationSeed ?? 0]
  if (typeof data?.sha256 !== 'string' || !numbers.every((each) => typeof each === 'number' && each >= 0)) fail('"data" is incomplete')
  if (validation !== undefined && (!Number.isSafeInteger(validation?.everySteps) || data.validation === 0)) fail('"validation" is incomplete')
  return { ...description, settings: resolveSettings(description.settings ?? fail('"settings" is missing')) }
}
