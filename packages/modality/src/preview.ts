/** Samples of a model in training: recorded in memory and run as an exported model is, so they cost about as much as an export. */
import { describe, type ParameterArrays } from '@chainrule/core'
import { recordModel } from '@chainrule/onnx'
import { type Loaded, openAs } from './loaded.js'
import type { Bound, Modality } from './modality.js'

/** Opens these parameters for `use`. */
export async function withParameters<Name extends string, Reading extends object, Result>(modality: Modality<Name, Reading, Bound<Name>>, { model, tokenizer }: Bound<Name>, parameters: ParameterArrays, threads: number | undefined, use: (loaded: Reading & Loaded<Name>) => Promise<Result>): Promise<Result> {
  const card = { data: {}, results: {}, training: {}, exportedAt: '' }
  const loaded = await openAs(modality, recordModel({ model, parameters, modality: modality.modality, tokenizer: describe(tokenizer), card }), { provider: 'cpu', threads })
  try {
    return await use(loaded)
  } finally {
    await loaded.release()
  }
}
