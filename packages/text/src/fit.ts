/** `fit` and `plan` for text. */
import { InvalidOptionError, refuseUnknownOptions, UnsupportedError, wholeNumber } from '@chainrule/core'
import { fitBound, type FitOptions, planBound, type PlanOptions } from '@chainrule/modality'
import type * as training from '@chainrule/train'
import { endOf, encodeText, partOf, type TextData, textsOf } from './documents.js'
import { contextOf, type TextModel, type TrainedText } from './model.js'
import { previewOf, previewOptions, type PreviewTextOptions } from './preview.js'
import { documentWindows, evaluationWindows, trainingWindows } from './windows.js'

/** Text that is not trained on, measured in windows as by `evaluate`. */
export interface TextValidationOptions extends Omit<training.ValidationOptions, 'data'> {
  /** One text, or documents. */
  readonly text: TextData
  /** The part of it, as for `evaluate`. */
  readonly begin?: number
  readonly end?: number
}

export interface PlanTextOptions extends PlanOptions {
  /** Tokens of one training window; the network's context by default. */
  window?: number
}

export interface FitTextOptions extends FitOptions, PlanTextOptions {
  validation?: TextValidationOptions
  /** A short sample every so often. */
  preview?: PreviewTextOptions
}

/**
 * Trains on one text; a model of documents on a list of them (one text is one document).
 * @throws {InvalidDataError} for a text with unknown characters or, where it is no document, shorter than a window
 * @throws {InvalidOptionError} where `from` is another model or has another tokenizer; for a list where the model's text has no end
 * @throws {UnsupportedError} for documents where the network cannot take them side by side
 */
export async function fit(textModel: TextModel, text: TextData, options: FitTextOptions): Promise<TrainedText> {
  if (typeof options !== 'object') throw new InvalidOptionError(`fit: expected options, with the number of updates at least: { steps: 300 }; got ${typeof options}.`)
  const { window: asked, validation, preview, ...rest } = options
  const window = windowOf(textModel, asked)
  if (preview) {
    refuseUnknownOptions('preview', preview, previewOptions)
    textModel.tokenizer.encode(preview.prompt ?? '') // or it would fail after hours
  }
  const trained = await fitBound(textModel, rest, {
    data: trainingData(textModel, text, window),
    length: window,
    ...(validation && { validation: validationOf(textModel, validation, window) }),
    ...(preview && { preview: { everySteps: preview.everySteps, show: async (parameters, step) => preview.show(await previewOf(textModel, parameters, preview, rest.threads), step) } }),
  })
  return { ...trained, window }
}

/** What a training is going to take: parameters, arithmetic, memory, time. Makes and forgets a few updates where `state` knows no rate. */
export function plan(textModel: TextModel, { window, ...rest }: PlanTextOptions): Promise<training.Plan> {
  return planBound(textModel, rest, windowOf(textModel, window))
}

function trainingData(textModel: TextModel, text: TextData, window: number): training.Data {
  const texts = textsOf(textModel, text, 'fit').map((each) => encodeText(textModel, each))
  const end = endOf(textModel)
  if (end === undefined) return { ...trainingWindows(texts[0], window), sequences: texts }
  const { model } = textModel
  if (!model.boundNetwork.packs) throw new UnsupportedError(`fit: ${model.network.name} cannot take documents side by side. Use transformer() or recurrent(), or a model without documents.`)
  const tokens = new Int32Array(texts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const each of texts) {
    tokens.set(each, at)
    at += each.length
  }
  return { ...documentWindows(tokens, end, window), sequences: texts }
}

function windowOf({ model }: TextModel, asked: number | undefined): number {
  const window = asked ?? contextOf(model)
  if (window === undefined) throw new InvalidOptionError(`fit: ${model.network.name} has no context of its own; say how many tokens a training window has (window).`)
  return wholeNumber('fit', 'window', window)
}

function validationOf(textModel: TextModel, { text, begin, end, ...rest }: TextValidationOptions, window: number): training.ValidationOptions {
  return { ...rest, data: evaluationWindows(partOf(textModel, text, begin, end).stretches, window) }
}
