/**
 * Whether samples of real values are drawn from the density that score.onnx gives. By inverse CDF, two draws of one variable have as much
 * of the density between them as lies between their uniforms:
 *
 *   ∫ from x(u) to x(u′) of p = u′ − u
 *
 * for all pairs of neighbours among several draws, so also over all of them; integrals by Simpson's rule, halving where that is not settled.
 * Of several components it is the last, given those before it, whose density is known up to a number: the shape of the density is what is tried.
 * Axes: C components.
 */
import { emptyValues, uniform } from '@chainrule/core'
import type { Finding } from './laws.js'
import type { Subject } from './subject.js'

/** Draws of a variable. */
const count = 33
/** Of an integral from the uniforms; at temperature 1.05 it is off by up to 0.012. */
const tolerance = 2e-3
/** A Simpson sum is settled where that of every second point says the same within this. */
const settled = 1e-5
const mostHalvings = 10

export async function drawsFromDensity(subject: Subject): Promise<Finding> {
  const { domain, length, seed, position, opened } = subject
  const { components: C } = domain
  const base = subject.random(1)
  const place = position(Math.floor(length / 2))
  const isVariable = domain.length === 'variable'
  const size = isVariable ? place + 1 : length
  const last = place * C + C - 1
  // Where everything is given, what is drawn of a component is still what its uniform picks, given the ones before it.
  const { drawn: values } = await opened.replay({ count, seed, values: base.slice(0, size * C), ...(isVariable && { length: size }) })
  const drawn = Array.from({ length: count }, (_, sample) => ({ u: uniform(seed, 'sampling', sample, place, C - 1), x: values[sample * size * C + last] })).sort((a, b) => a.u - b.u)
  if (drawn.some(({ x }, i) => i > 0 && x < drawn[i - 1].x)) return { passed: false, reason: 'a draw by a greater uniform is smaller: draws are not by inverse CDF' }

  const densities = async (points: readonly number[]): Promise<Float64Array> => {
    const x = emptyValues(domain, points.length * size * C)
    points.forEach((value, row) => {
      x.set(base.subarray(0, size * C), row * size * C)
      x[row * size * C + last] = value
    })
    const nats = await subject.score(x, size)
    return Float64Array.from(points, (_, row) => Math.exp(-nats[row * size + place]))
  }
  const all = drawn[count - 1].u - drawn[0].u
  // The density of several components is that of the last one times a number, that of those before it: roughly at first, so that sums settle as they should.
  const heights = C === 1 ? [] : await densities(drawn.map(({ x }) => x))
  const rough = C === 1 ? 1 : drawn.slice(1).reduce((sum, { x }, i) => sum + ((x - drawn[i].x) * (heights[i] + heights[i + 1])) / 2, 0) / all
  const integrals = await integralsOf(async (points) => (await densities(points)).map((density) => density / rough), drawn.slice(1).map(({ x }, i) => [drawn[i].x, x]))
  const scale = C === 1 ? 1 : all / integrals.reduce((sum, integral) => sum + integral, 0)
  let between = 0
  let farthest = 0
  integrals.forEach((integral, i) => {
    between += integral * scale
    const error = Math.abs(between - (drawn[i + 1].u - drawn[0].u))
    // What is no number is no small error.
    if (!(error <= farthest)) farthest = error
  })
  const what = C === 1 ? 'the variable' : 'the last component of the variable'
  if (!(farthest <= tolerance)) return { passed: false, reason: `between draws of ${what} at ${place} lies ${farthest.toExponential(1)} more or less of the density of score.onnx than between their uniforms, at most ${tolerance.toExponential(1)} is allowed` }
  return { passed: true, reason: `${count} draws of ${C === 1 ? 'one variable' : 'the last component of one variable'} have as much of the density of score.onnx between them as lies between their uniforms, within ${farthest.toExponential(1)}` }
}

/** The integrals over several intervals, each halved until Simpson's rule is settled. */
async function integralsOf(densities: (points: readonly number[]) => Promise<Float64Array>, intervals: readonly (readonly [number, number])[]): Promise<Float64Array> {
  const sums = new Float64Array(intervals.length)
  let open = intervals.map(([from, to], which) => ({ from, to, which }))
  for (let halving = 0; open.length > 0; halving++) {
    const p = await densities(open.flatMap(({ from, to }) => [0, 1, 2, 3, 4].map((i) => from + ((to - from) * i) / 4)))
    const next: typeof open = []
    open.forEach(({ from, to, which }, at) => {
      const [a, b, c, d, e] = p.subarray(5 * at, 5 * at + 5)
      const [coarse, fine] = [((to - from) / 6) * (a + 4 * c + e), ((to - from) / 12) * (a + 4 * b + 2 * c + 4 * d + e)]
      const middle = (from + to) / 2
      // A narrow peak may hide from the first few points, so that every interval is halved a few times.
      if (halving < 2 || (Math.abs(fine - coarse) > settled && halving < mostHalvings)) next.push({ from, to: middle, which }, { from: middle, to, which })
      else sums[which] += fine
    })
    open = next
  }
  return sums
}
