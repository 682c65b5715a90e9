/**
 * Held-out nats per character on tinyshakespeare.
 *
 *   node recipes/tinyshakespeare.mjs --data tinyshakespeare.txt [--preset small] [--seeds 1,2,3] [--threads 2] [--out FOLDER]
 *
 * small: configuration and budget of nanoGPT's CPU example (4 layers, 4 heads, width 128, context 64, batch 12, 2,000 updates; 7.7 TFLOP).
 *   Expected: 1.780 (mean of seeds 1 to 3). The same protocol on nanoGPT's own code: benchmarks/nanogpt.mjs.
 * tiny: the best found for about 3 minutes on two cores (16 TFLOP); docs/experiments/tiny.md has what was tried.
 *
 * Variations: --network and --settings take JSON that is laid over the preset's, for example --network '{"positions":"learned"}'.
 *
 * Protocol: the first 90 % of the file train, the last 10 % are held out; all non-overlapping windows of the preset's context (a remainder of
 * fewer characters at the end is left out), the first character of each predicted from the one before the window; final weights; the 65 symbols
 * of the whole file.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { character, evaluate, exportModel, fit, presetModel, presetNamed, readText, splitHeldOut } from '@chainrule/text'

const { values } = parseArgs({ options: { data: { type: 'string' }, preset: { type: 'string', default: 'small' }, network: { type: 'string', default: '{}' }, settings: { type: 'string', default: '{}' }, seeds: { type: 'string', default: '1,2,3' }, threads: { type: 'string', default: '2' }, out: { type: 'string' } } })
if (!values.data) {
  console.error('Usage: node recipes/tinyshakespeare.mjs --data tinyshakespeare.txt [--preset small] [--seeds 1,2,3] [--threads 2] [--out FOLDER]')
  process.exit(2)
}
const text = await readText(values.data)
const { begin } = splitHeldOut(text, 0.1)
const named = presetNamed(values.preset)
const preset = { ...named, network: { ...named.network, ...JSON.parse(values.network) }, settings: { ...named.settings, ...JSON.parse(values.settings) } }
const window = preset.network.context
const end = begin + Math.floor((text.length - begin) / window) * window
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
  if (values.out) await exportModel(trained, join(values.out, `tinyshakespeare-${values.preset}-${seed}`), { overwrite: true, data: { file: 'tinyshakespeare.txt' }, results: { heldOutNatsPerCharacter: natsPerCharacter } })
}
const mean = results.reduce((sum, value) => sum + value, 0) / results.length
console.log(`mean of ${results.length}: ${mean.toFixed(5)} nats per character`)
