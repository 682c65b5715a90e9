/**
 * A generator of spoken digits, told which digit: one of ten labels is its condition. Bits per sample, and quality by measurement.
 *
 *   node recipes/spoken-digits.mjs --out FOLDER [--steps 1000] [--seed 1] [--only train,measure]
 *
 * Data: apps/demo/data/spoken-digits.flac, 500 recordings of one speaker with 8 bits; the set's own split, numbers 0 … 4 of each digit are the test.
 * Model: a WaveNet of samples, whose sounds end by themselves. Results: docs/experiments/audio.md.
 *
 * Measured of the test recordings, of 3 generated sounds for each digit, and of 50 training recordings (numbers 5 … 9; what other takes of the same words get):
 *   recovered   how many the classifier of digit-classifier.mjs, trained on the 450 training recordings, hears as the digit that was asked for
 *   spectrum    the mean spectrum of a digit (dB in 16 bands, time averaged) less that of the training recordings, root mean square over bands and digits
 *   envelope    the same of the loudness (dB in 20 parts of the sound's length)
 *   duration    the mean over that of the training recordings
 * Continuations: of one test recording for each digit, the first half is given, the rest is drawn; `recovered` says what the classifier hears then.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { categorical, causalConvolution, frames, leftToRight, linear, loadModel, onnx, readSound, writeSpectrogram, writeWav, writeWaveform } from '@chainrule/audio'
import { bitsPerSample, describe, label } from '@chainrule/core'
import { createModel } from '@chainrule/core/tensors'
import { recordModel } from '@chainrule/onnx'
import { fit, plan } from '@chainrule/train'
import { featuresOf, trainClassifier } from './digit-classifier.mjs'

const option = (value) => ({ type: 'string', default: value })
const { values } = parseArgs({ options: { out: option('spoken-digits'), steps: option('1000'), batchSize: option('6'), window: option('2048'), seed: option('1'), only: option('train,measure') } })
const [steps, batchSize, window, seed] = [values.steps, values.batchSize, values.window, values.seed].map(Number)
const bundled = (file) => fileURLToPath(new URL(`../apps/demo/data/${file}`, import.meta.url))
mkdirSync(values.out, { recursive: true })

const { samples: all, sampleRateHz } = await readSound(bundled('spoken-digits.flac'))
let end = 0
const recordings = JSON.parse(readFileSync(bundled('spoken-digits.json'), 'utf8')).sounds.map(({ name, label: digit, samples }) => ({ number: Number(name.split('_')[2]), digit: Number(digit), sound: { sampleRateHz, samples: all.slice(end, (end += samples)) } }))
const training = recordings.filter(({ number }) => number >= 5)
const test = recordings.filter(({ number }) => number < 5)

const tokenizer = frames({ sampleRateHz, encoding: linear({ bits: 8 }), ends: true })
const network = causalConvolution({ layers: 12, width: 32, skipWidth: 64, dilations: Array.from({ length: 12 }, (_, power) => 2 ** power) })
const model = createModel({ domain: tokenizer.domain, order: leftToRight(), network, head: categorical(), condition: label({ names: Array.from({ length: 10 }, (_, digit) => String(digit)) }) })

/** A window of every recording from every place, the first T of them its beginning; after the end of a recording comes its end. */
const encoded = training.map(({ digit, sound }) => ({ x: tokenizer.encode(sound), condition: Int32Array.of(digit) }))
const places = encoded.flatMap(({ x }, which) => Array.from({ length: x.length }, (_, at) => [which, Math.max(0, Math.min(at - window / 2, x.length - window))]))
const data = {
  length: places.length,
  at(index) {
    const [which, begin] = places[index]
    const { x, condition } = encoded[which]
    const part = new Int32Array(window).fill(tokenizer.domain.end)
    part.set(x.subarray(begin, begin + window))
    return { x: part, condition, ...(begin > 0 && { previous: x.slice(begin - 1, begin) }) }
  },
}

