/** From trained to opened, and back: what has just been trained is recorded to run it; what has been exported may be trained on. */
import { orderFromName, type ParameterArrays } from '@chainrule/core'
import { headFromName } from '@chainrule/core/tensors'
import { networkFromName } from '@chainrule/networks'
import { recordTrained } from './export.js'
import { type LoadedImage, loadModel, type OpenOptions } from './loaded.js'
import { type ImageModel, imageModel, type TrainedImage } from './model.js'

/** Opens a trained model without writing it to disk: recorded in memory, then as any exported one. */
export async function openTrained(trained: TrainedImage, options: OpenOptions = {}): Promise<LoadedImage> {
  return loadModel(await recordTrained(trained), options)
}

/** The pieces and the parameters of an opened model, to train on from. @throws {UnknownPieceError} for a piece that nothing here answers to */
export async function modelOf({ tokenizer, manifest, opened }: LoadedImage): Promise<ImageModel & { readonly parameters: ParameterArrays }> {
  const { order, network, head } = manifest
  const model = imageModel({ tokenizer, order: orderFromName(order), network: networkFromName(network), head: headFromName(head) })
  return { ...model, parameters: await opened.parameters() }
}
