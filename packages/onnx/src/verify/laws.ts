/**
 * The laws that the graphs of an exported model obey, tried on the model itself. Each finds out by running the graphs; none trusts
 * what the file says. Axes: N sequences, n variables, C components, V values.
 */
import { endedLength, graphNames, isReal, manifestCondition, uniform, uniformIndex, type Values } from '@chainrule/core'
import type { Samples } from '@chainrule/runtime'
import { drawsFromDensity } from './draws-from-density.js'
import { innerValues, type Subject } from './subject.js'

/** What a law found; `passed` is undefined where it does not apply. */
export interface Finding {
  readonly passed?: boolean
  readonly reason: string
}

export type Law = (subject: Subject) => Promise<Finding>

/** Nats of two paths to the same number, in float32; a narrow density makes more of the rounding of its mean. */
const natsToleranceOf = ({ domain }: Subject) => (isReal(domain) ? 1e-3 : 1e-4)
/** A uniform this far outside of an interval of the CDF is rounding; of real values, a value this far from the one drawn. */
const distanceToleranceOf = ({ domain }: Subject) => (isReal(domain) ? 1e-4 : 1e-5)
/** The same sums in the same order: nothing but noise of threads. */
const unchanged = 1e-6
/** Sums of probabilities in float32. */
const sumTolerance = 1e-4

const small = (value: number) => value.toExponential(1)
const largest = (numbers: Iterable<number>): number => {
  let most = 0
  for (const number of numbers) if (!(number <= most)) most = number
  return most
}
const differences = (a: Float32Array, b: Float32Array) => largest(a.map((value, i) => Math.abs(value - b[i]) / (1 + Math.abs(b[i]))))

const lengthOption = ({ domain, length }: Subject) => (domain.length === 'variable' ? { length } : {})
const draw = (subject: Subject, options: Partial<Parameters<Subject['opened']['sample']>[0]>): Promise<Samples> => subject.opened.sample({ count: 2, seed: subject.seed, ...lengthOption(subject), ...options })

/** −log p is a finite number that is not negative (a density's may be), of random sequences and of samples. */
export const finite: Law = async (subject) => {
  const random = await subject.score(subject.random(2))
  const { nats } = await draw(subject, {})
  const all = [...random, ...nats]
  const least = isReal(subject.domain) ? -Infinity : -natsToleranceOf(subject)
  const wrong = all.find((value) => !Number.isFinite(value) || value < least)
  if (wrong !== undefined) return { passed: false, reason: `−log p is ${wrong} for a variable, expected a finite number${isReal(subject.domain) ? '' : ' of at least 0'}` }
  return { passed: true, reason: `−log p of ${all.length} variables is finite, at most ${largest(all).toFixed(2)} nats` }
}

/** A change of one variable leaves −log p of all earlier ones as it is, and changes some later one. */
export const causality: Law = async (subject) => {
  const { domain, length, seed, position } = subject
  const inner = innerValues(domain)
  if (length < 2 || inner < 2) return { reason: `there is one variable or one value, so nothing can change` }
  const x = subject.random(1)
  const before = await subject.score(x)
  const trials = Math.min(6, length - 1)
  let reached = 0
  for (let trial = 0; trial < trials; trial++) {
    const rank = Math.floor((trial * (length - 1)) / trials)
    const at = position(rank) * domain.components + uniformIndex(domain.components, seed, 'order', trial)
    const changed = x.slice()
    changed[at] = inner === Infinity ? -x[at] + uniform(seed, 'order', trial, 1) : (x[at] + 1 + uniformIndex(inner - 1, seed, 'order', trial, 1)) % inner
    const after = await subject.score(changed)
    const difference = (other: number) => Math.abs(after[position(other)] - before[position(other)])
    for (let earlier = 0; earlier < rank; earlier++) {
      if (!(difference(earlier) <= unchanged)) return { passed: false, reason: `a change of variable ${position(rank)} changes −log p of variable ${position(earlier)}, which comes before it, by ${small(difference(earlier))} nats` }
    }
    for (let later = rank + 1; later < length; later++) if (difference(later) > unchanged) reached++
  }
  if (reached === 0) return { passed: false, reason: `no variable depends on an earlier one: ${trials} changes moved nothing after them` }
  return { passed: true, reason: `${trials} changes of one variable leave all earlier ones as they are (to ${small(unchanged)} nats) and move ${reached} later ones` }
}

