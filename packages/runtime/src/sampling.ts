/**
 * The verbs that generate: `sample` (many at once), `stream` (one, as it grows) and `replay` (the sampler follows a
 * sequence that another one drew). Options are checked here. Axes: N samples, n variables, C components.
 */
import {
  checkEnded,
  checkSamplingFilters,
  checkSeed,
  type ConditionValues,
  emptyValues,
  endedLength,
  InvalidDataError,
  InvalidOptionError,
  manifestCondition,
  type ModelManifest,
  refuseUnknownOptions,
  type ResolvedOrder,
  samplingFilterNames,
  type SamplingFilters,
  toGenerationOrder,
  toPositions,
  UnsupportedError,
  type Values,
  wholeNumber,
} from '@chainrule/core'
import { type ConditionFeeds, sequenceConditions } from './condition.js'
import { beginning, type Cursor, repeated, withSeen } from './cursor.js'
import { columns, generate, type Given } from './generation.js'
import type { Graphs } from './graphs.js'
import { checkLongest, checkValues, isValues, type Progress, readSequence, valuesName } from './scoring.js'
import { chosenSampler, type SamplerName, samplers } from './samplers.js'

/**
 * Values that stay as they are; only the others are drawn. Either array may be for one sample only: then all share it.
 * A sample that has ended before a given value stays ended.
 */
export interface GivenValues {
  /** [N or 1, n, C], by position. */
  values: Values
  /** [N or 1, n], 1: given; elsewhere `values` is not looked at. */
  isGiven: Uint8Array
}

/** With filters, which only some heads know: `model.manifest.samplingFilters`. `nats` stay those of the model itself. */
interface CommonOptions extends SamplingFilters {
  /** 0 … 2³² − 1. The same seed draws the same numbers, in whatever batches. */
  seed: number
  /** > 0; 1 samples from the model, less is more cautious. `nats` are those of temperature 1. */
  temperature?: number
  /** [p, C], variable length only: what all samples begin with, without an end. Noise counts positions from its first variable. */
  prompt?: Values
  /**
   * What the model is told: labels [N], or a control sequence [N, n] or [N, n, K] by position, the prompt's variables first; or of one sample,
   * shared by all. Of models with a condition, and needed there.
   */
  condition?: ConditionValues
  /**
   * Absent: the fastest one. 'waves': whole samples, many variables at once, where the model can (`model.manifest.sampling` says). 'graph': the
   * whole loop over variables in onnxruntime. 'steps': the slow twin of both, one run for each variable. All draw the same, but for rounding.
   */
  sampler?: SamplerName
  signal?: AbortSignal
}

export interface SampleOptions extends CommonOptions {
  /** N. */
  count?: number
  /** n, variable length only, and required there: how many variables to draw after the prompt; of a model whose x ends, at most. */
  length?: number
  given?: GivenValues
  /** The address of the first sample in the noise: samples 10 … 19 of a seed are the same in one call or another. */
  firstSample?: number
  /** Samples drawn in one run; it changes memory and speed only. */
  batchSize?: number
  onProgress?(progress: Progress): void
}

export interface Samples {
  /** [N, n, C], by position, without the prompt. */
  readonly values: Values
  /** [N, n]: −log p of each variable, in nats, at temperature 1. */
  readonly nats: Float32Array
  /** [N, n, C]: what the noise picks, given or not. */
  readonly drawn: Values
  /** [N, n]: how far the noise lies outside the CDF interval of the values kept; 0 = inside. */
  readonly distance: Float32Array
  /** [N], models whose x ends only: the variables of each sample, its end included where it was reached; after it `values` holds `end`. */
  readonly lengths?: Int32Array
}

export interface StreamOptions extends CommonOptions {
  /** Variable length only: how many variables at most; absent: until the consumer stops, or the model has reached the most that it takes. An end, where there is one, is the last. */
  length?: number
  /** Fixed length only. */
  given?: GivenValues
  /** B, 1 where absent: samples that grow side by side. */
  count?: number
  /** The address of the first sample in the noise. */
  firstSample?: number
}

export interface StreamChunk {
  /** The rank of the first of its S variables: how many came before, the prompt not counted. */
  readonly firstRank: number
  /** [B, S, C], in the order of generation; of a model whose x ends, `end` after the end of a sample. */
  readonly values: Values
  /** [B, S] */
  readonly nats: Float32Array
}

export interface ReplayOptions extends Omit<SampleOptions, 'given'> {
  /** [N, n, C], by position: what another sampler drew from the same seed, `firstSample` and temperature. */
  values: Values
}

