/** The modalities, as the commands that are alike for all of them see them; and which one a run or a model is of. */
import { InvalidOptionError, type JsonObject, type ParameterArrays } from '@chainrule/core'
import type { Model } from '@chainrule/core/tensors'
import type { Bound, ExportOptions, Loaded, OpenOptions, Run, TrainedBound } from '@chainrule/modality'
import type { Command } from 'commander'
import { modalityAt } from './subject.js'
import { commandLine } from './wording.js'

export type ModalityName = 'text' | 'image' | 'audio'

/** A modality's package. */
export interface Package<L extends Loaded = Loaded> {
  readRun(directory: string): Promise<Run>
  loadModel(source: string, options?: OpenOptions): Promise<L>
  openTrained(trained: TrainedBound, options?: OpenOptions): Promise<L>
  recordTrained(trained: TrainedBound): Promise<Record<string, Uint8Array>>
  exportModel(trained: TrainedBound, directory: string, options: ExportOptions<never>): Promise<void>
  modelOf(loaded: L): Promise<Bound & { readonly parameters: ParameterArrays }>
  describeTraining(trained: TrainedBound): JsonObject
  readonly layouts: readonly string[]
  /** How far back its models look by attention, where they do. */
  contextOf?(model: Model): number | undefined
}

export interface Modality {
  /** Its models, as people call them. */
  readonly models: string
  /** What a variable and an x are called. */
  readonly nouns: readonly [variable: string, whole: string]
  /** Commands that show what an exported model can. */
  next(model: string): string[]
  /** Loaded when a command runs. */
  load(): Promise<Package>
}

export const modalities: Readonly<Record<ModalityName, Modality>> = {
  text: { models: 'language models', nouns: ['token', 'text'], next: (model) => [commandLine('sample', model, '--length', '400')], load: () => import('@chainrule/text') },
  image: { models: 'image models', nouns: ['variable', 'image'], next: (model) => [commandLine('sample', model, '--out', 'samples.png')], load: () => import('@chainrule/image') },
  audio: { models: 'sound models', nouns: ['frame', 'sound'], next: (model) => [commandLine('sample', model, '--out', 'sample.wav')], load: () => import('@chainrule/audio') },
}

/** @throws {InvalidDataError} where `path` is neither a run nor a model */
export async function modalityNameAt(path: string): Promise<ModalityName> {
  const modality = await modalityAt(path)
  // What says no modality is for the package of text to refuse, which names what it found.
  return modality === 'image' || modality === 'audio' ? modality : 'text'
}

/**
 * @param only the options of the command that not every modality has, by modality
 * @throws {InvalidOptionError} where one was given that the modality of `path` does not have
 */
export async function modalityOf(path: string, command: Command, only: Readonly<Record<ModalityName, readonly string[]>>): Promise<ModalityName> {
  const modality = await modalityNameAt(path)
  const own = only[modality]
  for (const [other, names] of Object.entries(only) as [ModalityName, readonly string[]][]) {
    const foreign = command.options.find((option) => names.includes(option.attributeName()) && !own.includes(option.attributeName()) && command.getOptionValueSource(option.attributeName()) === 'cli')
    if (foreign) throw new InvalidOptionError(`${foreign.long} belongs to ${modalities[other].models}; ${path} is one of the ${modalities[modality].models}. Leave it out.`)
  }
  return modality
}
