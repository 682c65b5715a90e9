/** What a law throws: which law, and the numbers that break it. */
export class LawViolation extends Error {
  constructor(law: string, what: string) {
    super(`${law}: ${what}`)
    this.name = 'LawViolation'
  }
}

/** Throws unless the condition holds. */
export function demand(law: string, condition: boolean, what: () => string): asserts condition {
  if (!condition) throw new LawViolation(law, what())
}

/** Throws unless every pair of numbers differs by at most `tolerance` (relative to those above 1 in size); NaN always throws. */
export function demandClose(law: string, got: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  demand(law, got.length === expected.length, () => `${what}: ${got.length} numbers, expected ${expected.length}.`)
  for (let i = 0; i < got.length; i++) {
    const allowed = tolerance * Math.max(1, Math.abs(expected[i]))
    demand(law, Math.abs(got[i] - expected[i]) <= allowed || got[i] === expected[i], () => `${what}: number ${i} is ${got[i]}, expected ${expected[i]} ± ${allowed}.`)
  }
}
