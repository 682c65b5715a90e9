/**
 * Damaged files: each is refused by a ChainruleError that says what is wrong, or does no harm. None ends the process, stops it,
 * or fills the memory. A seeded sample here; all of them with CHAINRULE_LONG.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'

const isLong = Boolean(process.env.CHAINRULE_LONG)
const amounts = isLong
  ? { model: 6000, singleFile: 1000, run: 1000, tokenizer: 1000, text: 1000, images: 5000, imageModel: 1000, sound: 5000 }
  : { model: 160, singleFile: 40, run: 60, tokenizer: 60, text: 100, images: 200, imageModel: 40, sound: 200 }
const mostMilliseconds = 20_000
const mostMegabytes = 1500

const program = fileURLToPath(new URL('../src/attempts.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'chainrule-mutations-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Outcome {
  readonly seed: number
  readonly what: string
  /** How it went; absent: it has only begun. `ended`: with it, the process. */
  readonly result?: 'worked' | 'refused' | 'accident' | 'ended'
  readonly message?: string
  readonly milliseconds?: number
  readonly megabytes?: number
}

/** Runs seeds from … to−1, in as many processes as it takes, and returns how each went. */
async function attempts(target: string, from: number, to: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  while (from < to) {
    const child = spawn(process.execPath, [program, target, folder, String(from), String(to)], { stdio: ['ignore', 'pipe', 'pipe'] })
    let last: Outcome = { seed: from, what: 'before the first' }
    let complaints = ''
    child.stderr.on('data', (text: string) => (complaints = (complaints + text).slice(-2000)))
    let watchdog: NodeJS.Timeout | undefined
    const restart = () => {
      clearTimeout(watchdog)
      watchdog = setTimeout(() => child.kill('SIGKILL'), mostMilliseconds)
    }
    restart()
    for await (const line of createInterface({ input: child.stdout })) {
      restart()
      last = JSON.parse(line) as Outcome
      if (last.result) outcomes.push(last)
    }
    clearTimeout(watchdog)
    const ended = child.signalCode ?? (child.exitCode === null ? await new Promise<string | number | null>((done) => child.once('exit', (code, signal) => done(signal ?? code))) : child.exitCode)
    if (!last.result) outcomes.push({ ...last, result: 'ended', message: `the process ended with ${ended}: ${complaints}` })
    from = last.seed + 1
  }
  return outcomes
}

describe.for(Object.entries(amounts))('%s', ([target, amount]) => {
  test(`${amount} damaged copies are refused with a reason, or do no harm`, { timeout: isLong ? 3_600_000 : 240_000 }, async () => {
    execFileSync(process.execPath, [program, target, folder, 'prepare'], { stdio: 'pipe' })
    const outcomes = await attempts(target, 0, amount)
    expect(outcomes).toHaveLength(amount)
    const of = (result: Outcome['result']) => outcomes.filter((outcome) => outcome.result === result)
    console.log(`${target}: ${of('refused').length} refused, ${of('worked').length} did no harm; longest ${Math.max(...outcomes.map(({ milliseconds }) => milliseconds ?? 0))} ms, at most ${Math.max(...outcomes.map(({ megabytes }) => megabytes ?? 0))} MB`)
    expect([...of('accident'), ...of('ended')].map(({ seed, what, message }) => `seed ${seed}, ${what}: ${message}`)).toEqual([])
    expect(outcomes.filter(({ megabytes = 0 }) => megabytes > mostMegabytes)).toEqual([])
    expect(of('refused').length).toBeGreaterThan(amount / 4)
  })
})
