/**
 * nanoGPT's CPU example beside the preset `small`: the same data, budget and protocol, one seed of each in turn.
 *
 *   npm run benchmark -- nanogpt --nanogpt CHECKOUT --data tinyshakespeare.txt [--seeds 1,2,3] [--threads 2] [--python PYTHON] [--json]
 *
 * CHECKOUT is a clone of nanoGPT (its own train.py and model.py run); PYTHON has PyTorch from PyPI and numpy. Prints nats and seconds of both.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const here = dirname(fileURLToPath(import.meta.url))
const { values } = parseArgs({
  options: {
    nanogpt: { type: 'string' },
    data: { type: 'string' },
    seeds: { type: 'string', default: '1,2,3' },
    threads: { type: 'string', default: '2' },
    python: { type: 'string', default: 'python3' },
    json: { type: 'boolean', default: false },
  },
})
if (!values.nanogpt || !values.data) {
  console.error('Usage: npm run benchmark -- nanogpt --nanogpt CHECKOUT --data tinyshakespeare.txt [--seeds 1,2,3] [--threads 2] [--python PYTHON] [--json]')
  process.exit(2)
}
const data = resolve(values.data)
const work = mkdtempSync(join(tmpdir(), 'chainrule-nanogpt-'))
const checkout = join(work, 'nanogpt')
cpSync(resolve(values.nanogpt), checkout, { recursive: true })

function run(program, args, options = {}) {
  const result = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, OMP_NUM_THREADS: values.threads, MKL_NUM_THREADS: values.threads }, ...options })
  if (result.status !== 0) throw new Error(`${program} ${args.join(' ')} failed:\n${result.stdout}\n${result.stderr}`)
  return result.stdout
}

/** nanoGPT reads uint16 tokens and a pickled vocabulary size; its own prepare.py would do the same, after a download. */
function prepare() {
  const folder = join(checkout, 'data', 'shakespeare_char')
  mkdirSync(folder, { recursive: true })
  cpSync(data, join(folder, 'input.txt'))
  run(values.python, ['prepare.py'], { cwd: folder })
}

const configuration = ['--device=cpu', '--compile=False', '--eval_iters=1', '--log_interval=1000', '--block_size=64', '--batch_size=12', '--n_layer=4', '--n_head=4', '--n_embd=128', '--max_iters=2000', '--lr_decay_iters=2000', '--dropout=0.0', '--always_save_checkpoint=True', '--eval_interval=2000']

function theirs(seed) {
  const script = readFileSync(join(checkout, 'train.py'), 'utf8').replace('torch.manual_seed(1337 + seed_offset)', `torch.manual_seed(${seed} + seed_offset)`)
  writeFileSync(join(checkout, 'train_seeded.py'), script)
  const out = join(work, `out-${seed}`)
  const started = performance.now()
  run(values.python, ['train_seeded.py', 'config/train_shakespeare_char.py', ...configuration, `--out_dir=${out}`], { cwd: checkout })
  const seconds = (performance.now() - started) / 1000
  // Its model.py prints its size first; the last line is ours.
  const printed = run(values.python, [join(here, 'nanogpt', 'evaluate.py'), checkout, join(out, 'ckpt.pt'), data])
  return { ...JSON.parse(printed.trim().split('\n').at(-1)), seconds }
}

function ours(seed) {
  const started = performance.now()
  const printed = run(process.execPath, [join(here, '..', 'recipes', 'tinyshakespeare.mjs'), '--data', data, '--seeds', String(seed), '--threads', values.threads])
  return { natsPerCharacter: Number(/: ([\d.]+) nats/.exec(printed)[1]), seconds: (performance.now() - started) / 1000 }
}

const rows = []
try {
  prepare()
  for (const seed of values.seeds.split(',').map(Number)) {
    const row = { seed, nanogpt: theirs(seed), chainrule: ours(seed), load: loadavg()[0] }
    rows.push(row)
    console.error(`seed ${seed}: nanoGPT ${row.nanogpt.natsPerCharacter.toFixed(5)} nats, ${row.nanogpt.seconds.toFixed(0)} s; chainrule ${row.chainrule.natsPerCharacter.toFixed(5)} nats, ${row.chainrule.seconds.toFixed(0)} s; load ${row.load.toFixed(2)}`)
  }
} finally {
  rmSync(work, { recursive: true, force: true })
}
const mean = (pick) => rows.reduce((sum, row) => sum + pick(row), 0) / rows.length
const summary = {
  nanogptNatsPerCharacter: mean((row) => row.nanogpt.natsPerCharacter),
  chainruleNatsPerCharacter: mean((row) => row.chainrule.natsPerCharacter),
  secondsRatio: mean((row) => row.nanogpt.seconds) / mean((row) => row.chainrule.seconds),
  threads: Number(values.threads),
  node: process.version,
  torch: rows[0]?.nanogpt.torch,
}
if (values.json) console.log(JSON.stringify({ rows, summary }, null, 2))
else {
  console.log(`mean of ${rows.length} seeds: nanoGPT ${summary.nanogptNatsPerCharacter.toFixed(5)}, chainrule ${summary.chainruleNatsPerCharacter.toFixed(5)} nats per character`)
  console.log(`time, whole programs: nanoGPT / chainrule = ${summary.secondsRatio.toFixed(2)}`)
}
