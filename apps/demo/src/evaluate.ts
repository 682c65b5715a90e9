/** `chainrule evaluate`: exact likelihood. Of the file that a model was trained on, only the part held out counts. */
import { InvalidOptionError, type Json, type JsonObject } from '@chainrule/core'
import { describeData, evaluate as evaluateTrained, evaluateLoaded, type EvaluateTextOptions, loadModel, type OpenOptions, readText, type TextEvaluation, trainedOf } from '@chainrule/text'
import type { Context } from './context.js'
import { engineNamed, type EngineName } from './engines.js'
import { located } from './failure.js'
import { evaluationProgress } from './progress.js'
import { subjectAt } from './subject.js'
import { count, likelihood } from './wording.js'

export interface EvaluateCommandOptions {
  data: string
  threads?: number
  /** Runs only. */
  engine?: EngineName
  /** Exported models only. */
  provider?: OpenOptions['provider']
}

/** Which part of a text to evaluate, and why. */
export interface Part {
  readonly part: 'held out' | 'whole file'
  readonly why: string
  readonly begin: number
  readonly end: number
}

/** @param trainedOn how the model describes its data, if it does */
export function partToEvaluate(path: string, text: string, trainedOn: JsonObject): Part {
  const whole = { part: 'whole file', begin: 0, end: text.length } as const
  const { sha256 } = describeData(path, text, { begin: 0, end: 0 })
  if (sha256 !== trainedOn.sha256) return { ...whole, why: 'it is not the file that the model was trained on' }
  const { heldOutBegin: begin, heldOutEnd: end } = trainedOn
  if (typeof begin === 'number' && typeof end === 'number' && begin < end && end <= text.length) {
    return { part: 'held out', begin, end, why: `characters ${count(begin)} to ${count(end)}, which the model has not seen` }
  }
  return { ...whole, why: 'the model was trained on all of it, so this says nothing about other texts' }
}

export async function evaluate(path: string, options: EvaluateCommandOptions, { output, signal }: Context): Promise<JsonObject> {
  const subject = await subjectAt(path)
  if (subject.kind === 'run' && options.provider) throw new InvalidOptionError(`--provider belongs to exported models; ${path} is a run. Use --engine, or export it first.`)
  if (subject.kind === 'model' && options.engine) throw new InvalidOptionError(`--engine belongs to runs; ${path} is an exported model. Use --provider.`)
  const text = await readText(options.data)
  const evaluatePart = async (trainedOn: JsonObject, tokenizer: { encode(text: string): Int32Array }, verb: (options: EvaluateTextOptions) => Promise<TextEvaluation>, runBy: Json): Promise<JsonObject> => {
    const { part, why, begin, end } = partToEvaluate(options.data, text, trainedOn)
    located(options.data, () => tokenizer.encode(text.slice(0, end)))
    output.say(`${options.data}, ${part}: ${why}`)
    const progress = evaluationProgress(signal)
    const evaluation = await verb({ begin, end, signal, onProgress: progress.onProgress }).finally(progress.stop)
    output.print(likelihood(evaluation))
    output.print(`${count(evaluation.characters)} characters, ${evaluation.totalNats.toFixed(2)} nats in all; ${evaluation.protocol}`)
    return { command: 'evaluate', model: path, kind: subject.kind, data: options.data, part, begin, end, ...evaluation, runBy }
  }
  if (subject.kind === 'run') {
    const trained = trainedOf(subject.run)
    const engine = await engineNamed(options.engine, options.threads)
    return evaluatePart(subject.run.description.data, trained.tokenizer, (part) => evaluateTrained(trained, text, { ...part, engine }), engine.name)
  }
  const loaded = await loadModel(subject.directory, { provider: options.provider, threads: options.threads })
  try {
    output.say(`provider ${loaded.reason}`)
    return await evaluatePart(loaded.manifest.card.data, loaded.tokenizer, (part) => evaluateLoaded(loaded, text, part), loaded.reason)
  } finally {
    await loaded.release()
  }
}
