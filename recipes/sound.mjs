/**
 * Bits per sample of held-out recordings of 16 bits: models of samples and of frames, beside FLAC, linear prediction and an order-0 count.
 *
 *   node recipes/sound.mjs --set digits --data FOLDER [--only orderZero,linear,flac,prediction,plain,frames,independentFrames] [--steps N] [--order 16] [--seed 1] [--out FOLDER] [--flac flac]
 *   node recipes/sound.mjs --set speech --data FOLDER …
 *
 * digits: the Free Spoken Digit Dataset (3,000 WAV files DIGIT_SPEAKER_NUMBER.wav, 8 kHz, CC-BY-SA 4.0); its official split, numbers 0 … 4 are the test.
 * speech: the Debian package festvox-ru (620 utterances of one Russian speaker, 16 kHz; `apt-get download festvox-ru; dpkg-deb -x festvox-ru_*.deb DIRECTORY`, folder
 * usr/share/festival/voices/russian/msu_ru_nsh_clunits/wav); training: the first 200 by name; test: the last 20.
 * Results, commands and times: docs/experiments/audio.md.
 *
 * Protocol: each sound is measured whole, from its beginning, by log₂ p of its 16-bit values, ends not counted. Where all values of a recording are multiples
 * of 2ᵏ (one of the six speakers of digits was recorded with 8 bits), they are divided by it, as FLAC does, and 4 bits for k are added to every sound.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { audioModel, causalConvolution, discretizedLogisticMixture, exportModel, fit, frameHead, frames, linear as linearEncoding, onnx, openTrained, predictionFilter, readSound, score, wholeFrames } from '@chainrule/audio'
import { plan } from '@chainrule/train'
import { flac, linear, orderZero, versionOfFlac } from './sound-baselines.mjs'

const option = (value) => ({ type: 'string', default: value })
const { values } = parseArgs({
  options: { set: option('digits'), data: option(''), only: option('orderZero,linear,flac,prediction,plain,frames,independentFrames'), steps: option('6000'), batchSize: option('8'), window: option('1024'), learningRate: option('0.003'), order: option('16'), seed: option('1'), out: option(''), flac: option('flac') },
})
const [steps, batchSize, seed, window] = [values.steps, values.batchSize, values.seed, values.window].map(Number)
const wanted = new Set(values.only.split(','))
const names = readdirSync(values.data).filter((name) => name.endsWith('.wav')).sort()
const isTest = values.set === 'digits' ? (name) => Number(/_(\d+)\.wav$/.exec(name)[1]) < 5 : (_, at) => at >= names.length - 20
const isTraining = values.set === 'digits' ? (name) => !isTest(name) : (_, at) => at < 200
const groupOf = values.set === 'digits' ? (name) => name.split('_')[1] : () => 'all'

/** The sound of a file divided by the largest power of two that leaves whole numbers. */
async function recording(name) {
  const { sampleRateHz, samples } = await readSound(join(values.data, name))
  let all = 0
  for (const sample of samples) all |= sample * 32_768
  const step = all === 0 ? 1 : all & -all
  const numbers = Int32Array.from(samples, (sample) => (sample * 32_768) / step)
  return { name, numbers, sound: { sampleRateHz, samples: Float32Array.from(numbers, (value) => value / 32_768) } }
}
const training = await Promise.all(names.filter(isTraining).map(recording))
const test = await Promise.all(names.filter(isTest).map(recording))
const count = (sounds) => sounds.reduce((sum, { numbers }) => sum + numbers.length, 0)
const { sampleRateHz } = training[0].sound
console.log(`${values.set}: ${training.length} sounds and ${count(training)} samples to train on, ${test.length} and ${count(test)} to test, ${sampleRateHz} Hz; ${process.version}, one thread, load ${loadavg()[0].toFixed(1)} at the start`)

const groups = [...new Set(test.map(({ name }) => groupOf(name)))]
function row(title, bitsOf, note) {
  const bits = test.map(bitsOf)
  const of = (keep) => bits.reduce((sum, value, at) => sum + (keep(test[at]) ? value : 0), 0) / count(test.filter(keep))
  const each = groups.length > 1 ? groups.map((group) => of(({ name }) => groupOf(name) === group).toFixed(2)).join(' | ') + ' | ' : ''
  console.log(`| ${title} | ${of(() => true).toFixed(4)} | ${each}${note} |`)
}
console.log(`| | bits per sample | ${groups.length > 1 ? groups.join(' | ') + ' | ' : ''}|`)

