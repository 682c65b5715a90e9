/**
 * Held-out nats per character on tinyshakespeare, with the configuration and the budget of nanoGPT's CPU example:
 * 4 layers, 4 heads, width 128, context 64, batch 12, 2,000 updates (preset `small`).
 *
 *   node recipes/tinyshakespeare.mjs --data tinyshakespeare.txt [--seeds 1,2,3] [--threads 2] [--out FOLDER]
 *
 * Protocol: the first 90 % of the file train, the last 10 % are held out; all non-overlapping windows of 64 scored characters (a remainder of
 * fewer at the end is left out), the first of each predicted from the character before the window; final weights; the 65 symbols of the
 * whole file. The same protocol on nanoGPT's own code: benchmarks/nanogpt. Time: about 2 minutes a seed on 2 cores.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { character, evaluate, exportModel, fit, presetModel, presetNamed, readText, splitHeldOut } from '@chainrule/text'

const { values } = parseArgs({ options: { data: { type: 'string' }, seeds: { type: 'string', default: '1,2,3' }, threads: { type: 'string', default: '2' }, out: { type: 'string' } } })
if (!values.data) {
  console.error('Usage: node recipes/tinyshakespeare.mjs --data tinyshakespeare.txt [--seeds 1,2,3] [--threads 2] [--out FOLDER]')
  process.exit(2)
}
const text = await readText(values.data)
const { begin } = splitHeldOut(text, 0.1)
const window = 64
const end = begin + Math.floor((text.length - begin) / window) * window
const preset = presetNamed('small')
const results = []
for (const seed of values.seeds.split(',').map(Number)) {
  const started = performance.now()
  const trained = await fit(presetModel(preset, character({ characters: text })), text.slice(0, begin), {
    ...preset.settings,
    seed,
    threads: Number(values.threads),
    onProgress: ({ step, steps, nats }) => step % 250 === 0 && console.error(`seed ${seed}: update ${step} of ${steps}, ${nats.toFixed(4)} nats`),
  })
  const seconds = (performance.now() - started) / 1000
  const { natsPerCharacter, tokens } = await evaluate(trained, text, { begin, end })
  console.log(`seed ${seed}: ${natsPerCharacter.toFixed(5)} nats per character over ${tokens} held-out characters, trained in ${seconds.toFixed(1)} s`)
  results.push(natsPerCharacter)
  if (values.out) await exportModel(trained, join(values.out, `tinyshakespeare-${seed}`), { overwrite: true, data: { file: 'tinyshakespeare.txt' }, results: { heldOutNatsPerCharacter: natsPerCharacter } })
}
const mean = results.reduce((sum, value) => sum + value, 0) / results.length
console.log(`mean of ${results.length}: ${mean.toFixed(5)} nats per character`)
