/** Models exported in memory and opened again, and their samplers as the laws want them. */
import type { Sampler } from '@chainrule/conformance'
import type { ParameterArrays } from '@chainrule/core'
import type { Model } from '@chainrule/core/tensors'
import { recordModel } from '@chainrule/onnx'
import { type OpenModel, openModel, type SamplerName } from '@chainrule/runtime'

/** A sampler of an opened model, as the laws want it. */
export function samplerOf(opened: OpenModel, sampler: SamplerName): Sampler {
  return async ({ length, given, isGiven, ...options }) => {
    const { nats, ...drawn } = await opened.sample({
      ...options,
      sampler,
      ...(opened.manifest.domain.length === 'variable' && { length }),
      ...(given && isGiven && { given: { values: given, isGiven } }),
    })
    return { ...drawn, logProbability: nats.map((value) => -value) }
  }
}

export async function exported(model: Model, parameters: ParameterArrays): Promise<OpenModel> {
  const files = recordModel({
    model,
    parameters,
    modality: 'law',
    tokenizer: { name: 'none', options: {} },
    card: { data: {}, results: {}, training: {}, exportedAt: new Date(0).toISOString() },
  })
  return openModel(files, { provider: 'cpu' })
}
