/**
 * What narrows the distribution that samples are drawn from, beside the temperature; likelihoods are untouched. In this order,
 * each on what the one before has left:
 *
 *   repetitionPenalty r   the logit l of a value that occurred before becomes l / r where l > 0, else l r
 *   (temperature)
 *   topK k                the k likeliest values stay
 *   topP P                the fewest likeliest values stay whose probability is at least P together
 *   minP m                values stay whose probability is at least m times that of the likeliest
 *
 * Of equally likely values the lower one counts as likelier. The likeliest value always stays. What stays is divided by its sum.
 */
import { finiteNumber, InvalidOptionError, UnsupportedError, wholeNumber } from './errors.js'

export interface SamplingFilters {
  /** Whole number; 0 keeps all. */
  topK?: number
  /** Above 0, at most 1; 1 keeps all. */
  topP?: number
  /** 0 … 1; 0 keeps all. */
  minP?: number
  /** Above 0; above 1, what occurred becomes less likely, below 1 likelier; 1 changes nothing. */
  repetitionPenalty?: number
}

export type SamplingFilterName = keyof SamplingFilters

/** Everything off. */
export const noSamplingFilters: Readonly<Required<SamplingFilters>> = { topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 }
export const samplingFilterNames = Object.keys(noSamplingFilters) as SamplingFilterName[]

/** Those that leave out values, whatever came before: of variables of several components they act on each one's distribution given the ones before it. */
export const truncations = ['topK', 'topP', 'minP'] as const satisfies readonly SamplingFilterName[]

/**
 * The filters among an options object, those that are absent off.
 * @param supported what the model's head knows
 * @param head its name
 * @throws {InvalidOptionError} for a number out of range
 * @throws {UnsupportedError} for a filter that the head does not know
 */
export function checkSamplingFilters(owner: string, options: SamplingFilters, supported: readonly SamplingFilterName[], head = 'without a name'): Required<SamplingFilters> {
  const foreign = samplingFilterNames.find((name) => options[name] !== undefined && !supported.includes(name))
  if (foreign) throw new UnsupportedError(`${owner}: the model's head, ${head}, does not know ${foreign}; it knows ${supported.join(', ') || 'no sampling filter'} here. Leave ${foreign} out, or use temperature.`)
  const { topK = 0, topP = 1, minP = 0, repetitionPenalty = 1 } = options
  wholeNumber(owner, 'topK', topK, 0, 2 ** 31 - 1)
  // As float32, in which they reach the graph.
  if (!(Math.fround(finiteNumber(owner, 'topP', topP, 0, 1)) > 0)) throw new InvalidOptionError(`${owner}: topP must be above 0 and at most 1, got ${topP}. For the likeliest value alone use topK: 1.`)
  finiteNumber(owner, 'minP', minP, 0, 1)
  const penalty = Math.fround(repetitionPenalty)
  if (typeof repetitionPenalty !== 'number' || !(penalty > 0) || !Number.isFinite(penalty)) {
    throw new InvalidOptionError(`${owner}: repetitionPenalty must be a finite number above 0, got ${String(repetitionPenalty)}. 1 changes nothing; 1.1 is mild.`)
  }
  return { topK, topP, minP, repetitionPenalty }
}
