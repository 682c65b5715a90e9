/** What the likelihood of images amounts to, in one line. */
import type { JsonObject } from '@chainrule/core'
import type { ImageEvaluation } from '@chainrule/image'

export function imageLikelihood({ nats, natsStandardError, bitsPerDimension, bound }: ImageEvaluation): string {
  const error = natsStandardError === undefined ? '' : ` ± ${natsStandardError.toFixed(2)}`
  return `${bound ? 'at most ' : ''}${nats.toFixed(3)}${error} nats per image, ${bitsPerDimension.toFixed(4)} bits per dimension`
}

/** What goes into the run and the card of the exported model. */
export const resultsOf = ({ nats, natsStandardError, bitsPerDimension, dimensions, examples, largestError, bound }: ImageEvaluation): JsonObject => ({
  part: 'held out',
  natsPerImage: nats,
  ...(natsStandardError !== undefined && { natsPerImageStandardError: natsStandardError }),
  bitsPerDimension,
  dimensions,
  images: examples,
  ...(bound && { bound }),
  ...(largestError !== undefined && { largestErrorOfIntensities: largestError }),
})
