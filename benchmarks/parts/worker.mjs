/** Other programs as parts of a benchmark: each answers a line of JSON with a line of JSON, on one thread. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** @returns `ask`, which sends a request and waits for its answer, and `end` */
export function startWorker(program, args, options = {}) {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1', HF_HUB_OFFLINE: '1', TRANSFORMERS_VERBOSITY: 'error' }, ...options })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const failed = new Promise((_, reject) => child.on('error', reject))
  failed.catch(() => undefined)
  const ask = async (request) => {
    child.stdin.write(`${JSON.stringify(request)}\n`)
    const { value, done } = await Promise.race([lines.next(), failed])
    if (done) throw new Error(`${program} ${args.join(' ')} ended without an answer.`)
    return JSON.parse(value)
  }
  return { ask, end: () => child.stdin.end() }
}

/** Runs something of this process: its result, seconds by the clock and of the processor. */
export async function timed(work) {
  const [began, processor] = [performance.now(), process.cpuUsage()]
  const result = await work()
  const used = process.cpuUsage(processor)
  return { result, seconds: (performance.now() - began) / 1e3, processorSeconds: (used.user + used.system) / 1e6 }
}

export const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]