const directory = join(values.out, 'model')
if (values.only.includes('train')) {
  const settings = { steps, batchSize, seed, learningRate: 3e-3, minimumLearningRate: 3e-5, weightDecay: 0.01 }
  const engine = onnx({ threads: 1 })
  const { parameters: numbers, forwardOperations, backwardOperations } = await plan(model, { ...settings, engine, length: window })
  const [begun, used, loads] = [performance.now(), process.cpuUsage(), []]
  const onProgress = ({ step, nats, secondsLeft }) => {
    if (step % 50 > 0) return
    loads.push(loadavg()[0])
    console.error(`update ${step} of ${steps}, ${nats.toFixed(3)} nats, ${Math.round(secondsLeft)} s left`)
  }
  const { parameters } = await fit(model, data, { ...settings, engine, length: window, onProgress })
  const { user, system } = process.cpuUsage(used)
  console.log(`${numbers} parameters, ${steps} updates of ${batchSize} × ${window} samples, ${(((forwardOperations + backwardOperations) * steps) / 1e12).toFixed(1)} TFLOP, ${((performance.now() - begun) / 1000).toFixed(0)} s, of them processor ${((user + system) / 1e6).toFixed(0)} s, load ${(loads.reduce((sum, value) => sum + value, 0) / loads.length).toFixed(1)}`)
  const files = recordModel({ model, parameters, modality: 'audio', tokenizer: describe(tokenizer), card: { data: { set: 'spoken-digits', licence: 'CC-BY-SA-4.0' }, results: {}, training: settings, exportedAt: new Date().toISOString() } })
  mkdirSync(directory, { recursive: true })
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(directory, name), bytes)
}

if (values.only.includes('measure')) {
  const loaded = await loadModel(directory, { provider: 'cpu', threads: 1 })
  const { opened } = loaded
  let [nats, samples] = [0, 0]
  for (const { digit, sound } of test) {
    const x = tokenizer.encode(sound)
    nats += (await opened.score({ x, length: x.length, condition: Int32Array.of(digit) })).reduce((sum, value) => sum + value, 0)
    samples += sound.samples.length
  }
  console.log(`held out: ${bitsPerSample(nats, samples).toFixed(4)} bits per sample, ends counted`)

  const most = 5_000
  const drawn = []
  const digits = Int32Array.from({ length: 30 }, (_, at) => Math.floor(at / 3))
  const begun = performance.now()
  const { values: x } = await opened.sample({ count: 30, length: most, seed, condition: digits })
  for (const [at, digit] of digits.entries()) drawn.push({ digit, sound: tokenizer.decode(x.slice(at * most, (at + 1) * most)) })
  console.log(`30 sounds drawn together in ${((performance.now() - begun) / 1000).toFixed(0)} s; ${drawn.filter(({ sound }) => sound.samples.length < most).length} ended by themselves`)

  const continued = []
  // Each with a seed of its own: noise belongs to positions, so that one seed would end them all at the same place.
  for (const [at, { digit, sound }] of test.filter(({ number }) => number < 1).entries()) {
    const prompt = tokenizer.encode({ sampleRateHz, samples: sound.samples.subarray(0, Math.floor(sound.samples.length / 2)) }).slice(0, -1)
    const { values: rest } = await opened.sample({ count: 1, length: most, seed: seed + 1 + at, condition: Int32Array.of(digit), prompt })
    continued.push({ digit, sound: tokenizer.decode(Int32Array.of(...prompt, ...rest)) })
  }
  await loaded.release()

  const hear = trainClassifier(training)
  const takes = training.filter(({ number }) => number < 10)
  const others = training.filter(({ number }) => number >= 10)
  console.log('| | recovered | spectrum, dB | envelope, dB | duration |\n|---|---|---|---|---|')
  for (const [title, sounds] of [['held-out recordings', test], ['50 training recordings, against the other 400', takes], ['generated', drawn], ['held-out first halves, continued', continued]]) {
    const sane = sounds.filter(({ sound }) => sound.samples.length > 400)
    const right = sane.filter(({ digit, sound }) => hear(sound) === digit).length
    const { spectrum, envelope, duration } = distance(sane, sounds === takes ? others : training)
    console.log(`| ${title} | ${right} of ${sounds.length} | ${spectrum.toFixed(2)} | ${envelope.toFixed(2)} | ${duration.toFixed(2)} |`)
  }

  const oneEach = Array.from({ length: 10 }, (_, digit) => drawn.find((each) => each.digit === digit).sound)
  const real = Array.from({ length: 10 }, (_, digit) => test.find((each) => each.digit === digit).sound)
  for (const [name, sounds] of [['generated', oneEach], ['recorded', real], ['continued', continued.map(({ sound }) => sound)]]) {
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
