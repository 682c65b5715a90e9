/** From trained to opened, and back: what has just been trained is recorded to run it; what has been exported may be trained on. */
import type { ParameterArrays } from '@chainrule/core'
import * as shared from '@chainrule/modality'
import { recordTrained } from './export.js'
import { type LoadedImage, loadModel, type OpenOptions } from './loaded.js'
import { modality } from './modality.js'
import type { ImageModel, TrainedImage } from './model.js'

/** Opens a trained model without writing it to disk: recorded in memory, then as any exported one. */
export async function openTrained(trained: TrainedImage, options: OpenOptions = {}): Promise<LoadedImage> {
  return loadModel(await recordTrained(trained), options)
}

/** The pieces and the parameters of an opened model, to train on from. @throws {UnknownPieceError} for a piece that nothing here answers to */
export function modelOf(loaded: LoadedImage): Promise<ImageModel & { readonly parameters: ParameterArrays }> {
  return shared.modelOf(modality, loaded)
}
