/**
 * `chainrule demo`, what `npm start` runs: a language model from a text to ONNX files that generate, in seven short sections.
 */
import { access } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { styleText } from 'node:util'
import { bitsPerCharacter, countParameters, type JsonObject } from '@chainrule/core'
import { evaluate, exportModel, loadModel, recordResults, sample } from '@chainrule/text'
import { createRunDirectory } from '@chainrule/train'
import type { Context } from './context.js'
import { engineNamed, type EngineName } from './engines.js'
import { sizesIn } from './export.js'
import { evaluationProgress } from './progress.js'
import { writeAsItGrows } from './text/sample.js'
import { traineeOf } from './text/train.js'
import { freshPlan } from './text/training-plan.js'
import { evaluateHeldOut, trainPlan } from './training.js'
import { argumentsOf } from './training-options.js'
import { bytes, commandLine, count, counted, duration, likelihood, wrapped } from './wording.js'

export interface DemoCommandOptions {
  out?: string
  preset: string
  steps: number
  seed: number
  threads?: number
  engine?: EngineName
}

const plays = fileURLToPath(new URL('../data/shakespeare.txt', import.meta.url))
/** Their spaces do not break. */
const factor = 'p(xᵢ | x₁ … xᵢ₋₁)'.replaceAll(' ', '\u00a0')
const product = `p(x)\u00a0=\u00a0∏\u00a0${factor}`
const sampleLength = 300
/** Cautious enough to look like Shakespeare at once. */
const temperature = 0.8
const prompt = 'Enter Hamlet.\n\n  Ham. '

