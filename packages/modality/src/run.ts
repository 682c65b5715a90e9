/**
 * A run: a directory that holds one checkpoint, which says everything about it: pieces, settings, data and what of it is not trained on.
 * With validation the best parameters lie beside it; the course of the training, for people and tools, is in metrics.jsonl.
 */
import { join } from 'node:path'
import { describe, InvalidCheckpointError, type JsonObject, type Piece } from '@chainrule/core'
import { type BestParameters, checkpointFile, readRunDirectory, type ResolvedSettings, resolveSettings, select, shapeDifference, type TrainingState, writeResults } from '@chainrule/train'
import { type Bound, boundFrom, type DescribedPieces, type Modality, type TrainedBound } from './modality.js'

/** What every run says of itself; `Data`: which data it learns from, as its modality tells it. */
export interface RunDescription<Name extends string = string, Data = JsonObject> extends DescribedPieces {
  readonly modality: Name
  readonly tokenizer: Piece
  /** Whether its texts are documents, which end; absent: they do not. */
  readonly documents?: boolean
  /** The variables of one training window, where it is trained on windows. */
  readonly window?: number
  readonly settings: ResolvedSettings
  readonly data: Data
  /** When the part for validation is measured, and how long nothing better may come; absent: it is not. */
  readonly validation?: { readonly everySteps: number; readonly patience?: number }
  /** The run or model that it began with: the name of its folder, and its updates. */
  readonly from?: { readonly name: string; readonly updates: number }
  /** The command that began it, paths by their last part; absent: no command did. */
  readonly command?: string
  /** What it reached, with units in the names; absent until training is complete and was evaluated. */
  readonly results?: JsonObject
}

/** A run, read back. */
export interface Run<B extends Bound = Bound, Description extends RunDescription<string, unknown> = RunDescription> {
  readonly directory: string
  readonly description: Description
  /** Its pieces, bound. */
  readonly model: B
  readonly state: TrainingState
  /** The best parameters by validation, where there was one. */
  readonly best?: BestParameters
}

/** Whatever of a description the pieces do not say. */
export type RunNotes<Name extends string, Data> = Pick<RunDescription<Name, Data>, 'documents' | 'window' | 'validation' | 'from' | 'command'>

export function describeBound<Name extends string, Data>({ modality, tokenizer, model }: Bound<Name>, settings: ResolvedSettings, data: Data, { documents, window, ...more }: RunNotes<Name, Data> = {}): RunDescription<Name, Data> {
  return {
    modality,
    tokenizer: describe(tokenizer),
    order: describe(model.order),
    network: describe(model.network),
    head: describe(model.head),
    ...(model.condition && { condition: describe(model.condition) }),
    ...(documents && { documents }),
    ...(window !== undefined && { window }),
    settings,
    data,
    ...more,
  }
}

/** Stores what a finished run reached with its checkpoint, for `inspect` and the card of the exported model. */
export async function recordResults(directory: string, { state }: Pick<TrainedBound, 'state'>, description: object, results: JsonObject): Promise<void> {
  // A description holds nothing but JSON; its interface cannot say so.
  await writeResults(directory, state, description as JsonObject, results)
}

/** What a modality finds wrong with the data that a run describes, and with its window; undefined: nothing. */
export type DataCheck<Description> = (description: Description) => string | undefined

/** @throws {InvalidCheckpointError | InvalidDataError} where there is no run, or its checkpoint is damaged or of another modality */
export async function readRunOf<Name extends string, Reading extends object, B extends Bound<Name>, Description extends RunDescription<Name, unknown>>(modality: Modality<Name, Reading, B>, directory: string, check: DataCheck<Description>): Promise<Run<B, Description>> {
  const { state, run, best } = await readRunDirectory(directory)
  const path = join(directory, checkpointFile)
  const fail = (what: string): never => {
    throw new InvalidCheckpointError(`${path}: ${what}. The file is damaged or was written by another program.`)
  }
  const stored = run as unknown as Description
  if (stored.modality !== modality.modality) fail(`it is a run of ${JSON.stringify(stored.modality ?? null)}, not of ${modality.of}`)
  for (const part of ['tokenizer', 'order', 'network', 'head'] as const) {
    if (typeof stored[part]?.name !== 'string' || typeof stored[part].options !== 'object') fail(`"${part}" has no name and options`)
  }
  if (stored.condition !== undefined && (typeof stored.condition?.name !== 'string' || typeof stored.condition.options !== 'object')) fail('"condition" has no name and options')
  if (stored.documents !== undefined && typeof stored.documents !== 'boolean') fail(`"documents" is ${JSON.stringify(stored.documents)}`)
  if (stored.window !== undefined && (!Number.isSafeInteger(stored.window) || stored.window < 1)) fail(`"window" is ${JSON.stringify(stored.window)}`)
  if (stored.validation !== undefined && !Number.isSafeInteger(stored.validation?.everySteps)) fail('"validation" is incomplete')
  const wrong = check(stored)
  if (wrong !== undefined) fail(wrong)
  const description = { ...stored, settings: resolveSettings(stored.settings ?? fail('"settings" is missing')) }
  const model = boundFrom(modality, modality.reading(description.tokenizer, description.documents === true), description)
  const misfit = shapeDifference(model.model, model.model.initialize(description.settings.seed), state.parameters)
  if (misfit) throw new InvalidCheckpointError(`${path}: its parameters are not those of its pieces: ${misfit}. It was written before ${description.network.name} or ${description.head.name} took these, or is damaged; train it anew.`)
  return { directory, description, model, state, ...(best && { best }) }
}

/** The trained model of a run, as far as it got: its best parameters where it validates, else the average where it keeps one, else the last. */
export function trainedOf<B extends Bound, Description extends RunDescription<string, unknown>>({ model, description, state, best }: Run<B, Description>): B & Omit<TrainedBound, keyof Bound | 'window'> & Pick<Description, 'window'> {
  const { settings, window } = description
  return { ...model, ...select(state, best), settings, state, ...(window !== undefined && { window }) } as ReturnType<typeof trainedOf<B, Description>>
}
