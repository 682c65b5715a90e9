/**
 * Pearson's χ² test of goodness of fit. Its p-value is the chance that a correct sampler looks at least this bad:
 *
 *   χ² = Σᵥ (nᵥ − n pᵥ)² / (n pᵥ),   p-value = Q(f/2, χ²/2),   f = cells − 1
 *
 * Q, the upper incomplete gamma function over Γ, by its series or its continued fraction (Abramowitz, Stegun 1964, 6.5.29 and 6.5.31).
 */

/** log Γ(x), x > 0: Stirling's series after shifting x above 10. */
function logGamma(x: number): number {
  let shift = 0
  for (; x < 10; x++) shift += Math.log(x)
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5) - shift
}

/** Q(a, x) for a > 0, x ≥ 0. */
function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1
  const front = Math.exp(a * Math.log(x) - x - logGamma(a))
  if (x < a + 1) {
    let term = 1 / a
    let sum = term
    for (let n = 1; term > sum * 1e-16; n++) {
      term *= x / (a + n)
      sum += term
    }
    return 1 - front * sum
  }
  // Lentz's evaluation of 1/(x+1−a− 1(1−a)/(x+3−a− 2(2−a)/(x+5−a− …))).
  const tiny = 1e-300
  let b = x + 1 - a
  let c = 1 / tiny
  let d = 1 / b
  let fraction = d
  for (let n = 1, change = 0; Math.abs(change - 1) > 1e-15 && n < 100_000; n++) {
    const numerator = -n * (n - a)
    b += 2
    d = 1 / (numerator * d + b || tiny)
    c = b + numerator / c || tiny
    change = c * d
    fraction *= change
  }
  return front * fraction
}

/** The chance that a χ² variable with `freedom` degrees of freedom is at least `statistic`. */
export function chiSquareTail(statistic: number, freedom: number): number {
  return upperGamma(freedom / 2, statistic / 2)
}

export interface Fit {
  readonly statistic: number
  readonly freedom: number
  /** The odds of a false alarm, were the sampler correct. 0 where something of probability 0 was seen. */
  readonly probability: number
}

/**
 * How well counts agree with probabilities; cells that expect fewer than 5 are counted as one.
 * @param counts n of each cell
 * @param probabilities p of each cell, of sum 1
 */
export function goodnessOfFit(counts: ArrayLike<number>, probabilities: ArrayLike<number>): Fit {
  const n = Array.from(counts).reduce((sum, count) => sum + count, 0)
  const cells: { count: number; expected: number }[] = []
  const rare = { count: 0, expected: 0 }
  for (let v = 0; v < counts.length; v++) {
    const expected = n * probabilities[v]
    if (counts[v] > 0 && probabilities[v] === 0) return { statistic: Infinity, freedom: counts.length - 1, probability: 0 }
    if (expected >= 5) cells.push({ count: counts[v], expected })
    else {
      rare.count += counts[v]
      rare.expected += expected
    }
  }
  if (rare.expected > 0) cells.push(rare)
  const statistic = cells.reduce((sum, { count, expected }) => sum + (count - expected) ** 2 / expected, 0)
  const freedom = cells.length - 1
  return { statistic, freedom, probability: freedom > 0 ? chiSquareTail(statistic, freedom) : 1 }
}