/** Another condition changes −log p. */
export const conditioning: Law = async (subject) => {
  const condition = manifestCondition(subject.opened.manifest)
  if (!condition) return { passed: true, reason: 'the model takes none' }
  if (condition.values === 1) return { reason: 'there is one condition only' }
  const x = subject.random(2)
  const [first, second] = [await subject.score(x, subject.length, 0), await subject.score(x, subject.length, 1)]
  const moved = first.filter((value, i) => Math.abs(value - second[i]) > unchanged).length
  if (moved === 0) return { passed: false, reason: `another ${condition.name} moves −log p of no variable` }
  return { passed: true, reason: `another ${condition.name} moves −log p of ${moved} of ${first.length} variables` }
}

/** Reading variable by variable gives what reading all at once gives, whichever sampler reads. */
export const stepEqualsScore: Law = async (subject) => {
  const natsTolerance = natsToleranceOf(subject)
  const x = subject.random(2)
  const scored = await subject.score(x)
  const distances: string[] = []
  for (const sampler of samplersOf(subject)) {
    const { nats } = await subject.opened.replay({ values: x, count: 2, seed: subject.seed, sampler, ...lengthOption(subject) })
    const difference = differences(nats, scored)
    const graph = { steps: 'step.onnx', graph: 'sample.onnx', waves: 'waves.onnx' }[sampler]
    if (!(difference <= natsTolerance)) return { passed: false, reason: `${graph} and score.onnx differ by ${small(difference)} nats (relative to 1 + nats), at most ${small(natsTolerance)} are rounding` }
    distances.push(`${graph} ${small(difference)}`)
  }
  return { passed: true, reason: `−log p by score.onnx and by the samplers differs by ${distances.join(', ')}` }
}

const samplerNames = { graph: 'the whole loop', steps: 'step by step', waves: 'wave by wave' } as const

const samplersOf = ({ opened }: Subject): (keyof typeof samplerNames)[] => ['steps', 'graph', ...(graphNames(opened.manifest).includes('waves') ? ['waves' as const] : [])]

/** What one sampler drew, the others would have drawn: at two temperatures and, where the length is variable, after a prompt. */
export const replay: Law = async (subject) => {
  const { opened, seed, domain, length } = subject
  const prompts = domain.length === 'variable' && length > 5 ? [undefined, subject.random(1).slice(0, 5 * domain.components)] : [undefined]
  const distanceTolerance = distanceToleranceOf(subject)
  const rest = (prompt: Values | undefined) => (prompt ? { prompt, length: length - 5 } : lengthOption(subject))
  const samplers = samplersOf(subject)
  const pairs = samplers.slice(1).flatMap((other) => [[other, 'steps'], ['steps', other]] as const)
  let most = 0
  for (const prompt of prompts) {
    for (const temperature of [1, 0.75]) {
      for (const [first, second] of pairs) {
        const request = { count: 2, seed, temperature, ...rest(prompt) }
        const { values } = await opened.sample({ ...request, sampler: first })
        const { distance } = await opened.replay({ ...request, sampler: second, values })
        const far = largest(distance)
        if (!(far <= distanceTolerance)) {
          return { passed: false, reason: `what ${samplerNames[first]} drew lies ${small(far)} outside of the CDF of ${samplerNames[second]} at temperature ${temperature}${prompt ? ' after a prompt' : ''}, at most ${small(distanceTolerance)} is rounding` }
        }
        most = Math.max(most, far)
      }
    }
  }
  return { passed: true, reason: `${samplers.length > 2 ? 'waves, ' : ''}the whole loop and single steps draw the same, both ways: distance at most ${small(most)}` }
}

/** Enumerating more values of one variable than this takes too long. */
const mostValues = 4096

/**
 * Samples are drawn from the distribution that score.onnx gives: its probabilities sum to 1, and the noise lies as far from the interval
 * of a given value, by the CDF made of them, as the sampler says.
 */
