/** Heads for pixels and patches: the chain rule within a variable, R → G → B or pixel by pixel. */
import { categorical, chained, type ChainedOptions, discretizedLogisticMixture, type Head } from '@chainrule/core/tensors'

/** Any distribution of a colour: p(r) p(g | r) p(b | r, g), a categorical each. 3V numbers a pixel; `rgbLogisticMixture` does with 10K. */
export const rgbCategorical = (options: ChainedOptions = {}): Head => chained(categorical(), options)

export interface PatchHeadOptions extends ChainedOptions {
  /** Components of each mixture (5). */
  components?: number
}

/** The components of a patch one after the other, a mixture of logistics each. */
export function patchHead({ components = 5, width = 128, ...unknown }: PatchHeadOptions = {}): Head {
  return chained(discretizedLogisticMixture({ components }), { width, ...unknown })
}
