/** A run of a sound model: which sounds it learns from, and how they were split. */
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import * as shared from '@chainrule/modality'
import type { ResolvedSettings } from '@chainrule/train'
import { modality } from './modality.js'
import type { AudioModel } from './model.js'
import { type AnySound, readerOf } from './sound.js'
import type { SplitOptions } from './split.js'

/** Which sounds were trained on. */
export type RunData = {
  readonly file: string
  readonly sha256: string
  /** How many sounds there are, a long recording counted once for each stretch of it. */
  readonly sounds: number
  readonly samples: number
  readonly sampleRateHz: number
  /** Of the longest stretch. */
  readonly stretchSeconds: number
  /** As for `splitSounds`. */
  readonly heldOut: number
  readonly validation: number
  readonly splitSeed: number
  /** Of the labels of all sounds, where the model is told them. */
  readonly labelsSha256?: string
}

export interface RunDescription extends shared.RunDescription<'audio', RunData> {
  /** The frames of one training window. */
  readonly window: number
}

/** A run, read back. */
export type Run = shared.Run<AudioModel, RunDescription>

/** Samples that are hashed at a time. */
const pieceLength = 2 ** 20

/** How sounds in their order are recognised again: by rate, lengths and samples. */
export function fingerprint(sounds: readonly AnySound[]): string {
  const hash = createHash('sha256')
  for (const sound of sounds) {
    const { sampleRateHz, length, samples } = readerOf(sound)
    hash.update(`${sampleRateHz} ${length} `)
    for (let begin = 0; begin < length; begin += pieceLength) hash.update(samples(begin, Math.min(length, begin + pieceLength)))
  }
  return hash.digest('hex')
}

/** How labels are recognised again. */
export function labelsFingerprint(sounds: readonly AnySound[]): string {
  return createHash('sha256').update(sounds.map(({ label }) => label ?? '').join(' ')).digest('hex')
}

export function describeData(path: string, sounds: readonly AnySound[], { heldOut, validation = 0, seed }: SplitOptions, stretchSeconds: number, more: Pick<RunData, 'labelsSha256'> = {}): RunData {
  const readers = sounds.map(readerOf)
  return {
    file: basename(path),
    sha256: fingerprint(sounds),
    sounds: sounds.length,
    samples: readers.reduce((sum, { length }) => sum + length, 0),
    sampleRateHz: readers[0].sampleRateHz,
    stretchSeconds,
    heldOut,
    validation,
    splitSeed: seed,
    ...more,
  }
}

export function describeRun(audioModel: AudioModel, window: number, settings: ResolvedSettings, data: RunData, more: Pick<RunDescription, 'validation' | 'from' | 'command'> = {}): RunDescription {
  return { ...shared.describeBound(audioModel, settings, data, { window, ...more }), window }
}

/** @throws {InvalidCheckpointError | InvalidDataError} where there is no run, or its checkpoint is damaged */
export function readRun(directory: string): Promise<Run> {
  return shared.readRunOf(modality, directory, ({ window, data, validation }: RunDescription) => {
    if (window === undefined) return '"window" is missing'
    const numbers = [data?.sounds, data?.samples, data?.sampleRateHz, data?.stretchSeconds, data?.heldOut, data?.validation, data?.splitSeed]
    if (typeof data?.sha256 !== 'string' || typeof (data.labelsSha256 ?? '') !== 'string' || !numbers.every((each) => typeof each === 'number' && each >= 0)) return '"data" is incomplete'
    return validation !== undefined && data.validation === 0 ? '"validation" is incomplete' : undefined
  })
}
