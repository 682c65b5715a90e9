/**
 * A generator of spoken digits, told which digit: one of ten labels is its condition. Bits per sample, and quality by measurement.
 *
 *   node recipes/spoken-digits.mjs --out FOLDER [--steps 4000] [--seed 1] [--draws 10] [--temperatures 1,0.9] [--only train,measure]
 *
 * Data: apps/demo/data/spoken-digits.flac, 500 recordings of one speaker with 8 bits; the set's own split, numbers 0 … 4 of each digit are the test.
 * Model: a WaveNet of samples with linear prediction, a mixture of logistics and beside it the end, so that sounds end by themselves. A training window of 3,072 samples holds most recordings whole, and shows its last layer what
 * lies 2,048 samples back. Results: docs/experiments/audio.md.
 *
 * Measured of the test recordings, of --draws generated sounds for each digit, and of 50 training recordings (numbers 5 … 9; what other takes of the same words get):
 *   recovered   how many the classifier of digit-classifier.mjs, trained on the 450 training recordings, hears as the digit that was asked for
 *   spectrum    the mean spectrum of a digit (dB in 16 bands, time averaged) less that of the training recordings, root mean square over bands and digits
 *   envelope    the same of the loudness (dB in 20 parts of the sound's length)
 *   duration    the mean over that of the training recordings
 * Continuations: of one test recording for each digit, the first half is given, the rest is drawn; `recovered` says what the classifier hears then.
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { audioModel, causalConvolution, discretizedLogisticMixture, evaluate, exportModel, fit, frames, label, linear, loadModel, onnx, plan, predictionFilter, readSound, sample, writeSpectrogram, writeWav, writeWaveform } from '@chainrule/audio'
import { featuresOf, trainClassifier } from './digit-classifier.mjs'

const option = (value) => ({ type: 'string', default: value })
const { values } = parseArgs({ options: { out: option('spoken-digits'), steps: option('4000'), batchSize: option('6'), window: option('3072'), seed: option('1'), draws: option('10'), temperatures: option('1,0.9'), only: option('train,measure') } })
const [steps, batchSize, window, seed, draws] = [values.steps, values.batchSize, values.window, values.seed, values.draws].map(Number)
const bundled = (file) => fileURLToPath(new URL(`../apps/demo/data/${file}`, import.meta.url))
mkdirSync(values.out, { recursive: true })

const { samples: all, sampleRateHz } = await readSound(bundled('spoken-digits.flac'))
let end = 0
const recordings = JSON.parse(readFileSync(bundled('spoken-digits.json'), 'utf8')).sounds.map(({ name, label: digit, samples }) => ({ number: Number(name.split('_')[2]), digit: Number(digit), sound: { sampleRateHz, samples: all.slice(end, (end += samples)), label: digit } }))
const training = recordings.filter(({ number }) => number >= 5)
const test = recordings.filter(({ number }) => number < 5)
const soundsOf = (list) => list.map(({ sound }) => sound)

/** The amplitude that is 1 to network and head. */
const unit = 1 / 16
const model = audioModel({
  tokenizer: frames({ sampleRateHz, encoding: linear({ bits: 8 }), ends: true }),
  network: causalConvolution({ layers: 12, width: 32, skipWidth: 64, dilations: Array.from({ length: 12 }, (_, power) => 2 ** power), prediction: { filter: predictionFilter(soundsOf(training)), lags: 32, unit } }),
  head: discretizedLogisticMixture({ components: 5, range: unit }),
  condition: label({ names: Array.from({ length: 10 }, (_, digit) => String(digit)) }),
})

const directory = join(values.out, 'model')
if (values.only.includes('train')) {
  const settings = { steps, batchSize, seed, window, learningRate: 3e-3, minimumLearningRate: 3e-5, weightDecay: 0.01 }
  const { parameters, forwardOperations, backwardOperations } = await plan(model, { ...settings, engine: onnx({ threads: 1 }) })
  const [begun, used, loads] = [performance.now(), process.cpuUsage(), []]
  const onProgress = ({ step, nats, secondsLeft }) => {
    if (step % 50 > 0) return
    loads.push(loadavg()[0])
    console.error(`update ${step} of ${steps}, ${nats.toFixed(3)} nats, ${Math.round(secondsLeft)} s left`)
  }
  const trained = await fit(model, soundsOf(training), { ...settings, threads: 1, onProgress })
  const { user, system } = process.cpuUsage(used)
  console.log(`${parameters} parameters, ${steps} updates of ${batchSize} × ${window} samples, ${(((forwardOperations + backwardOperations) * steps) / 1e12).toFixed(1)} TFLOP, ${((performance.now() - begun) / 1000).toFixed(0)} s, of them processor ${((user + system) / 1e6).toFixed(0)} s, load ${(loads.reduce((sum, value) => sum + value, 0) / Math.max(1, loads.length)).toFixed(1)}`)
  await exportModel(trained, directory, { overwrite: true, data: { set: 'spoken-digits' }, dataLicence: 'CC-BY-SA-4.0' })
}