export const draws: Law = async (subject) => {
  const { domain, length, seed, position, opened } = subject
  const { components, values: V } = domain
  const distanceTolerance = distanceToleranceOf(subject)
  const { uniformsPerComponent } = opened.manifest
  if (V === 'real' && uniformsPerComponent === 1) return drawsFromDensity(subject)
  if (V === 'real' || components !== 1 || uniformsPerComponent !== 1) return { reason: 'a variable has several components or uniforms, so that its interval cannot be computed from outside' }
  if (V > mostValues) return { reason: `${V.toLocaleString('en-US')} values of a variable are too many to enumerate, the limit is ${mostValues.toLocaleString('en-US')}` }
  const values = subject.random(1)
  const { distance } = await opened.replay({ values, seed, sampler: 'graph', ...lengthOption(subject) })
  const trials = Math.max(1, Math.min(6, length, Math.floor(2 ** 18 / (V * length))))
  const [errors, sums]: [number[], number[]] = [[], []]
  for (let trial = 0; trial < trials; trial++) {
    const place = position(Math.floor(((trial + 1) * (length - 1)) / trials))
    const size = domain.length === 'variable' ? place + 1 : length
    const x = Int32Array.from({ length: V * size }, (_, at) => (at % size === place ? Math.floor(at / size) : values[at % size]))
    const nats = await subject.score(x, size)
    const running = [0]
    for (let value = 0; value < V; value++) running.push(running[value] + Math.exp(-nats[value * size + place]))
    const u = uniform(seed, 'sampling', 0, place) * running[V]
    const [lower, upper] = [running[values[place]], running[values[place] + 1]]
    sums.push(Math.abs(running[V] - 1))
    // A sampler may have rounded less than this to 0, and what has no interval is said to be at distance 1.
    if (upper - lower > 1e-6) errors.push(Math.abs(distance[place] - Math.max(lower - u, u - upper, 0)))
  }
  if (!(largest(sums) <= sumTolerance)) return { passed: false, reason: `the probabilities of the values of one variable sum to 1 only within ${small(largest(sums))}` }
  if (errors.length === 0) return { reason: 'the model gives the values tried hardly any probability, so that they have no interval to compare' }
  if (!(largest(errors) <= distanceTolerance)) return { passed: false, reason: `sample.onnx draws by another CDF than the probabilities of score.onnx make: ${small(largest(errors))} apart, at most ${small(distanceTolerance)} is rounding` }
  return { passed: true, reason: `${errors.length} variables are drawn by the CDF of score.onnx, within ${small(largest(errors))}; its probabilities sum to 1 within ${small(largest(sums))}` }
}

/** Rows and variables that the sum over all beginnings may take. */
const mostRows = 20_000
const mostVariables = 2 ** 20

/** Σ p = 1 over all beginnings of as many variables as can be enumerated; where that is all of x, over all x. */
export const normalised: Law = async (subject) => {
  const { domain, length, position } = subject
  const { components: C, values: V, end } = domain
  if (V === 'real') return { reason: 'real values cannot be enumerated; draws measures the density instead' }
  const perVariable = V ** C
  const isVariable = domain.length === 'variable'
  const affordable = (size: number) => perVariable ** size <= mostRows && perVariable ** size * (isVariable ? size : length) <= mostVariables
  let size = 0
  while (size < length && affordable(size + 1)) size++
  if (size === 0) return { reason: `${perVariable.toLocaleString('en-US')} values of a variable are too many to enumerate` }
  const width = isVariable ? size : length
  const rows: Int32Array[] = []
  for (let which = 0; which < perVariable ** size; which++) {
    const row = new Int32Array(width * C)
    let rest = which
    for (let rank = 0; rank < size; rank++) {
      for (let c = 0; c < C; c++, rest = Math.floor(rest / V)) row[position(rank) * C + c] = rest % V
    }
    // After an end only the end may stand; every ended sequence is counted once, with the end to its last variable.
    if (end === undefined || row.subarray(endedLength(row, end)).every((value) => value === end)) rows.push(row)
  }
  const x = new Int32Array(rows.length * width * C)
  rows.forEach((row, which) => x.set(row, which * width * C))
  const nats = await subject.score(x, width)
  let sum = 0
  for (let which = 0; which < rows.length; which++) {
    let total = 0
    for (let rank = 0; rank < size; rank++) total += nats[which * width + position(rank)]
    sum += Math.exp(-total)
  }
  const over = size === length && !isVariable ? `all ${rows.length.toLocaleString('en-US')} x` : `all ${rows.length.toLocaleString('en-US')} ${end === undefined ? 'beginnings' : 'ended and unended beginnings'} of ${size} variable${size === 1 ? '' : 's'}`
  const reason = `Σ p = 1 ${sum < 1 ? '−' : '+'} ${small(Math.abs(sum - 1))} over ${over}`
  return { passed: Math.abs(sum - 1) <= sumTolerance, reason }
}
