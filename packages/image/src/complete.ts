/**
 * `complete`: draws what is missing of images, any part of them, and keeps the rest.
 *
 * Where every given variable comes before every missing one in the order, that is exact: ancestral sampling simply begins later. Else a
 * missing variable knows of the given ones before it only. Candidates mend that: of K completions one is kept with a probability in
 * proportion to what the model gives to the variables that came too late,
 *
 *   w = ∏ p(x_k | all before k)     k given, after the first missing one
 *
 * (sampling, importance resampling; Rubin 1987). One candidate ignores them, the limit of many is exact; how many of the K still count is
 * `effectiveCandidates` = (Σw)²/Σw², from 1 (one took all the weight: too few) to K.
 */
import { emptyValues, groupOfPosition, InvalidDataError, InvalidOptionError, manifestCondition, noSamplingFilters, refuseUnknownOptions, samplingFilterNames, uniform, wholeNumber } from '@chainrule/core'
import type { Progress } from '@chainrule/runtime'
import { encodeImages, joinedImages } from './encode-images.js'
import type { Image } from './image.js'
import type { LoadedImage } from './loaded.js'
import { pixelsOfVariables } from './pixels-of-variables.js'
import { decodeAll, type DrawImageOptions, drawOptions } from './sample.js'

export interface CompleteImageOptions extends DrawImageOptions {
  /** [height × width], 1: the pixel is given. `rectangle` makes one. */
  known: Uint8Array
  /** How many completions of each image (1). */
  count?: number
  /** K, how many are drawn for each that is kept (1); more are of use only where completion is not exact. */
  candidates?: number
  /** Told how many variables of all images are drawn. */
  onProgress?: (progress: Progress) => void
}

export interface Completion {
  /** For each image given its completions. What is given stands in them as the tokenizer has it. */
  readonly images: Image[][]
  /** Whether they are samples of p(missing | given), with nothing approximated. */
  readonly isExact: boolean
  /** How many given variables come after a missing one in the order. */
  readonly givenLater: number
  /** Where candidates were weighed: how many of them count, the mean over all completions. */
  readonly effectiveCandidates?: number
}

/** A mask of the pixels in a rectangle, for `complete`; absent: the whole height or width. */
export function rectangle({ height, width }: Pick<Image, 'height' | 'width'>, options: { top?: number; bottom?: number; left?: number; right?: number }): Uint8Array {
  refuseUnknownOptions('rectangle', options, ['top', 'bottom', 'left', 'right'])
  const bottom = wholeNumber('rectangle', 'bottom', options.bottom ?? height, 0, height)
  const right = wholeNumber('rectangle', 'right', options.right ?? width, 0, width)
  const top = wholeNumber('rectangle', 'top', options.top ?? 0, 0, bottom)
  const left = wholeNumber('rectangle', 'left', options.left ?? 0, 0, right)
  return Uint8Array.from({ length: height * width }, (_, pixel) => {
    const [row, column] = [Math.floor(pixel / width), pixel % width]
    return row >= top && row < bottom && column >= left && column < right ? 1 : 0
  })
}

