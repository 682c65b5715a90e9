/**
 * llama2.c in the generation benchmark, compiled from a given run.c. It has an architecture of its own (gated feed-forward layers, other
 * normalisation): this is one of the same number of weights, random ones. Its end, token 1, is made improbable, so that texts have full length.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { normalInitial } from '@chainrule/core/tensors'

/** The file that it reads: 7 whole numbers, then the matrices, all layers of each. A gated layer of 8/3 has as many weights as two of 4. */
function checkpoint({ layers, heads, width, values, context }) {
  const hidden = Math.round((8 * width) / 3)
  const header = Int32Array.of(width, hidden, layers, heads, heads, -values, context)
  let seed = 0
  const drawn = (rows, columns) => normalInitial(1, `matrix ${++seed}`, [rows, columns], 0.02).data
  const ones = (count) => new Float32Array(count).fill(1)
  // Coordinate 0 of the residual stream is 4 and stays so: nothing is added to it.
  const isolated = (rows, columns) => {
    const all = drawn(layers * rows, columns)
    for (let layer = 0; layer < layers; layer++) all.fill(0, layer * rows * columns, layer * rows * columns + columns)
    return all
  }
  const embedding = drawn(values, width)
  for (let row = 0; row < values; row++) embedding[row * width] = 4
  const classifier = drawn(values, width)
  classifier[width] = -100
  const square = () => drawn(layers * width, width)
  const parts = [embedding, ones(layers * width), square(), square(), square(), isolated(width, width), ones(layers * width), drawn(layers * hidden, width), isolated(width, hidden), drawn(layers * hidden, width), ones(width), new Float32Array(context * (width / heads)), classifier]
  return Buffer.concat([header, ...parts].map(({ buffer }) => Buffer.from(buffer)))
}

/** Its vocabulary: the longest length, then of each token a score, a length and the text. */
function tokenizer(values) {
  const whole = (number) => Buffer.from(Int32Array.of(number).buffer)
  return Buffer.concat([whole(1), ...Array.from({ length: values }, (_, token) => [Buffer.from(Float32Array.of(0).buffer), whole(1), Buffer.from([97 + (token % 26)])]).flat()])
}

/** @returns { version, draw(length) }, or { missing } */
export function openLlama2c(path, folder, configuration) {
  if (!path) return { missing: 'give --llama2c a clone of github.com/karpathy/llama2.c, or its run.c' }
  const source = statSync(path).isDirectory() ? join(path, 'run.c') : path
  if (!existsSync(source)) return { missing: `${source} does not exist` }
  if (spawnSync('gcc', ['--version']).error) return { missing: 'gcc is not installed' }
  const program = join(folder, 'llama2c')
  const compiled = spawnSync('gcc', ['-Ofast', '-march=native', '-o', program, source, '-lm'], { encoding: 'utf8' })
  if (compiled.status !== 0) return { missing: `run.c does not compile: ${compiled.stderr}` }
  const [model, vocabulary] = [join(folder, 'llama2c.bin'), join(folder, 'llama2c-tokenizer.bin')]
  writeFileSync(model, checkpoint(configuration))
  writeFileSync(vocabulary, tokenizer(configuration.values))
  let seed = 0
  return {
    version: `run.c ${createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 8)}`,
    /** Seconds as it prints them, which leave out loading and the first token; of the processor, the whole program. */
    draw(length) {
      const script = `TIMEFORMAT='%U %S'; time "$0" "$1" -z "$2" -t 1.0 -p 1.0 -n ${length} -s ${++seed}`
      const { stdout, stderr, status } = spawnSync('bash', ['-c', script, program, model, vocabulary], { encoding: 'latin1' })
      const speed = Number(/achieved tok\/s: ([\d.]+)/.exec(stderr)?.[1])
      if (status !== 0 || stdout.trim().length < length) throw new Error(`llama2.c wrote ${stdout.trim().length} of ${length} tokens: ${stderr}`)
      const [user, system] = stderr.trim().split('\n').at(-1).split(' ').map(Number)
      return { seconds: length / speed, processorSeconds: user + system }
    },
  }
}