/** Steps in stretch number `which`, between two looks at the signal: few at first, so that a stream begins at once. `sample` has the same ones, so that both round alike. */
const stretchLength = (which: number) => Math.min(64, 4 * 2 ** which)
const mostSamples = 2 ** 32

function checkCommon(owner: string, { domain, head, samplingFilters = [] }: ModelManifest, options: CommonOptions) {
  const { seed, temperature = 1, prompt, sampler } = options
  checkSeed(owner, seed)
  if (typeof temperature !== 'number' || !(Math.fround(temperature) > 0) || !Number.isFinite(Math.fround(temperature))) {
    throw new InvalidOptionError(`${owner}: temperature must be a finite number above 0, got ${String(temperature)}. For the most probable values use a small one, 0.01 say.`)
  }
  if (sampler !== undefined && !Object.hasOwn(samplers, sampler)) throw new InvalidOptionError(`${owner}: sampler must be one of ${Object.keys(samplers).join(', ')}, got ${JSON.stringify(sampler)}.`)
  if (prompt !== undefined) {
    if (domain.length !== 'variable') throw new UnsupportedError(`${owner}: a prompt belongs to models of variable length; this one has ${domain.length} variables. Pass the known ones as given.`)
    if (!isValues(domain, prompt) || prompt.length % domain.components) throw new InvalidOptionError(`${owner}: prompt must be ${valuesName(domain)} of whole variables (${domain.components} components each).`)
    checkValues(owner, 'prompt', prompt, domain, prompt.length / domain.components)
    if (domain.end !== undefined && prompt.includes(domain.end)) throw new InvalidDataError(`${owner}: prompt ends (${domain.end}) at variable ${prompt.indexOf(domain.end)}; nothing can follow. Leave the end out.`)
  }
  return { seed, temperature, filters: checkSamplingFilters(owner, options, samplingFilters, head.name), prompt }
}

/** Checks given values; the result gives those of samples first … first + B − 1, in the order of generation. */
function givenOf(owner: string, { values: all, isGiven }: GivenValues, { domain }: ModelManifest, order: ResolvedOrder, N: number, n: number): (first: number, B: number) => Given {
  const C = domain.components
  const sizes = (width: number) => (N === 1 ? `${n * width}` : `${n * width} (shared) or ${N * n * width}`)
  const fits = (array: Values | Uint8Array, width: number) => array.length === n * width || array.length === N * n * width
  if (!isValues(domain, all) || !fits(all, C)) throw new InvalidOptionError(`${owner}: given.values must be ${valuesName(domain)} of ${sizes(C)} numbers, got ${(all as Values | undefined)?.length}.`)
  if (!(isGiven instanceof Uint8Array) || !fits(isGiven, 1)) throw new InvalidOptionError(`${owner}: given.isGiven must be a Uint8Array of ${sizes(1)} entries, got ${isGiven?.length}.`)
  const row = <A extends Values | Uint8Array>(rows: A, sample: number, length: number) => rows.subarray(rows.length === length ? 0 : sample * length, rows.length === length ? length : (sample + 1) * length) as A
  const kept = (sample: number): Given => {
    const known = row(isGiven, sample, n)
    const values = row(all, sample, n * C).slice()
    known.forEach((flag, variable) => !flag && values.fill(0, variable * C, (variable + 1) * C))
    return { values, isGiven: known.map((flag) => (flag ? 1 : 0)) }
  }
  for (let sample = 0; sample < N; sample++) {
    const { values, isGiven } = kept(sample)
    checkValues(owner, 'given.values', values, domain, n)
    // Only what is given beside an end can contradict it.
    if (domain.end !== undefined) checkEnded(values, domain.end, `${owner}: given.values of sample ${sample}`, isGiven.map((flag, at) => (flag && isGiven[at - 1] ? 0 : 1)))
  }
  return (first, B) => {
    const result = { values: emptyValues(domain, B * n * C), isGiven: new Uint8Array(B * n) }
    for (let b = 0; b < B; b++) {
      const ofSample = kept(first + b)
      result.values.set(toGenerationOrder(ofSample.values, C, order), b * n * C)
      result.isGiven.set(toGenerationOrder(ofSample.isGiven, 1, order), b * n)
    }
    return result
  }
}

