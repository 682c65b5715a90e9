/** The head for frames: the samples of a frame one after the other, or all at once. */
import { chained, discretizedLogisticMixture, factorized, type Head } from '@chainrule/core/tensors'
import { InvalidOptionError, refuseUnknownOptions } from '@chainrule/core'

export interface FrameHeadOptions {
  /** Distribution of one sample: a mixture of 5 logistics where absent; categorical() suits few levels. */
  sample?: Head
  /** Units of the small network over the samples of a frame (128). */
  width?: number
  /** How it reads the samples before: as numbers, or each value by a vector; as `chained` where absent. */
  input?: 'scaled' | 'embedding'
  /** True: samples of a frame are independent given all frames before it, which changes p; to compare with (false). */
  independent?: boolean
}

/** p(frame) = ∏ⱼ p(sample j | samples before it in the frame, h): the exact likelihood of SampleRNN (Mehri et al. 2017, arXiv 1612.07837). */
export function frameHead(options: FrameHeadOptions = {}): Head {
  refuseUnknownOptions('frameHead', options, ['sample', 'width', 'input', 'independent'])
  const { sample = discretizedLogisticMixture({ components: 5 }), independent = false } = options
  if (typeof independent !== 'boolean') throw new InvalidOptionError(`frameHead: independent must be true or false, got ${String(independent)}.`)
  if (!independent) return chained(sample, { width: options.width ?? 128, ...(options.input !== undefined && { input: options.input }) })
  const foreign = (['width', 'input'] as const).find((name) => options[name] !== undefined)
  if (foreign) throw new InvalidOptionError(`frameHead: ${foreign} belongs to the network over the samples, which independent ones do without. Leave it out.`)
  return factorized(sample)
}
