/** `fit` and `plan` of every modality: its data is made into examples by itself, all else is alike. */
import { describe, InvalidOptionError, type JsonObject, type ParameterArrays, type Piece } from '@chainrule/core'
import type { Engine } from '@chainrule/core/tensors'
import { onnx } from '@chainrule/onnx'
import * as training from '@chainrule/train'
import type { Bound, TokenizerPiece } from './modality.js'

export interface PlanOptions extends training.TrainingSettings {
  /** Default: the recorded program on onnxruntime. */
  engine?: Engine
  /** Threads of the default engine. */
  threads?: number
  /** Where to go on from; absent: a new training. */
  state?: training.TrainingState
}

/** A trained model: its parameters are taken, its tokenizer must be the same. */
export interface Beginning {
  readonly tokenizer: TokenizerPiece
  readonly parameters: ParameterArrays
}

export interface FitOptions extends PlanOptions {
  signal?: AbortSignal
  /** Called after every update. */
  onProgress?: (progress: training.TrainingProgress) => void
  /** The best parameters so far, where `state` has validated. */
  best?: training.BestParameters
  /** Fine-tuning: a model of the same pieces, or its parameters, to begin with. */
  from?: ParameterArrays | Beginning
  /** Where to keep checkpoints; `run` is stored with them. */
  checkpoint?: Omit<training.CheckpointOptions, 'run'> & { readonly run?: object }
  /** Where to write one line of numbers for each update. */
  metrics?: training.MetricsOptions
}

/** What a modality makes of its own options. */
export interface FitParts {
  readonly data: training.Data
  /** Variables of one example, where the domain's length is variable. */
  readonly length?: number
  readonly validation?: training.ValidationOptions
  readonly preview?: training.PreviewOptions
}

/** @throws {InvalidOptionError} where `from` is another model or has another tokenizer; and as `fit` of the training does */
export async function fitBound<B extends Bound>(bound: B, { engine, threads, checkpoint, from, ...rest }: FitOptions, { data, ...parts }: FitParts): Promise<B & training.Trained> {
  const trained = await training.fit(bound.model, data, {
    ...rest,
    ...parts,
    engine: engine ?? onnx({ threads }),
    ...(from && { from: parametersFrom(bound, from) }),
    // A description holds nothing but JSON; its interface cannot say so.
    ...(checkpoint && { checkpoint: { ...checkpoint, run: (checkpoint.run ?? {}) as JsonObject } }),
  })
  return { ...bound, ...trained }
}

/** What a training is going to take: parameters, arithmetic, memory, time. Makes and forgets a few updates where `state` knows no rate. */
export async function planBound({ model }: Bound, { engine, threads, ...rest }: PlanOptions, length?: number): Promise<training.Plan> {
  return training.plan(model, { ...rest, engine: engine ?? onnx({ threads }), ...(length !== undefined && { length }) })
}

function parametersFrom({ tokenizer }: Bound, from: ParameterArrays | Beginning): ParameterArrays {
  if (!isBeginning(from)) return from
  const [own, given] = [tokenizer, from.tokenizer].map((each) => JSON.stringify(describe(each)))
  const shown = ({ name, domain: { length, values } }: TokenizerPiece) => `${name}, ${length === 'variable' ? '' : `${length} variables, `}${values} values`
  if (own !== given) throw new InvalidOptionError(`fit: from has another tokenizer (${shown(from.tokenizer)}; this model: ${shown(tokenizer)}). The same numbers would mean something else: build this model with the tokenizer of from.`)
  return from.parameters
}

const isBeginning = (from: ParameterArrays | Beginning): from is Beginning => typeof (from.tokenizer as Partial<Piece> | undefined)?.name === 'string'