const flag = 4
if (wanted.has('orderZero')) {
  const bitsOf = orderZero(training.map(({ numbers }) => numbers))
  row('order 0', ({ numbers }) => flag + bitsOf(numbers), '')
}
for (const order of [16, 32]) {
  if (!wanted.has('linear')) continue
  const bitsOf = linear(training.map(({ numbers }) => numbers), order)
  row(`linear prediction, order ${order}`, ({ numbers }) => flag + bitsOf(numbers), '')
}
if (wanted.has('flac')) {
  const files = test.map(({ name }) => flac(values.flac, join(values.data, name)))
  row(`FLAC, files`, (_, at) => 8 * files[at].size, versionOfFlac(values.flac))
  row(`FLAC, frames without the header of a file`, (_, at) => 8 * files[at].frames, '')
}

const filter = predictionFilter(training.map(({ sound }) => sound), { order: Number(values.order) })
const range = 1 / 64
const models = {
  prediction: [1, { network: causalConvolution({ layers: 10, width: 32, prediction: { filter, lags: 32, unit: range } }), head: discretizedLogisticMixture({ components: 3, range }) }],
  plain: [1, { network: causalConvolution({ layers: 10, width: 32, input: 'scaled' }), head: discretizedLogisticMixture({ components: 3, range }) }],
  frames: [16, { network: causalConvolution({ layers: 8, width: 128, input: 'scaled' }), head: frameHead({ sample: discretizedLogisticMixture({ components: 3, range }) }) }],
  independentFrames: [16, { network: causalConvolution({ layers: 8, width: 128, input: 'scaled' }), head: frameHead({ sample: discretizedLogisticMixture({ components: 3, range }), independent: true }) }],
}
for (const [title, [length, pieces]] of Object.entries(models)) {
  if (!wanted.has(title)) continue
  const model = audioModel({ tokenizer: frames({ sampleRateHz, length, encoding: linearEncoding() }), ...pieces })
  const settings = { steps, batchSize, seed, learningRate: Number(values.learningRate), minimumLearningRate: Number(values.learningRate) / 100, weightDecay: 0.01 }
  const T = window / length
  const { forwardOperations, backwardOperations, parameters } = await plan(model.model, { ...settings, engine: onnx({ threads: 1 }), length: T })
  const [begun, used] = [performance.now(), process.cpuUsage()]
  const loads = []
  const progress = ({ step, nats, secondsLeft }) => {
    if (step % 100 > 0) return
    loads.push(loadavg()[0])
    console.error(`${title}: update ${step} of ${steps}, ${(nats / length / Math.LN2).toFixed(3)} bits a sample, ${Math.round(secondsLeft)} s left`)
  }
  const sounds = training.map(({ sound }) => wholeFrames(sound, length)).filter(({ samples }) => samples.length >= window)
  const trained = await fit(model, sounds, { ...settings, window: T, threads: 1, onProgress: progress })
  const { user, system } = process.cpuUsage(used)
  const [seconds, processor] = [(performance.now() - begun) / 1000, (user + system) / 1e6]
  if (values.out) {
    mkdirSync(values.out, { recursive: true })
    await exportModel(trained, join(values.out, title), { overwrite: true, data: { set: values.set }, dataLicence: values.set === 'digits' ? 'CC-BY-SA-4.0' : 'BSD-like' })
  }
  // The last samples that fill no frame cost 16 bits each: what a frame model gives away is counted.
  const opened = await openTrained(trained)
  const bits = []
  for (const { sound, numbers } of test) {
    const whole = wholeFrames(sound, length)
    bits.push(flag + (await score(opened, whole)).totalNats / Math.LN2 + 16 * (numbers.length - whole.samples.length))
  }
  await opened.release()
  const load = loads.reduce((sum, value) => sum + value, 0) / Math.max(1, loads.length)
  row(title, (_, at) => bits[at], `${parameters} parameters, ${steps} updates of ${batchSize} × ${window} samples, ${((forwardOperations + backwardOperations) * steps / 1e12).toFixed(1)} TFLOP, ${seconds.toFixed(0)} s, of them processor ${processor.toFixed(0)} s, load ${load.toFixed(1)}`)
  if (values.out) writeFileSync(join(values.out, `${title}.json`), JSON.stringify(Object.fromEntries(test.map(({ name }, at) => [name, bits[at]]))))
}