/** Draws what is missing of images, each by its label where the model is told one. @throws {InvalidDataError} for a mask of another size, or one that cuts through a variable */
export async function complete(model: LoadedImage, images: readonly Image[], options: CompleteImageOptions): Promise<Completion> {
  refuseUnknownOptions('complete', options, [...drawOptions, 'known', 'count', 'candidates', 'onProgress'])
  const { known, count: askedCount = 1, candidates: askedCandidates = 1, seed = 0, ...rest } = options
  const count = wholeNumber('complete', 'count', askedCount)
  const K = wholeNumber('complete', 'candidates', askedCandidates)
  if (K > 1 && isChanged(rest)) throw new InvalidOptionError('complete: candidates are weighed by the model’s own probabilities. Leave temperature and filters out, or take one candidate.')
  const { tokenizer, opened, manifest } = model
  const isGiven = givenVariables(model, known)
  const later = givenAfterMissing(model, isGiven)
  const data = encodeImages(tokenizer, images, 'complete', manifestCondition(manifest))
  const [d, each] = [isGiven.length, count * K]
  const { x, condition: labels } = joinedImages(data, 0, data.length)
  const N = data.length * each
  const width = x.length / data.length
  const values = emptyValues(tokenizer.domain, N * width)
  for (let sample = 0; sample < N; sample++) values.set(x.subarray(Math.floor(sample / each) * width, (Math.floor(sample / each) + 1) * width), sample * width)
  const givenOfAll = new Uint8Array(N * d)
  for (let sample = 0; sample < N; sample++) givenOfAll.set(isGiven, sample * d)
  const drawn = await opened.sample({ ...rest, seed, count: N, ...(labels && { condition: Int32Array.from({ length: N }, (_, sample) => labels[Math.floor(sample / each)]) }), given: { values, isGiven: givenOfAll } })
  const all = decodeAll(model, drawn.values, N)
  const logWeight = (sample: number) => later.reduce((sum, position) => sum - drawn.nats[sample * d + position], 0)
  let effective = 0
  const kept = Array.from({ length: data.length * count }, (_, which) => {
    const logWeights = Array.from({ length: K }, (_, candidate) => logWeight(which * K + candidate))
    const { chosen, effectiveNumber } = resampled(logWeights, uniform(seed, 'completion', which))
    effective += effectiveNumber
    return all[which * K + chosen]
  })
  return {
    images: images.map((_, which) => kept.slice(which * count, (which + 1) * count)),
    isExact: later.length === 0,
    givenLater: later.length,
    ...(K > 1 && { effectiveCandidates: effective / kept.length }),
  }
}

const isChanged = (options: DrawImageOptions) =>
  (options.temperature !== undefined && options.temperature !== 1) || samplingFilterNames.some((name) => options[name] !== undefined && options[name] !== noSamplingFilters[name])

/** Which variables the mask gives, by position. */
function givenVariables({ tokenizer }: LoadedImage, known: Uint8Array): Uint8Array {
  const { height, width } = tokenizer
  if (!(known instanceof Uint8Array) || known.length !== height * width) throw new InvalidDataError(`complete: known must be a Uint8Array with one entry for each of ${height} × ${width} pixels, got ${known instanceof Uint8Array ? known.length : typeof known}.`)
  return Uint8Array.from(pixelsOfVariables(tokenizer), (pixels, position) => {
    const given = pixels.reduce((sum, pixel) => sum + (known[pixel] ? 1 : 0), 0)
    if (given > 0 && given < pixels.length) throw new InvalidDataError(`complete: variable ${position} is a patch of ${pixels.length} pixels, of which ${given} are given: a variable is given whole or not at all. Let the mask follow the patches, or use a model of single pixels.`)
    return given > 0 ? 1 : 0
  })
}

/** The positions of given variables that some missing one comes before. */
function givenAfterMissing({ opened }: LoadedImage, isGiven: Uint8Array): number[] {
  const group = groupOfPosition(opened.order)
  const firstMissing = isGiven.reduce((first, given, position) => (given ? first : Math.min(first, group[position])), Infinity)
  return Array.from(isGiven.keys()).filter((position) => isGiven[position] && group[position] > firstMissing)
}

/** Chooses in proportion to e^logWeight. */
function resampled(logWeights: readonly number[], u: number): { chosen: number; effectiveNumber: number } {
  const most = Math.max(...logWeights)
  const weights = logWeights.map((each) => Math.exp(each - most))
  const sum = weights.reduce((total, each) => total + each, 0)
  let left = u * sum
  const chosen = weights.findIndex((weight) => (left -= weight) < 0)
  return { chosen: chosen < 0 ? weights.indexOf(1) : chosen, effectiveNumber: sum ** 2 / weights.reduce((total, each) => total + each ** 2, 0) }
}
