/** A run of an image model: which images it learns from, and how they were split. */
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import * as shared from '@chainrule/modality'
import type { ResolvedSettings } from '@chainrule/train'
import type { ImageSet } from './image.js'
import { modality } from './modality.js'
import type { ImageModel } from './model.js'
import type { SplitOptions } from './split.js'

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
  /** Of the labels of all images, where the model is told them. */
  readonly labelsSha256?: string
}

export type RunDescription = shared.RunDescription<'image', RunData>

/** A run, read back. */
export type Run = shared.Run<ImageModel, RunDescription>

/** How images in their order are recognised again: by size and intensities; labels do not count. */
export function fingerprint(images: ImageSet): string {
  const hash = createHash('sha256')
  for (let i = 0; i < images.length; i++) {
    const { height, width, channels, data } = images.at(i)!
    hash.update(`${height} ${width} ${channels} `).update(data)
  }
  return hash.digest('hex')
}

/** How labels are recognised again. */
export function labelsFingerprint(images: ImageSet): string {
  return createHash('sha256').update(Array.from({ length: images.length }, (_, i) => images.at(i)!.label ?? '').join(' ')).digest('hex')
}

export function describeData(path: string, images: ImageSet, { heldOut, validation = 0, seed }: SplitOptions, more: Pick<RunData, 'resized' | 'binarizationSeed' | 'labelsSha256'> = {}): RunData {
  const { height, width, channels } = images.at(0)!
  return { file: basename(path), sha256: fingerprint(images), images: images.length, height, width, channels, heldOut, validation, splitSeed: seed, ...more }
}

export function describeRun(imageModel: ImageModel, settings: ResolvedSettings, data: RunData, more: Pick<RunDescription, 'validation' | 'from' | 'command'> = {}): RunDescription {
  return shared.describeBound(imageModel, settings, data, more)
}

/** @throws {InvalidCheckpointError | InvalidDataError} where there is no run, or its checkpoint is damaged */
export function readRun(directory: string): Promise<Run> {
  return shared.readRunOf(modality, directory, ({ data, validation }: RunDescription) => {
    const numbers = [data?.images, data?.height, data?.width, data?.channels, data?.heldOut, data?.validation, data?.splitSeed, data?.binarizationSeed ?? 0]
    if (typeof data?.sha256 !== 'string' || typeof (data.labelsSha256 ?? '') !== 'string' || !numbers.every((each) => typeof each === 'number' && each >= 0)) return '"data" is incomplete'
    return validation !== undefined && data.validation === 0 ? '"validation" is incomplete' : undefined
  })
}