/** The cursor of a batch after the prompt, which all have in common. The slow twin reads it slowly, too: it must not lean on the score's graph. */
async function afterPrompt(owner: string, graphs: Graphs, manifest: ModelManifest, { prompt: row, filters }: ReturnType<typeof checkCommon>, sampler: SamplerName, batch: number, condition: ConditionFeeds, signal?: AbortSignal): Promise<Cursor> {
  const start = beginning(manifest, batch)
  if (!row?.length) return start
  const prompt = emptyValues(manifest.domain, batch * row.length)
  for (let b = 0; b < batch; b++) prompt.set(row, b * row.length)
  if (sampler === 'graph') return withSeen((await readSequence(graphs, manifest, start, prompt, condition, owner, signal)).cursor, row)
  const steps = row.length / manifest.domain.components
  const uniforms = new Float32Array(prompt.length * manifest.uniformsPerComponent).fill(0.5)
  return (await samplers[sampler](graphs, manifest, start, { steps, uniforms, given: prompt, isGiven: new Uint8Array(batch * steps).fill(1), condition: condition(0, steps), temperature: 1, filters })).cursor
}

/** What a verb returns for each variable, and how many numbers per component or variable. */
const parts = (C: number) => [['values', C], ['nats', 1], ['drawn', C], ['distance', 1]] as const

const commonNames = ['seed', 'temperature', ...samplingFilterNames, 'prompt', 'condition', 'sampler', 'signal', 'length', 'firstSample']

/**
 * Draws samples: x_π(0), x_π(1), … by ancestral sampling.
 * @throws {InvalidOptionError | InvalidDataError | UnsupportedError | InterruptedError}
 */
export async function sample(graphs: Graphs, manifest: ModelManifest, order: ResolvedOrder, options: SampleOptions, owner = 'sample'): Promise<Samples> {
  refuseUnknownOptions(owner, options, [...commonNames, 'count', 'given', 'batchSize', 'onProgress'])
  const common = checkCommon(owner, manifest, options)
  const { prompt, seed, temperature, filters } = common
  const sampler = chosenSampler(owner, manifest, filters, options.sampler)
  const { domain } = manifest
  const C = domain.components
  const N = wholeNumber(owner, 'count', options.count ?? 1)
  const firstSample = wholeNumber(owner, 'firstSample', options.firstSample ?? 0, 0, mostSamples - N)
  const batchSize = wholeNumber(owner, 'batchSize', options.batchSize ?? 64)
  if (domain.length !== 'variable' && options.length !== undefined && options.length !== domain.length) {
    throw new InvalidOptionError(`${owner}: the model's samples have ${domain.length} variables, got length ${options.length}. Leave length out.`)
  }
  const n = domain.length === 'variable' ? wholeNumber(owner, 'length', options.length) : domain.length
  checkLongest(owner, manifest, (prompt?.length ?? 0) / C + n)
  const given = options.given && givenOf(owner, options.given, manifest, order, N, n)
  const { signal, onProgress } = options
  const conditions = sequenceConditions(owner, manifest, options.condition, N, (prompt?.length ?? 0) / C + n, order)
  const read = prompt?.length && conditions.isShared ? await afterPrompt(owner, graphs, manifest, common, sampler, 1, conditions.of(0, 1), signal) : undefined
  const { end } = domain
  const result = { values: emptyValues(domain, N * n * C).fill(end ?? 0), nats: new Float32Array(N * n), drawn: emptyValues(domain, N * n * C).fill(end ?? 0), distance: new Float32Array(N * n) }
  let done = 0
  for (let first = 0; first < N; first += batchSize) {
    const B = Math.min(batchSize, N - first)
    const condition = conditions.of(first, B)
    const stretches = generate({
      graphs,
      manifest,
      order,
      cursor: read ? repeated(read, manifest.state, B) : await afterPrompt(owner, graphs, manifest, common, sampler, B, condition, signal),
      length: n,
      firstPosition: (prompt?.length ?? 0) / C,
      seed,
      firstSample: firstSample + first,
      temperature,
      filters,
      given: given?.(first, B),
      condition,
      sampler,
      stretchLength: sampler === 'waves' ? () => n : stretchLength,
      signal,
      owner,
    })
    for await (const { start, steps, ...drawn } of stretches) {
      for (let b = 0; b < B; b++) {
        for (const [name, width] of parts(C)) {
          result[name].set(drawn[name].subarray(b * steps * width, (b + 1) * steps * width), ((first + b) * n + start) * width)
        }
      }
      onProgress?.({ done: (done += B * steps), total: N * n })
    }
    // All ended before the most that was asked for.
    if (done < (first + B) * n) onProgress?.({ done: (done = (first + B) * n), total: N * n })
  }
  if (end !== undefined) return { ...result, lengths: Int32Array.from({ length: N }, (_, which) => endedLength(result.values.subarray(which * n, (which + 1) * n), end)) }
  if (order.isLeftToRight) return result
  for (const [name, width] of parts(C)) {
    for (let which = 0; which < N; which++) {
      const rows = result[name].subarray(which * n * width, (which + 1) * n * width)
      rows.set(toPositions(rows, width, order))
    }
  }
  return result
}

