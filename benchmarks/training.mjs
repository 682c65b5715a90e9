/**
 * Training steps beside official PyTorch, eager and compiled: the same models, a full step on both sides, in turns.
 *
 *   npm run benchmark -- training [--python PYTHON] [--cases "small GPT,PixelCNN"] [--threads 1,2] [--rounds 7] [--without-compiled] [--json]
 *
 * PYTHON has PyTorch; without it, `python3 -m venv` and pip make one in .cache/benchmarks (4 GB). Prints medians over all steps and their ratio
 * (PyTorch's time / ours: above 1, ours is faster), the same of the processor's time, which says more on a machine
 * that does other work (with more threads it counts their waiting too), the share of the measured rate of a square matrix product, peak memory
 * and set-up time. Where a model can be written in several forms in PyTorch its fastest is taken;
 * where ours has two forms both are timed. The case `parallel` is all positions at once against one at a time (parallel.mjs).
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cases } from './training/cases.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    cases: { type: 'string', default: [...Object.keys(cases), 'parallel'].join(',') },
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '7' },
    'without-compiled': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})

/** A Python with PyTorch. */
function pythonWithTorch() {
  if (values.python) return values.python
  const folder = join(here, '..', '.cache', 'benchmarks', 'python')
  const python = join(folder, 'bin', 'python')
  if (!existsSync(join(folder, 'ready'))) {
    console.error('Installing PyTorch from PyPI into .cache/benchmarks (once, about 4 GB) …')
    const script = `python3 -m venv ${folder} && ${python} -m pip install --quiet torch==2.15.0 numpy && touch ${folder}/ready`
    if (spawnSync('sh', ['-c', script], { stdio: ['ignore', 'inherit', 'inherit'] }).status !== 0) throw new Error('PyTorch could not be installed. Give --python a Python that has it.')
  }
  return python
}

/** A process that answers each line with a line. */
function worker(program, args, threads) {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, OMP_NUM_THREADS: String(threads), MKL_NUM_THREADS: String(threads) } })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return async (request) => {
    child.stdin.write(`${JSON.stringify(request)}\n`)
    const { value, done } = await lines.next()
    if (done) throw new Error(`${program} ended without an answer to ${JSON.stringify(request)}.`)
    return JSON.parse(value)
  }
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]
const python = pythonWithTorch()
const rows = []
const asked = values.cases.split(',')
for (const name of asked.filter((each) => each !== 'parallel')) {
  const chosen = cases[name]
  if (!chosen) throw new Error(`No case is called "${name}". Known: ${Object.keys(cases).join(', ')}, parallel.`)
  for (const threads of values.threads.split(',').map(Number)) {
    const sides = {
      chainrule: worker(process.execPath, [join(here, 'training', 'chainrule-worker.mjs')], threads),
      // The same by Gather and product, as every machine has it.
      ...(chosen.hasBlocks && { gathered: worker(process.execPath, [join(here, 'training', 'chainrule-worker.mjs')], threads) }),
      eager: worker(python, [join(here, 'training', 'pytorch_worker.py')], threads),
      ...(!values['without-compiled'] && { compiled: worker(python, [join(here, 'training', 'pytorch_worker.py')], threads) }),
    }
    const about = {}
    for (const [side, ask] of Object.entries(sides)) about[side] = await ask({ case: chosen, threads, compile: side === 'compiled', blockedConvolutions: side !== 'gathered' })
    const times = Object.fromEntries(Object.keys(sides).map((side) => [side, []]))
    const processor = Object.fromEntries(Object.keys(sides).map((side) => [side, []]))
    const first = await sides.chainrule({ steps: 2 })
    const steps = Math.max(2, Math.min(30, Math.round(1500 / first.ms[1])))
    for (const [side, ask] of Object.entries(sides)) if (side !== 'chainrule') await ask({ steps: 2 })
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const [side, ask] of Object.entries(sides)) {
        const { ms, processorMs } = await ask({ steps })
        times[side].push(...ms)
        processor[side].push(processorMs)
      }
    }
    const rates = { chainrule: (await sides.chainrule({ gemm: 1024 })).gflops, eager: (await sides.eager({ gemm: 1024 })).gflops }
    const row = { case: name, threads, steps: times.chainrule.length, load: loadavg()[0] }
    for (const [side, ask] of Object.entries(sides)) {
      const ms = median(times[side])
      row[side] = { ms, fastestMs: Math.min(...times[side]), processorMs: median(processor[side]), gflops: chosen.flops / ms / 1e6, peakMegabytes: (await ask({ end: true })).peakMegabytes, ...about[side] }
    }
    row.chainrule.shareOfProductRate = row.chainrule.gflops / rates.chainrule
    row.eager.shareOfProductRate = row.eager.gflops / rates.eager
    const peers = { eager: 'Eager', ...(row.compiled && { compiled: 'Compiled' }) }
    for (const ours of [row.chainrule, ...(row.gathered ? [row.gathered] : [])]) {
      for (const [side, key] of Object.entries(peers)) {
        ours[`ratioTo${key}`] = row[side].ms / ours.ms
        ours[`processorRatioTo${key}`] = row[side].processorMs / ours.processorMs
      }
    }
    rows.push(row)
    const show = ({ ms, fastestMs, processorMs, peakMegabytes, setupSeconds }) => `${ms.toFixed(1)} ms (fastest ${fastestMs.toFixed(1)}; processor ${processorMs.toFixed(1)}), ${peakMegabytes.toFixed(0)} MB, set up in ${setupSeconds.toFixed(1)} s`
    console.error(`${name}, ${threads} thread${threads > 1 ? 's' : ''}, load ${row.load.toFixed(2)}`)
    console.error(`  chainrule        ${show(row.chainrule)}; ${(100 * row.chainrule.shareOfProductRate).toFixed(0)} % of the rate of a product; recorded in ${row.chainrule.recordMs.toFixed(0)} ms, session in ${row.chainrule.sessionMs.toFixed(0)} ms`)
    if (row.gathered) console.error(`  by Gather        ${show(row.gathered)}`)
    console.error(`  PyTorch eager    ${show(row.eager)}; ${(100 * row.eager.shareOfProductRate).toFixed(0)} %`)
    if (row.compiled) console.error(`  PyTorch compiled ${show(row.compiled)}`)
    console.error(`  Node ${process.versions.node}, torch ${row.eager.torch}`)
    console.error(`  ${row.chainrule.description}${row.eager.form ? `; PyTorch eager: ${row.eager.form}` : ''}${row.compiled?.form ? `; compiled: ${row.compiled.form}` : ''}`)
    const ratios = (ours, prefix) => Object.values(peers).map((key) => `to ${key.toLowerCase()} ${ours[`${prefix}${key}`].toFixed(2)}`).join(', ')
    for (const [label, ours] of Object.entries({ ratio: row.chainrule, ...(row.gathered && { 'ratio by Gather': row.gathered }) })) {
      console.error(`  ${label} ${ratios(ours, 'ratioTo')}; of processor time ${ratios(ours, 'processorRatioTo')}`)
    }
  }
}
// All positions at once against one at a time: no peer, so a program of its own.
let parallel
if (asked.includes('parallel')) {
  const { stdout, status } = spawnSync(process.execPath, [join(here, 'parallel.mjs'), '--json'], { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' })
  if (status !== 0) throw new Error('parallel.mjs failed.')
  parallel = JSON.parse(stdout).rows
}
if (values.json) console.log(JSON.stringify({ rows, parallel, cpu: cpus()[0].model, node: process.version }, null, 2))
