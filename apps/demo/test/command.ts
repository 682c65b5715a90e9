/**
 * Runs the program: here, where its words are caught, or as a user would, built and in a process of its own. A process takes most of a
 * second before it does anything, so that is for what only a process shows: signals, pipes, how it ends.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { main } from '../src/index.js'

const program = fileURLToPath(new URL('../bin/chainrule.js', import.meta.url))
export const plays = fileURLToPath(new URL('../data/shakespeare.txt', import.meta.url))

export interface Ended {
  /** null where a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
  /** Resolves once stderr matches; rejects if the process ends before. */
  says(pattern: RegExp): Promise<void>
}

export function start(args: readonly string[], environment: Record<string, string> = {}): Started {
  const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  const listeners = new Set<() => void>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    for (const listener of listeners) listener()
  })
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
  return {
    process: child,
    ended,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (pattern.test(stderr)) resolve()
        }
        listeners.add(look)
        look()
        void ended.then(() => reject(new Error(`ended without saying ${pattern}:\n${stderr}`)))
      }),
  }
}

let turn: Promise<unknown> = Promise.resolve()

/** Runs the program in this process; one run after the other. */
export function run(...args: string[]): Promise<Ended> {
  const ended = turn.then(() => runHere(args))
  turn = ended.catch(() => undefined)
  return ended
}

async function runHere(args: readonly string[]): Promise<Ended> {
  const said = { stdout: '', stderr: '' }
  const { argv } = process
  const writers = { stdout: process.stdout.write, stderr: process.stderr.write }
  process.argv = [process.execPath, program, ...args]
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].write = (text: string | Uint8Array, ...more: unknown[]) => {
      said[name] += typeof text === 'string' ? text : Buffer.from(text).toString('latin1')
      const done = more.at(-1)
      if (typeof done === 'function') done()
      return true
    }
  }
  try {
    return { code: await main(args), ...said }
  } finally {
    process.argv = argv
    for (const name of ['stdout', 'stderr'] as const) process[name].write = writers[name]
  }
}

/** Runs with --json; stdout must be one document. */
export async function runJson(...args: string[]): Promise<Ended & { document: any }> {
  const ended = await run(...args, '--json')
  return { ...ended, document: JSON.parse(ended.stdout) }
}

export const temporaryFolder = () => mkdtempSync(join(tmpdir(), 'chainrule-demo-'))

/** The beginning of the plays: enough for training windows, small enough for seconds. */
export const shortText = () => readFileSync(plays, 'utf8').slice(0, 3000)

/** A line of a stack trace. */
export const stackLine = /^\s+at .+:\d+/m