export async function demo(options: DemoCommandOptions, { output, signal }: Context): Promise<JsonObject> {
  const begun = performance.now()
  const show = output.isJson ? output.say : output.print
  const tell = (paragraph: string) => show(wrapped(paragraph))
  let sections = 0
  const section = (title: string) => {
    const heading = `${++sections}. ${title}`
    show(`\n${process.stdout.isTTY && !process.env.NO_COLOR ? styleText('bold', heading) : heading}`)
  }
  const { out, modelFolder } = await folders(options.out)
  const engine = await engineNamed(options.engine, options.threads)
  const plan = await freshPlan({ data: plays, out, preset: options.preset, steps: options.steps, seed: options.seed })
  const trainee = traineeOf(plan, { ...options, out, data: relative('', plays) })
  const { model, description, state } = plan
  const text = plan.text as string // no documents were asked for
  const { heldOutBegin, heldOutEnd } = description.data
  const place = { out, engine, engineArguments: argumentsOf(options), signal }

  section('The text')
  tell(`Hamlet, Julius Caesar and Macbeth: ${count(text.length)} characters, ${model.tokenizer.domain.values} different ones. The last ${count(heldOutEnd - heldOutBegin)} are held out: the model never sees them.`)

  section('The model')
  tell(`It gives every character a probability from the ones before it: ${product}. A ${model.model.network.name} of ${count(countParameters(state.parameters))} parameters computes them.`)

  section('Training')
  tell(`${counted(options.steps, 'step')} of making the text more probable, by ${engine.name}. Knowing nothing is ${Math.log(model.tokenizer.domain.values).toFixed(2)} nats per character; watch it fall.`)
  await createRunDirectory(out)
  const { trained, loss } = await trainPlan(trainee, place)
  tell(`${duration(trained.state.seconds)}, ${loss!.toFixed(2)} nats per character on the last batches.`)

  section('How good is it?')
  const frequencies = frequencyNats(text, heldOutBegin)
  const evaluation = (await evaluateHeldOut(trainee, trained, place))!
  await recordResults(out, trained, description, trainee.resultsOf(evaluation))
  tell(`On the text it has never seen: ${likelihood(evaluation)}.`)
  tell(`Knowing only how often each character occurs gives ${frequencies.toFixed(4)} nats (${bitsPerCharacter(frequencies, 1).toFixed(3)} bits). Fewer is better; this number is exact, not an estimate.`)

  section('What it writes')
  const [written] = await sample(trained, { length: sampleLength, seed: options.seed, temperature, signal })
  tell(`One character after the other, each drawn from ${factor}, at temperature ${temperature}:`)
  show(framed(written))

  section('Export')
  await exportModel(trained, modelFolder, { data: description.data, dataLicence: 'public domain', command: description.command, results: trainee.resultsOf(evaluation) })
  const files = await sizesIn(modelFolder)
  tell(`The model as files that any ONNX runtime opens, in ${modelFolder}:`)
  for (const [name, size] of Object.entries(files)) show(`  ${name.padEnd(20)} ${bytes(size)}`)

  section('The exported files at work')
  const loaded = await loadModel(modelFolder)
  try {
    tell(`Opened with onnxruntime, checksums verified. Provider ${loaded.reason}.`)
    const progress = evaluationProgress(signal)
    const again = await evaluate(loaded, text, { begin: heldOutBegin, end: heldOutEnd, signal, onProgress: progress.onProgress }).finally(progress.stop)
    tell(`They give the held-out text ${again.natsPerCharacter.toFixed(4)} nats per character, too. And they write on from a prompt:`)
    const continued = await writeAsItGrows(loaded, { prompt, length: sampleLength, seed: (options.seed + 1) % 2 ** 32, temperature, signal }, () => undefined)
    show(framed(continued))
    const seconds = (performance.now() - begun) / 1000
    show(`\nAll of it took ${duration(seconds)}. Now try:`)
    show(`  ${commandLine('sample', modelFolder, '--prompt', 'O ', '--length', '500', '--temperature', '0.7')}`)
    show(`  ${commandLine('train', 'text', '--data', 'your-text.txt', '--out', 'runs/mine')}`)
    show(`  ${commandLine('--help')}`)
    return {
      command: 'demo',
      run: out,
      model: modelFolder,
      data: description.data,
      parameters: countParameters(trained.parameters),
      steps: options.steps,
      engine: engine.name,
      trainingSeconds: trained.state.seconds,
      seconds,
      heldOut: { ...evaluation },
      heldOutOfExported: { ...again },
      frequencyNatsPerCharacter: frequencies,
      sample: written,
      files,
      provider: loaded.opened.provider,
      reason: loaded.reason,
      continuation: continued,
    }
  } finally {
    await loaded.release()
  }
}

/** The folders of the run and of the exported model: the ones asked for, or the first free ones in runs. */
async function folders(asked?: string): Promise<{ out: string; modelFolder: string }> {
  const isThere = (path: string) => access(path).then(() => true, () => false)
  const modelOf = (run: string) => `${run}-model`
  if (asked !== undefined) return { out: asked, modelFolder: modelOf(asked) }
  for (let which = 1; ; which++) {
    const out = join('runs', which === 1 ? 'demo' : `demo-${which}`)
    if (!(await isThere(out)) && !(await isThere(modelOf(out)))) return { out, modelFolder: modelOf(out) }
  }
}

/** Nats per character of the held-out part under the frequencies of the characters before it (one is added to each count). */
function frequencyNats(text: string, heldOutBegin: number): number {
  const alphabet = new Set(text)
  const counts = new Map([...alphabet].map((symbol) => [symbol, 1]))
  let total = alphabet.size
  for (const symbol of text.slice(0, heldOutBegin)) {
    counts.set(symbol, counts.get(symbol)! + 1)
    total++
  }
  const heldOut = [...text.slice(heldOutBegin)]
  return heldOut.reduce((sum, symbol) => sum - Math.log(counts.get(symbol)! / total), 0) / heldOut.length
}

/** Generated text, set off from ours. */
const framed = (text: string) => text.trimEnd().split('\n').map((line) => `  │ ${line}`).join('\n')