/**
 * Draws samples, one if nothing else is said, and yields them as they grow, in the order of generation; a consumer that stops taking
 * stops the work. The same values as `sample` with the same seed, prompt and given values.
 * @throws {InvalidOptionError | InvalidDataError | UnsupportedError | InterruptedError}
 */
export function stream(graphs: Graphs, manifest: ModelManifest, order: ResolvedOrder, options: StreamOptions): AsyncGenerator<StreamChunk, void, undefined> {
  const owner = 'stream'
  refuseUnknownOptions(owner, options, [...commonNames, 'count', 'given'])
  const common = checkCommon(owner, manifest, options)
  const { prompt, ...settings } = common
  if (options.sampler === 'waves') throw new UnsupportedError("stream: waves draw whole samples; what grows is drawn one variable after the other. Use sample, or the sampler 'graph'.")
  const sampler = options.sampler ?? 'graph'
  const { components: C, end } = manifest.domain
  const firstPosition = (prompt?.length ?? 0) / C
  const B = wholeNumber(owner, 'count', options.count ?? 1)
  const length = streamLength(manifest, options, firstPosition)
  const given = options.given && givenOf(owner, options.given, manifest, order, B, length)(0, B)
  const firstSample = wholeNumber(owner, 'firstSample', options.firstSample ?? 0, 0, mostSamples - B)
  if (length === Infinity && manifestCondition(manifest)?.isSequence) throw new InvalidOptionError(`${owner}: a control sequence says something of each variable, so a length is needed. Give length.`)
  const conditions = sequenceConditions(owner, manifest, options.condition, B, firstPosition + length, order)
  const { signal } = options
  async function* grow(): AsyncGenerator<StreamChunk, void, undefined> {
    const condition = conditions.of(0, B)
    const cursor = conditions.isShared ? repeated(await afterPrompt(owner, graphs, manifest, common, sampler, 1, conditions.of(0, 1), signal), manifest.state, B) : await afterPrompt(owner, graphs, manifest, common, sampler, B, condition, signal)
    const stretches = generate({ graphs, manifest, order, cursor, length, firstPosition, ...settings, sampler, firstSample, given, condition, stretchLength, signal, owner })
    for await (const { values, nats, start, steps } of stretches) {
      const rows = Array.from({ length: B }, (_, b) => values.subarray(b * steps * C, (b + 1) * steps * C))
      const own = end === undefined ? steps : Math.max(...rows.map((row) => endedLength(row, end)))
      yield { firstRank: start, values: columns(values, B, C, 0, own), nats: columns(nats, B, 1, 0, own) }
    }
  }
  return grow()
}

/** How many variables a stream has after its prompt; Infinity: until the consumer stops. */
function streamLength(manifest: ModelManifest, { length, given }: StreamOptions, firstPosition: number): number {
  const { domain, longest = Infinity } = manifest
  if (domain.length !== 'variable') {
    if (length !== undefined && length !== domain.length) throw new InvalidOptionError(`stream: the model's samples have ${domain.length} variables, got length ${length}. Leave length out.`)
    return domain.length
  }
  if (given) throw new UnsupportedError('stream: given belongs to models of fixed length; this one goes on for as long as anybody asks. Pass what comes first as prompt.')
  const most = length === undefined ? longest - firstPosition : wholeNumber('stream', 'length', length)
  if (most !== Infinity) checkLongest('stream', manifest, firstPosition + Math.max(1, most))
  return most
}

/**
 * Follows a sequence: every value is given, so that `distance` and `drawn` say where this sampler would have left it.
 * The replay law: `distance` ≤ 1e-5 everywhere, whichever sampler drew the sequence.
 * @throws {InvalidOptionError | InvalidDataError | UnsupportedError | InterruptedError}
 */
export async function replay(graphs: Graphs, manifest: ModelManifest, order: ResolvedOrder, { values, ...options }: ReplayOptions): Promise<Samples> {
  refuseUnknownOptions('replay', options, [...commonNames, 'count', 'batchSize', 'onProgress'])
  const n = manifest.domain.length === 'variable' ? wholeNumber('replay', 'length', options.length) : manifest.domain.length
  return sample(graphs, manifest, order, { ...options, given: { values, isGiven: new Uint8Array(n).fill(1) } }, 'replay')
}
