/** All x of a domain small enough, and random ones. Values are row-major, whatever the number of variables and components. */
import { type DiscreteDomain, type Domain, endedLength, uniform, type Values } from '@chainrule/core'

/** More than this is no longer a small domain. */
const mostTuples = 100_000

/** All V^slots tuples of `slots` values 0 … V−1, one after the other; the last slot counts fastest. */
export function allTuples(values: number, slots: number): Int32Array {
  const count = values ** slots
  if (count > mostTuples) throw new RangeError(`allTuples: ${values}^${slots} = ${count} tuples are too many to enumerate (at most ${mostTuples}).`)
  const tuples = new Int32Array(count * slots)
  for (let which = 0; which < count; which++) {
    let rest = which
    for (let slot = slots - 1; slot >= 0; slot--) {
      tuples[which * slots + slot] = rest % values
      rest = Math.floor(rest / values)
    }
  }
  return tuples
}

/** `size` values, uniform in 0 … V−1, the same for the same seed. */
export function randomValues(seed: number, values: number, size: number): Int32Array {
  return Int32Array.from({ length: size }, (_, i) => Math.floor(uniform(seed, 'batches', 0, i) * values))
}

/** Random x of a domain, [rows, N, C], the same for the same seed: whole numbers, or real ones in (−1.5, 1.5); of a domain with an end, nothing but `end` stands after an end. */
export function randomRows(seed: number, domain: DiscreteDomain, rows: number, length: number): Int32Array
export function randomRows(seed: number, domain: Domain, rows: number, length: number): Values
export function randomRows(seed: number, domain: Domain, rows: number, length: number): Values {
  const { values, components, end } = domain
  const width = length * components
  if (values === 'real') return randomNumbers(seed, 1.5, rows * width)
  const x = randomValues(seed, values, rows * width)
  if (end === undefined) return x
  for (let row = 0; row < rows; row++) {
    const own = x.subarray(row * width, (row + 1) * width)
    own.fill(end, endedLength(own, end))
  }
  return x
}

/** Whether a row is an x of the domain: after an end stands nothing but `end`. */
export const isPossible = (row: Int32Array, { end }: Domain): boolean => end === undefined || row.subarray(endedLength(row, end)).every((value) => value === end)

/** `size` numbers, uniform in (−amplitude, amplitude). */
export function randomNumbers(seed: number, amplitude: number, size: number, stream = 0): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => amplitude * (2 * uniform(seed, 'batches', 1, i, stream) - 1))
}
