/**
 * Whole numbers that depend on the lengths of axes: sums of products of lengths, each length at most once in a product
 * (batch · sequence, past + 1, …). Such a polynomial is known from its values at the corners of a box of lengths.
 *
 *   one axis: c₀ + c₁ x through (x₀, v₀) and (x₁, v₁);  more axes: the same for the coefficients, axis by axis
 */
export interface Axis {
  readonly name: string
  /** Two lengths: the box's sides. */
  readonly lengths: readonly [number, number]
}

/** The coefficient of each product of axes: bit a of its index says whether axis a takes part. */
export type Polynomial = readonly number[]

/** Where the corner with this index lies: bit a of it picks one of the two lengths of axis a. */
export function corner(axes: readonly Axis[], index: number): number[] {
  return axes.map(({ lengths }, a) => lengths[(index >> a) & 1])
}

/** The polynomial with these values at the corners. Its coefficients may come out broken: then the values have no such law. */
export function throughCorners(axes: readonly Axis[], values: readonly number[]): Polynomial {
  const coefficients = [...values]
  axes.forEach(({ lengths: [x0, x1] }, a) => {
    for (let low = 0; low < coefficients.length; low++) {
      if ((low >> a) & 1) continue
      const high = low | (1 << a)
      const [v0, v1] = [coefficients[low], coefficients[high]]
      coefficients[high] = (v1 - v0) / (x1 - x0)
      coefficients[low] = v0 - coefficients[high] * x0
    }
  })
  return coefficients
}

export function valueAt(polynomial: Polynomial, lengths: readonly number[]): number {
  return polynomial.reduce((sum, coefficient, term) => sum + coefficient * lengths.reduce((product, length, a) => ((term >> a) & 1 ? product * length : product), 1), 0)
}

export const isConstant = (polynomial: Polynomial): boolean => polynomial.every((coefficient, term) => term === 0 || coefficient === 0)
export const isWhole = (polynomial: Polynomial): boolean => polynomial.every(Number.isInteger)
export const equal = (a: Polynomial, b: Polynomial): boolean => a.every((coefficient, term) => coefficient === b[term])

/** For people, and as the name of an axis: "past + 1", "batch · sequence". */
export function text(polynomial: Polynomial, axes: readonly Axis[]): string {
  const terms = polynomial.flatMap((coefficient, term) => {
    if (coefficient === 0) return []
    const names = axes.filter((_, a) => (term >> a) & 1).map(({ name }) => name)
    return [[...(coefficient === 1 && names.length ? [] : [coefficient]), ...names].join(' · ')]
  })
  return terms.reverse().join(' + ') || '0'
}
