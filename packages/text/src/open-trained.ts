/** From trained to opened, and back: what has just been trained is recorded to run it; what has been exported may be trained on. */
import type { ParameterArrays } from '@chainrule/core'
import * as shared from '@chainrule/modality'
import { recordTrained } from './export.js'
import { type LoadedText, loadModel, type OpenOptions } from './loaded.js'
import { modality } from './modality.js'
import type { TextModel, TrainedText } from './model.js'

/** Opens a trained model without writing it to disk: recorded in memory, then as any exported one. */
export async function openTrained(trained: TrainedText, options: OpenOptions = {}): Promise<LoadedText> {
  return loadModel(await recordTrained(trained), options)
}

/** The pieces and the parameters of an opened model, to train on from. @throws {UnknownPieceError} for a piece that nothing here answers to */
export function modelOf(loaded: LoadedText): Promise<TextModel & { readonly parameters: ParameterArrays }> {
  return shared.modelOf(modality, loaded)
}
