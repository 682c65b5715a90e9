/**
 * The globals of jasmine that tfjs-core's tests are written with, on vitest: each test becomes a test of vitest; one that is
 * excluded must fail, with the error that its exclusion names. Keeps a record of what held and which kernels it ran.
 */
import * as vitest from 'vitest'
import type { Exclusion } from './exclusions.js'

/** One test of tfjs-core, over all environments. */
export interface Specification {
  readonly file: string
  /** The titles of `describe` and `it`, joined; a repeated name has its number. */
  readonly name: string
  /** Why it must fail; undefined where it must pass. */
  readonly exclusion: Exclusion | undefined
  /** How many environments it was registered for, and in how many it did as it must. */
  registered: number
  held: number
  readonly kernels: Set<string>
}

export interface JasmineOptions {
  /** The backends that `describeWithFlags` runs a group for, one after the other; it puts the name behind the title. */
  readonly environments: readonly string[]
  readonly exclusionOf: (file: string, name: string) => Exclusion | undefined
}

type Work = () => unknown
type Done = (() => void) & { fail: (reason?: unknown) => void }
type Test = (done: Done) => unknown

/** Runs a test; one that takes a callback ends when it calls it. */
function outcome(test: Test): unknown {
  if (test.length === 0) return (test as Work)()
  return new Promise<void>((resolve, reject) => {
    const fail = (reason?: unknown) => reject(reason instanceof Error ? reason : new Error(String(reason ?? 'done.fail()')))
    Promise.resolve(test(Object.assign(() => resolve(), { fail }))).catch(reject)
  })
}

/** Holds where the test fails with the error of its exclusion. @throws {Error} where it passes, or fails in another way */
export async function mustFail(test: Test, { topic, error: expected, dependsOnProcessor = false }: Omit<Exclusion, 'tests'>): Promise<void> {
  let failure: unknown
  try {
    await outcome(test)
  } catch (error) {
    failure = error
  }
  if (failure === undefined && dependsOnProcessor) return
  if (failure === undefined) throw new Error(`This test passes, but src/exclusions.ts lists it (${topic}). Take it off the list and run \`npm run document\`.`)
  const message = String((failure as Error).message ?? failure)
  if (!expected.test(message)) throw new Error(`This test is on the list of src/exclusions.ts (${topic}), but fails for another reason than ${expected}: ${message}`, { cause: failure })
}

export class Jasmine {
  readonly specifications = new Map<string, Specification>()
  #file = ''
  #titles: readonly string[] = []
  #environment = ''
  readonly #repetitions = new Map<string, number>()
  #running: Specification | undefined

  constructor(private readonly options: JasmineOptions) {}

  /** Puts `describe`, `it`, `expect`, … into the global scope, where the tests look for them. */
  install(): void {
    vitest.expect.extend({ nothing: () => ({ pass: true, message: () => 'expect().nothing() holds' }) })
    const { beforeAll, beforeEach, afterAll, afterEach, expect } = vitest
    Object.assign(globalThis, {
      beforeAll, beforeEach, afterAll, afterEach, expect,
      describe: (title: string, define: Work) => this.#describe(title, define),
      it: (title: string, test: Test) => this.#it(title, test),
      // jasmine's spies do nothing unless they are told to.
      spyOn: (owner: object, method: string) => vitest.vi.spyOn(owner as Record<string, Work>, method).mockImplementation(() => undefined),
      // The tests set a time limit in it.
      jasmine: {},
    })
  }

  /** Loads a test file: its tests are registered as that file's. */
  async load(file: string, loader: () => Promise<unknown>): Promise<void> {
    this.#file = file
    await loader()
  }

  /** Notes that the test that is running ran this kernel. */
  ran(kernel: string): void {
    this.#running?.kernels.add(kernel)
  }

  /** vitest calls `define` later, so what surrounds it is kept for then. */
  #describe(title: string, define: Work): void {
    const environment = this.options.environments.find((name) => title.endsWith(` ${name} {}`))
    // A group inside a group: the outer one is there for each environment already.
    if (environment !== undefined && this.#environment !== '' && environment !== this.#environment) return
    const inside = {
      file: this.#file,
      titles: [...this.#titles, environment ? title.slice(0, -` ${environment} {}`.length) : title],
      environment: environment ?? this.#environment,
    }
    vitest.describe(title, () => {
      const outside = { file: this.#file, titles: this.#titles, environment: this.#environment }
      this.#enter(inside)
      try {
        define()
      } finally {
        this.#enter(outside)
      }
    })
  }

  #enter({ file, titles, environment }: { file: string; titles: readonly string[]; environment: string }): void {
    this.#file = file
    this.#titles = titles
    this.#environment = environment
  }

  #it(title: string, test: Test): void {
    const specification = this.#specification([...this.#titles, title].join(' > '))
    const { exclusion } = specification
    vitest.it(exclusion ? `${title} (not claimed: ${exclusion.topic})` : title, async () => {
      this.#running = specification
      try {
        if (exclusion) await mustFail(test, exclusion)
        else await outcome(test)
        specification.held++
      } finally {
        this.#running = undefined
        vitest.vi.restoreAllMocks()
      }
    })
  }

  #specification(path: string): Specification {
    const key = `${this.#file} ${path} ${this.#environment}`
    const repetition = (this.#repetitions.get(key) ?? 0) + 1
    this.#repetitions.set(key, repetition)
    const [file, name] = [this.#file, repetition === 1 ? path : `${path} (${repetition})`]
    const known = this.specifications.get(`${file} ${name}`)
    const specification = known ?? { file, name, exclusion: this.options.exclusionOf(file, name), registered: 0, held: 0, kernels: new Set<string>() }
    specification.registered++
    this.specifications.set(`${file} ${name}`, specification)
    return specification
  }
}