if (values.only.includes('measure')) {
  const loaded = await loadModel(directory, { provider: 'cpu', threads: 1 })
  const heldOut = await evaluate(loaded, soundsOf(test))
  console.log(`held out: ${heldOut.bitsPerSample.toFixed(4)} bits per sample, ends counted`)

  const most = 5_000
  const drawn = []
  const digits = Array.from({ length: 10 * draws }, (_, at) => Math.floor(at / draws))
  for (const temperature of values.temperatures.split(',').map(Number)) {
    const begun = performance.now()
    const sounds = (await sample(loaded, { label: digits, frames: most, seed, temperature })).map((sound, at) => ({ digit: digits[at], sound }))
    console.log(`temperature ${temperature}: ${sounds.length} sounds drawn together in ${((performance.now() - begun) / 1000).toFixed(0)} s; ${sounds.filter(({ sound }) => sound.samples.length < most).length} ended by themselves`)
    drawn.push({ temperature, sounds })
  }

  const continued = []
  // Each with a seed of its own: noise belongs to positions, so that one seed would end them all at the same place.
  for (const [at, { digit, sound }] of test.filter(({ number }) => number < 1).entries()) {
    const prompt = { sampleRateHz, samples: sound.samples.slice(0, Math.floor(sound.samples.length / 2)) }
    const [longer] = await sample(loaded, { label: digit, frames: most, seed: seed + 1 + at, prompt })
    continued.push({ digit, sound: longer })
  }
  await loaded.release()

  const hear = trainClassifier(training)
  const takes = training.filter(({ number }) => number < 10)
  const others = training.filter(({ number }) => number >= 10)
  console.log('| | recovered | spectrum, dB | envelope, dB | duration |\n|---|---|---|---|---|')
  const generated = drawn.map(({ temperature, sounds }) => [`generated, temperature ${temperature}`, sounds])
  for (const [title, sounds] of [['held-out recordings', test], ['50 training recordings, against the other 400', takes], ...generated, ['held-out first halves, continued', continued]]) {
    const sane = sounds.filter(({ sound }) => sound.samples.length > 400)
    const heard = sane.filter(({ digit, sound }) => hear(sound) === digit)
    const { spectrum, envelope, duration } = distance(sane, sounds === takes ? others : training)
    console.log(`| ${title} | ${heard.length} of ${sounds.length} | ${spectrum.toFixed(2)} | ${envelope.toFixed(2)} | ${duration.toFixed(2)} |`)
    console.error(`${title}: of each digit recovered ${Array.from({ length: 10 }, (_, digit) => heard.filter((each) => each.digit === digit).length).join(' ')}`)
  }

  const oneEach = (list) => Array.from({ length: 10 }, (_, digit) => list.find((each) => each.digit === digit).sound)
  const shown = [['recorded', oneEach(test)], ['continued', soundsOf(continued)], ...drawn.map(({ temperature, sounds }) => [`generated-${temperature}`, oneEach(sounds)])]
  for (const [name, sounds] of shown) {
    writeSpectrogram(join(values.out, `${name}-spectrograms.png`), sounds, { width: 240, height: 40 })
    writeWaveform(join(values.out, `${name}-waves.png`), sounds, { width: 240, height: 40 })
    sounds.forEach((sound, digit) => writeWav(join(values.out, `${name}-${digit}.wav`), sound))
  }
}

/** How far sounds are from others, digit by digit. */
function distance(sounds, reference) {
  const mean = (list, of) => list.map(of).reduce((sum, each) => sum.map((value, at) => value + each[at] / list.length), new Array(of(list[0]).length).fill(0))
  const squares = { spectrum: [], envelope: [] }
  for (let digit = 0; digit < 10; digit++) {
    const [own, other] = [sounds, reference].map((list) => list.filter((each) => each.digit === digit).map(({ sound }) => featuresOf(sound)))
    if (own.length === 0) continue
    for (const kind of ['spectrum', 'envelope']) {
      const [a, b] = [own, other].map((list) => mean(list, (features) => features[kind]))
      a.forEach((value, at) => squares[kind].push((value - b[at]) ** 2))
    }
  }
  const root = (list) => Math.sqrt(list.reduce((sum, value) => sum + value, 0) / list.length)
  const length = (list) => list.reduce((sum, { sound }) => sum + sound.samples.length / list.length, 0)
  return { spectrum: root(squares.spectrum), envelope: root(squares.envelope), duration: length(sounds) / length(reference) }
}
